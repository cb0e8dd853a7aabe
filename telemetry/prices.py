"""What other people's services cost: a dated table, and a file of one's own over it.

The table ships as ``prices.yaml`` beside this module. Nothing is guessed: a service without an
entry has no price, and whoever asks is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from telemetry.errors import PricesInvalid

SETTING = "CALLCLUSTER_PRICES_FILE"
_BUILT_IN = Path(__file__).with_name("prices.yaml")


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars for a million tokens of a language model."""

    prompt: float
    completion: float
    cached: float


@dataclass(frozen=True, slots=True)
class RealtimePrice:
    """US dollars for a million tokens of a model that hears and speaks."""

    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float


@dataclass(frozen=True, slots=True)
class VoicePrice:
    """US dollars for a thousand characters that are spoken."""

    thousand_chars: float


@dataclass(frozen=True, slots=True)
class RecogniserPrice:
    """US dollars for a minute of audio that is listened to."""

    minute: float


@dataclass(frozen=True, slots=True)
class CarrierPrice:
    """US dollars for a minute begun of a call, its stream or relay, its recording; for a detection.

    Attributes:
        relay_minute: Of a call whose ear and mouth are the carrier's; None where it is not known.
    """

    inbound_minute: float
    outbound_minute: float
    stream_minute: float
    recording_minute: float
    machine_detection: float
    relay_minute: float | None = None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by the service's own name for the thing.

    Attributes:
        as_of: When the table was put together.
    """

    as_of: date
    language_models: Mapping[str, TokenPrice]
    voices: Mapping[str, VoicePrice]
    recognisers: Mapping[str, RecogniserPrice]
    carriers: Mapping[str, CarrierPrice]
    realtime_models: Mapping[str, RealtimePrice] = field(default_factory=dict)


PriceT = TypeVar("PriceT", TokenPrice, VoicePrice, RecogniserPrice, CarrierPrice, RealtimePrice)


def load_prices(path: Path | None = None) -> PriceTable:
    """The built-in table, with the entries of ``path`` in the place of those of the same name.

    Raises:
        PricesInvalid: The file cannot be read, or an entry of it is wrong.
    """
    table = _built_in()
    if path is None:
        return table
    own = _read(path)
    return replace(
        own,
        language_models={**table.language_models, **own.language_models},
        voices={**table.voices, **own.voices},
        recognisers={**table.recognisers, **own.recognisers},
        carriers={**table.carriers, **own.carriers},
        realtime_models={**table.realtime_models, **own.realtime_models},
    )


@cache
def _built_in() -> PriceTable:
    return _read(_BUILT_IN)


def _read(path: Path) -> PriceTable:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(path, f"cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise _invalid(path, "must hold as_of and sections such as language_models")
    known = {item.name for item in fields(PriceTable)}
    if unknown := set(map(str, content)) - known:
        raise _invalid(path, f"unknown section {min(unknown)!r}; there are {sorted(known)}")
    as_of = content.get("as_of")
    if type(as_of) is not date:
        raise _invalid(path, "as_of must be the day of these prices, such as 2026-11-20")
    return PriceTable(
        as_of=as_of,
        language_models=_section(path, content, "language_models", TokenPrice),
        voices=_section(path, content, "voices", VoicePrice),
        recognisers=_section(path, content, "recognisers", RecogniserPrice),
        carriers=_section(path, content, "carriers", CarrierPrice),
        realtime_models=_section(path, content, "realtime_models", RealtimePrice),
    )


def _section(
    path: Path, content: Mapping[str, Any], name: str, kind: type[PriceT]
) -> Mapping[str, PriceT]:
    entries = content.get(name) or {}
    if not isinstance(entries, dict):
        raise _invalid(path, f"{name} must map names to prices")
    return {
        str(item): _price(path, f"{name}: {item}", prices, kind) for item, prices in entries.items()
    }


def _price(path: Path, where: str, entry: Any, kind: type[PriceT]) -> PriceT:
    wanted = {item.name for item in fields(kind)}
    needed = {item.name for item in fields(kind) if item.default is MISSING}
    if not isinstance(entry, dict) or needed - set(entry):
        raise _invalid(path, f"{where}: give {', '.join(sorted(needed))}")
    if unknown := set(map(str, entry)) - wanted - {"of", "source"}:
        raise _invalid(path, f"{where}: unknown {min(unknown)!r}")
    values = {name: entry[name] for name in wanted if name in entry}
    for name, value in values.items():
        if type(value) not in {int, float} or not 0 <= value < 1e6:
            raise _invalid(path, f"{where}: {name} must be US dollars, not {value!r}")
    return kind(**{name: float(value) for name, value in values.items()})


def _invalid(path: Path, what: str) -> PricesInvalid:
    return PricesInvalid(f"{path} ({SETTING}): {what}")
