"""The recognisers of an agent as one process sees them: whom to ask first, and what was seen.

Rules
1. The order is that of the agent's file, by health; everybody is in it, those left alone last: a
   call that nobody else hears had better ask somebody doubtful than nobody.
2. A stream that opens, and words that come, are good signs; a stream that breaks is a bad one, and
   so is hearing nothing where another recogniser heard words.
3. How late words come is measured once a phrase: who is much later than usual is left by new calls.
4. A probe speaks one known sentence (``probe_clip``) and wants to hear a word, whichever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from providers.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from providers.failover.probe_clip import PROBE_LANGUAGE, probe_clip
from providers.failover.tally import FailoverTally
from providers.health.route import CallRoute
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.unit import Unit
from providers.health.view import HealthView, ProbeCall
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
)
from voice.words import has_words

_PROBE_WITHIN_S = 1.8
_CHUNK_SAMPLES = 800


class Ears:
    """See the top of this file.

    Args:
        recognisers: Best first.
        view: The health of providers as this process sees it; None judges nobody.
        tally: Told of every stream.
        draw: 0 (inclusive) to 1 (exclusive): which share of new calls a call belongs to.
    """

    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        view: HealthView | None = None,
        tally: FailoverTally | None = None,
        draw: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.recognisers = tuple(recognisers)
        self._view = view
        self._tally = tally
        self._draw = draw
        names = [recogniser.name for recogniser in recognisers]
        self._open_units = [Unit(name, "stt.open").key for name in names]
        self._word_units = [Unit(name, "stt.first_partial").key for name in names]
        self._lag_units = [Unit(name, "stt.final_lag").key for name in names]
        if view is not None:
            for at, recogniser in enumerate(self.recognisers):
                view.can_probe(self._open_units[at], _probe(recogniser))
                view.can_probe(self._word_units[at], _probe(recogniser))
                view.can_probe(self._lag_units[at], _probe(recogniser, is_open=True))

    def order(self) -> tuple[int, ...]:
        """Places of all recognisers, the best first, for a new call."""
        if self._view is None:
            return tuple(range(len(self.recognisers)))
        verdicts = {
            words: self._view.verdict(words, *others)
            for words, *others in zip(
                self._word_units, self._open_units, self._lag_units, strict=True
            )
        }
        route = CallRoute(self._draw(), tuple((unit,) for unit in self._word_units))
        full = {
            unit: self._view.quotas.fullness("recognise", recogniser.name)
            for unit, recogniser in zip(self._word_units, self.recognisers, strict=True)
        }
        chosen = [self._word_units.index(unit) for unit in route.choose(verdicts, full).units]
        return (*chosen, *(at for at in range(len(self.recognisers)) if at not in chosen))

    def asked(self, choice: int, *, is_first: bool) -> None:
        """A stream is being opened."""
        if self._tally is not None:
            why = "first" if is_first else "failover"
            self._tally.asked("recognise", self.recognisers[choice].name, why)

    def opened(self, choice: int) -> None:
        """It takes audio."""
        self._saw(self._open_units[choice], Signal(Sign.ANSWERED))

    def failed(self, choice: int, error: Exception | RecogniserFailed) -> None:
        """It could not be opened, or it broke."""
        if isinstance(error, ProviderError):
            signal = signal_of_error(error)
        elif isinstance(error, RecogniserFailed) and not error.retryable:
            signal = Signal(Sign.REFUSED)
        else:
            signal = Signal(Sign.UNAVAILABLE)
        self._saw(self._open_units[choice], signal)

    def heard(self, choice: int) -> None:
        """It brought a finished phrase."""
        self._saw(self._word_units[choice], Signal(Sign.ANSWERED))

    def came(self, choice: int, lag_s: float) -> None:
        """It brought words this much later than they were said."""
        self._saw(self._lag_units[choice], Signal(Sign.ANSWERED, latency_s=lag_s))

    def deaf(self, choice: int) -> None:
        """It heard nothing where another one heard words."""
        self._saw(self._word_units[choice], Signal(Sign.NO_CONTENT))

    def _saw(self, unit: str, signal: Signal) -> None:
        if self._view is not None:
            self._view.saw(unit, signal)


def _probe(recogniser: Recogniser, *, is_open: bool = False) -> ProbeCall:
    """From the request for a stream to a word; with ``is_open`` from when it was open."""

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        heard: asyncio.Future[float] = loop.create_future()

        def sink(event: RecogniserEvent) -> None:
            if heard.done():
                return
            match event:
                case InterimTranscript(text=text) | FinalTranscript(text=text) if has_words(text):
                    heard.set_result(loop.time() - began_at)
                case RecogniserFailed(message=message):
                    heard.set_exception(ProviderUnavailable(message, recogniser.name))
                case _:
                    pass

        stream = await recogniser.open(RecogniseRequest("probe", PROBE_LANGUAGE), sink)
        if is_open:
            began_at = loop.time()
        try:
            clip = probe_clip()
            for at in range(0, len(clip), _CHUNK_SAMPLES):
                stream.write(clip[at : at + _CHUNK_SAMPLES])
            async with asyncio.timeout(_PROBE_WITHIN_S):
                return await heard
        except TimeoutError:
            raise ProviderTimeout("heard nothing of a known sentence", recogniser.name) from None
        finally:
            await stream.close()

    return ask
