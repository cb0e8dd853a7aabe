"""The recognisers of an agent as one process sees them: whom to ask first, and what was seen.

Rules
1. The order is that of the agent's file, by health; everybody is in it, those left alone last: a
   call that nobody else hears had better ask somebody doubtful than nobody. One that heard nothing,
   or broke, just now comes after the well ones: a new call can begin with another one for nothing,
   and would have to change if it began with that one in vain. So does one that is being doubted.
2. A stream that opens, and one that brings words, are good signs; a stream that breaks is a bad
   one, and so is hearing nothing where another recogniser heard words. Each stream counts once: of
   streams half of which hang, a busy good one would hide a hanging one.
3. How late words come is measured once a phrase. Words far later than is usual for this recogniser
   are a bad sign: it is left by new calls, however few there are. By calls that it hears it is
   doubted so much later (``late_s``): a second stream would cost as much and understand no sooner.
4. A probe speaks one known sentence (``probe_clip``) and wants to hear a word, whichever. When
   nobody heard a word of a caller all are asked so, for all calls of the process at once; not if
   another caller was understood just now. Each is asked twice, the second time beside the first.
5. A second stream only because the end of what was said may be missing is opened for one call in
   twenty (``budget``): it may have been a breath.
6. It is known that nobody can hear when all were asked in vain, or all are left.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.failover.probe_clip import PROBE_LANGUAGE, probe_clip
from providers.failover.tally import FailoverTally
from providers.health.budget import HedgeBudget
from providers.health.deadline import DEADLINE_RATIO
from providers.health.policy import HealthPolicy
from providers.health.route import CallRoute
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.unit import NO_ACCOUNT, Account, Unit
from providers.health.view import HealthView, ProbeCall
from providers.traces import place_of
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
)
from voice.words import has_words

logger = logging.getLogger(__name__)

SLOW_RATIO = HealthPolicy().slow_ratio
IN_TIME_S = 0.4  # words so late raise nobody's patience
MOST_LATE_S = 0.25
_LAG_FADING = 0.2
_PROBE_WITHIN_S = 1.8
_ASK_WITHIN_S = 2.0  # with the opening
_BESIDE_AFTER_S = 0.7  # a sentence that is known is usually understood by then
ASKED_TIMES = 2
ASKED_KEPT_S = 5.0
JUST_NOW_S = 0.5
_CHUNK_SAMPLES = 800
DOUBTED_S = 3.0  # an understudy has brought words by then, or there were none


class Ears:
    """See the top of this file.

    Args:
        recognisers: Best first.
        view: The health of providers as this process sees it; None judges nobody.
        tally: Told of every stream.
        draw: 0 (inclusive) to 1 (exclusive): which share of new calls a call belongs to.
        accounts: Where and as whom each of them is asked; empty: each has but one.

    Attributes:
        budget: Of second streams that may turn out not to have been needed; see rule 5.
    """

    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        view: HealthView | None = None,
        tally: FailoverTally | None = None,
        draw: Callable[[], float] = lambda: 0.0,
        accounts: Sequence[Account] = (),
    ) -> None:
        self.recognisers = tuple(recognisers)
        self._view = view
        self._tally = tally
        self._draw = draw
        self.budget = HedgeBudget()
        self._asking: asyncio.Task[None] | None = None
        self._answered_at = -math.inf
        self._nobody_hears = False
        self._understood_at = -math.inf
        self._waiting: list[Callable[[], None]] = []
        self._lags_s = [0.0] * len(self.recognisers)
        self._doubted_at = [-math.inf] * len(self.recognisers)
        asked = list(
            zip(
                accounts or [NO_ACCOUNT] * len(self.recognisers),
                [recogniser.name for recogniser in recognisers],
                strict=True,
            )
        )
        self._open_units = [Unit.at(*each, "stt.open").key for each in asked]
        self._word_units = [Unit.at(*each, "stt.first_partial").key for each in asked]
        self._lag_units = [Unit.at(*each, "stt.final_lag").key for each in asked]
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
        chosen.sort(key=self._is_doubtful)
        return (*chosen, *(at for at in range(len(self.recognisers)) if at not in chosen))

    def _is_doubtful(self, choice: int) -> bool:
        if self._view is None:
            return False
        if asyncio.get_running_loop().time() - self._doubted_at[choice] <= DOUBTED_S:
            return True
        units = self._word_units[choice], self._open_units[choice]
        return self._view.verdict(*units).state == "suspect"

    def doubted(self, choice: int) -> None:
        """A stream of it, which has brought no word yet, is compared with another one."""
        self._doubted_at[choice] = asyncio.get_running_loop().time()

    def asked(self, choice: int, *, is_first: bool) -> None:
        """A stream is being opened."""
        if is_first:
            self.budget.request_sent()
        if self._tally is not None:
            why = "first" if is_first else "failover"
            self._tally.asked("recognise", self.recognisers[choice].name, why)

    def replaced(self, seconds: float) -> None:
        """A stream broke, and so long afterwards another one is sent what it was sent."""
        if self._tally is not None:
            self._tally.waited("recognise", seconds)

    def opened(self, choice: int) -> None:
        """It takes audio."""
        self._saw(self._open_units[choice], Signal(Sign.ANSWERED))

    def failed(self, choice: int, error: Exception | RecogniserFailed) -> None:
        """It could not be opened, or it broke."""
        known = error.cause if isinstance(error, RecogniserFailed) else error
        if isinstance(known, ProviderError):
            signal = signal_of_error(known)
        elif isinstance(error, RecogniserFailed) and not error.retryable:
            signal = Signal(Sign.REFUSED)
        else:
            signal = Signal(Sign.UNAVAILABLE)
        self._saw(self._open_units[choice], signal)

    def heard(self, choice: int) -> None:
        """A stream of it brought its first finished phrase."""
        self._doubted_at[choice] = -math.inf
        self._saw(self._word_units[choice], Signal(Sign.ANSWERED))

    def came(self, choice: int, lag_s: float) -> None:
        """It brought words this much later than they were said."""
        faded_s = self._lags_s[choice] + _LAG_FADING * (lag_s - self._lags_s[choice])
        self._lags_s[choice] = max(lag_s, faded_s)
        unit = self._lag_units[choice]
        if self._view is None:
            return
        usual = self._view.verdict(unit).quantiles
        is_late = usual is not None and lag_s > max(
            DEADLINE_RATIO * usual.p99_s, SLOW_RATIO * usual.p50_s
        )
        self._saw(unit, Signal(Sign.LATE) if is_late else Signal(Sign.ANSWERED, latency_s=lag_s))

    def late_s(self, choice: int) -> float:
        """How much longer than usual its words take at the moment, seconds; 0 for in time."""
        return min(max(0.0, self._lags_s[choice] - IN_TIME_S), MOST_LATE_S)

    def deaf(self, choice: int) -> None:
        """It heard nothing where another one heard words."""
        self._saw(self._word_units[choice], Signal(Sign.NO_CONTENT))

    def understood(self) -> None:
        """Words of a caller came, from whomever: somebody hears."""
        self._understood_at = asyncio.get_running_loop().time()

    def is_nobody_left(self) -> bool:
        """True while it is known that no words can come; see rule 6. Reads memory only."""
        loop = asyncio.get_running_loop()
        is_known = loop.time() - self._answered_at <= ASKED_KEPT_S
        if is_known and self._nobody_hears and self._understood_at < self._answered_at:
            return True
        if self._view is None:
            return False
        units = zip(self._word_units, self._open_units, strict=True)
        return not any(self._view.verdict(*each).usable for each in units)

    def ask_everybody(self, told: Callable[[], None]) -> None:
        """Find out whether any of them understands a known sentence.

        Args:
            told: Called once, soon, if none does; what was found holds for ``ASKED_KEPT_S``.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._understood_at <= JUST_NOW_S:
            return
        if loop.time() - self._answered_at <= ASKED_KEPT_S:
            if self._nobody_hears:
                loop.call_soon(told)
            return
        self._waiting.append(told)
        if self._asking is None:
            self._asking = loop.create_task(self._ask_all(), name="ask-all-recognisers")

    async def _ask_all(self) -> None:
        places = range(len(self.recognisers))
        self._nobody_hears = not any(await asyncio.gather(*(self._hears(at) for at in places)))
        self._answered_at, self._asking = asyncio.get_running_loop().time(), None
        waiting, self._waiting = self._waiting, []
        for told in waiting if self._nobody_hears else ():
            told()

    async def _hears(self, choice: int) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + _ASK_WITHIN_S
        asking: set[asyncio.Task[bool]] = set()
        try:
            for number in range(ASKED_TIMES):
                asking.add(loop.create_task(self._understands(choice, until)))
                is_last = number == ASKED_TIMES - 1
                while asking:
                    done, asking = await asyncio.wait(
                        asking,
                        timeout=None if is_last else _BESIDE_AFTER_S,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    if any(task.result() for task in done):
                        return True
                    if not is_last:
                        break
            return False
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)

    async def _understands(self, choice: int, until: float) -> bool:
        try:
            async with asyncio.timeout_at(until):
                await _probe(self.recognisers[choice])()
        except ProviderBusy:
            return True  # full of calls, perhaps of our own: that says nothing of its hearing
        except (ProviderTimeout, TimeoutError):
            self.deaf(choice)
        except ProviderError as error:
            self.failed(choice, error)
        except Exception as error:  # noqa: BLE001 - one client's trouble must not end the question
            # The message of a foreign exception may quote the caller: only its place is told.
            logger.error("%s broke: %s", self.recognisers[choice].name, place_of(error))
            self.failed(choice, error)
        else:
            self.heard(choice)
            return True
        return False

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
