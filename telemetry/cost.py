"""From units that were used to what they cost, by a price table. Pure arithmetic.

Units of a call, in ``usage``:

==================  ================================================  =====================
``prompt_tokens``   read by the language model, cached ones included  ``language_model``
``cached_tokens``   those of them that came from its prompt cache     ``language_model``
``completion_tokens``  written by the language model                  ``language_model``
``spoken_chars``    characters handed to the voice                    ``voice``
``recognised_s``    seconds of audio the recogniser was given         ``recogniser``
``realtime_text_in``, ``_cached``, ``_out``  tokens of text, each counted once  ``realtime_model``
``realtime_audio_in``, ``_cached``, ``_out``  tokens of audio, likewise          ``realtime_model``
``transcribed_s``   seconds of audio that was written down for it     ``transcriber``
``call_s``          seconds of the call; minutes begun are billed     ``carrier``
``conversed_s``     seconds of audio a realtime model was given        ``realtime_model``
``stream_s``        seconds of its media streams; likewise            ``carrier``
``relay_s``         seconds of its relay sessions; likewise           ``carrier``
``recording_s``     seconds recorded; minutes begun are billed        ``carrier``
``detections``      answering-machine detections                      ``carrier``
==================  ================================================  =====================

Tokens of a model that stood in for the agent's own have its name behind them:
``prompt_tokens@openrouter``.

``wasted_prompt_tokens``, ``wasted_spoken_chars`` and so on are the part of these units that went
into replies that were never spoken; ``checked_...`` the part that went into asking answers of the
response cache again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from telemetry.prices import PriceTable

WASTED_PREFIX = "wasted_"
CHECKED_PREFIX = "checked_"

REALTIME_PREFIX = "realtime_"
TRANSCRIBED_PREFIX = "transcribed_"

Component = str  # think, speak, hear, converse, carry, stream, relay, record, detect


@dataclass(frozen=True, slots=True)
class Services:
    """Whose units they are, by the names of the price table.

    Attributes:
        direction: ``inbound`` or ``outbound``.
        stand_ins: Of those who may stand in for the language model: name to model.
        realtime_model: The model that hears and speaks, where one does.
        transcriber: Writes down what callers say to it.
    """

    language_model: str
    voice: str
    recogniser: str
    carrier: str = "twilio"
    direction: str = "inbound"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    realtime_model: str = ""
    transcriber: str = ""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Units that nobody has told us the price of."""

    unit: str
    item: str
    amount: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What was used, in dollars as far as it is known.

    Attributes:
        usd: By component: ``think``, ``speak``, ``hear``, ``converse``, ``carry``, ``stream``,
            ``relay``, ``record``, ``detect``; only those that were used and have a price.
    """

    usd: Mapping[Component, float]
    unpriced: tuple[Unpriced, ...] = ()

    @property
    def total_usd(self) -> float:
        """All that has a price."""
        return math.fsum(self.usd.values())


@dataclass(frozen=True, slots=True)
class _Position:
    """A line of the bill: ``amount`` of a unit, and what one of it costs, if that is known."""

    unit: str
    item: str
    amount: float
    component: Component
    price: float | None


def bill_of(usage: Mapping[str, float], services: Services, prices: PriceTable) -> Bill:
    """The bill for ``usage``; unknown units are passed over, unknown prices are listed."""
    usd: dict[Component, float] = {}
    unpriced: list[Unpriced] = []
    positions = [*_thinking(usage, services, prices), *_speech(usage, services, prices)]
    positions += _conversing(usage, services, prices)
    for line in [*positions, *_carriage(usage, services, prices)]:
        if line.amount <= 0:
            continue
        if line.price is None:
            unpriced.append(Unpriced(line.unit, line.item, line.amount))
        else:
            usd[line.component] = usd.get(line.component, 0.0) + line.amount * line.price
    return Bill(usd, tuple(unpriced))


def wasted_units(usage: Mapping[str, float]) -> dict[str, float]:
    """The units that went into replies that were never spoken, by their own names."""
    return _part(usage, WASTED_PREFIX)


def checked_units(usage: Mapping[str, float]) -> dict[str, float]:
    """The units that went into checks of the response cache, by their own names."""
    return _part(usage, CHECKED_PREFIX)


def item_of(unit: str, services: Services) -> str:
    """The name under which the price table knows the service that counts this unit."""
    unit, _, stand_in = unit.partition("@")
    if stand_in:
        return services.stand_ins.get(stand_in, stand_in)
    if unit.startswith(REALTIME_PREFIX) or unit == "conversed_s":
        return services.realtime_model
    if unit.startswith(TRANSCRIBED_PREFIX):
        return services.transcriber
    if unit.endswith("_tokens"):
        return services.language_model
    if unit == "spoken_chars":
        return services.voice
    return services.recogniser if unit == "recognised_s" else services.carrier


def _part(usage: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {
        unit.removeprefix(prefix): amount
        for unit, amount in usage.items()
        if unit.startswith(prefix)
    }


def _thinking(
    usage: Mapping[str, float], services: Services, prices: PriceTable
) -> Iterator[_Position]:
    for stand_in in {"", *(unit.partition("@")[2] for unit in usage)}:
        name = item_of(f"_tokens@{stand_in}", services)
        suffix = f"@{stand_in}" if stand_in else ""
        tokens = {
            unit: usage.get(unit + suffix, 0.0)
            for unit in ("prompt_tokens", "cached_tokens", "completion_tokens")
        }
        yield from _tokens(tokens, name, prices)


def _tokens(usage: Mapping[str, float], name: str, prices: PriceTable) -> Iterator[_Position]:
    prompt, completion = usage.get("prompt_tokens", 0.0), usage.get("completion_tokens", 0.0)
    cached = min(usage.get("cached_tokens", 0.0), prompt)
    model = prices.language_models.get(name)
    if model is None:
        yield _Position("prompt_tokens", name, prompt, "think", None)
        yield _Position("completion_tokens", name, completion, "think", None)
        return
    yield _Position("prompt_tokens", name, prompt - cached, "think", model.prompt / 1e6)
    yield _Position("cached_tokens", name, cached, "think", model.cached / 1e6)
    yield _Position("completion_tokens", name, completion, "think", model.completion / 1e6)


def _speech(
    usage: Mapping[str, float], services: Services, prices: PriceTable
) -> Iterator[_Position]:
    voice = prices.voices.get(services.voice)
    per_char = voice.thousand_chars / 1_000 if voice else None
    chars = usage.get("spoken_chars", 0.0)
    yield _Position("spoken_chars", services.voice, chars, "speak", per_char)
    ear = prices.recognisers.get(services.recogniser)
    per_second = ear.minute / 60 if ear else None
    seconds = usage.get("recognised_s", 0.0)
    yield _Position("recognised_s", services.recogniser, seconds, "hear", per_second)


def _conversing(
    usage: Mapping[str, float], services: Services, prices: PriceTable
) -> Iterator[_Position]:
    name = services.realtime_model
    model = prices.realtime_models.get(name)
    for of in ("text_in", "text_cached", "text_out", "audio_in", "audio_cached", "audio_out"):
        unit = REALTIME_PREFIX + of
        price = getattr(model, of) / 1e6 if model is not None else None
        yield _Position(unit, name, usage.get(unit, 0.0), "converse", price)
    writer = prices.recognisers.get(services.transcriber)
    seconds = usage.get("transcribed_s", 0.0)
    per_second = writer.minute / 60 if writer is not None else None
    yield _Position("transcribed_s", services.transcriber, seconds, "hear", per_second)
    tokens = usage.get("transcribed_tokens", 0.0)
    yield _Position("transcribed_tokens", services.transcriber, tokens, "hear", None)


def _carriage(
    usage: Mapping[str, float], services: Services, prices: PriceTable
) -> Iterator[_Position]:
    name = services.carrier
    carrier = prices.carriers.get(name)
    if carrier is None:
        for unit in ("call_s", "stream_s", "relay_s", "recording_s", "detections"):
            yield _Position(unit, name, usage.get(unit, 0.0), "carry", None)
        return
    is_outbound = services.direction == "outbound"
    per_minute = carrier.outbound_minute if is_outbound else carrier.inbound_minute
    called = _minutes_begun(usage.get("call_s", 0.0))
    streamed = _minutes_begun(usage.get("stream_s", 0.0))
    relayed = _minutes_begun(usage.get("relay_s", 0.0))
    recorded = _minutes_begun(usage.get("recording_s", 0.0))
    yield _Position("call_s", name, called, "carry", per_minute)
    yield _Position("stream_s", name, streamed, "stream", carrier.stream_minute)
    yield _Position("relay_s", name, relayed, "relay", carrier.relay_minute)
    yield _Position("recording_s", name, recorded, "record", carrier.recording_minute)
    detections = usage.get("detections", 0.0)
    yield _Position("detections", name, detections, "detect", carrier.machine_detection)


def _minutes_begun(seconds: float) -> float:
    return math.ceil(round(seconds, 3) / 60)
