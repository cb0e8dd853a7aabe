"""Several voices that are one speaker: whoever is well speaks, and a sentence is always finished.

Rules

1. The order is that of the agent's file, by the health of each voice (``providers.health.route``).
   A call stays with the voice it has switched to; the next call begins with the first one again.
2. Before the first sound of a sentence the next voice is asked as soon as one fails, is late, or is
   later than usual (hedged, within the budget); the first to be heard speaks it.
3. A voice that breaks or falls silent in mid-sentence is left: the next one goes on with the first
   word that was not given out (``delivery``), as loud as the first was. When no other is usable the
   same one is asked once more. ``MOST_VOICES`` for one sentence.
4. A voice has fallen silent when the caller will have heard all it gave before anything new comes.
5. A text without a word has no sound; nobody is asked.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from providers.errors import ProviderError, ProviderTimeout
from providers.failover.contest import Contest, Entrant, Won
from providers.failover.delivery import Delivery
from providers.failover.loudness import Loudness, amplified, gain_db
from providers.failover.tally import FailoverTally
from providers.failover.voices import (
    SHORTEST_STALL_S,
    Voice,
    first_audio_probe,
    flow_probe,
    is_audible,
)
from providers.health.budget import HedgeBudget
from providers.health.deadline import timing
from providers.health.local import Verdict
from providers.health.resume import unheard_text
from providers.health.route import CallRoute
from providers.health.signals import Sign, Signal, signal_of_error
from providers.health.view import HealthView
from voice.ports import Speaker, SpeakRequest, SpeechChunk
from voice.words import has_words

MOST_VOICES = 3
LONGEST_STALL_S = 2.0
SPARE_S = 0.15  # before the ear runs dry
MOST_ROUTES = 2_000


class FailoverSpeaker:
    """See the top of this file.

    Args:
        voices: Best first.
        view: The health of providers as this process sees it.
        budget: Of hedges.
        draw: 0 (inclusive) to 1 (exclusive): which share of new calls a call belongs to.
        tally: Told of every request.
    """

    def __init__(
        self,
        voices: Sequence[Voice],
        view: HealthView,
        budget: HedgeBudget,
        draw: Callable[[], float],
        tally: FailoverTally,
    ) -> None:
        self._voices = {voice.unit: voice for voice in voices}
        self._first = voices[0]
        self._view = view
        self._budget = budget
        self._draw = draw
        self._tally = tally
        self._routes: OrderedDict[str, CallRoute] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        for voice in voices:
            view.can_probe(voice.unit, first_audio_probe(voice))
            view.can_probe(voice.flow_unit, flow_probe(voice))

    @property
    def name(self) -> str:
        """The first voice's service."""
        return self._first.speaker.name

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Best first."""
        return tuple(self._voices.values())

    def voice_of(self, call_id: str) -> Voice:
        """The voice that a call is spoken to in, or would be, now; reads memory only."""
        route = self._route(call_id)
        return self._voices[route.kept or self._order(route)[1][0]]

    async def warm(self, voice: str, language: str) -> None:
        """Open connections to every voice; raises ``ProviderError`` when none can be reached."""
        results = await asyncio.gather(
            *(each.speaker.warm(each.voice, language) for each in self._voices.values()),
            return_exceptions=True,
        )
        errors = [result for result in results if isinstance(result, BaseException)]
        if len(errors) == len(results):
            raise errors[0]

    async def aclose(self) -> None:
        """Close all services."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for voice in self._voices.values():
            await voice.speaker.aclose()

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """See ``voice.ports.Speaker``; the request's voice is that of the first one."""
        if not has_words(request.text):
            return
        sentence = _Sentence(request)
        route = self._route(request.call_id)
        left: list[str] = []
        while True:
            contest = self._contest(sentence, route, left)
            unit = ""
            try:
                won = await contest.winner()
                unit = won.entrant.unit
                if not won.was_first or left:
                    self._tally.waited("speak", won.waited_s)
                route.heard(unit)
                async for chunk in self._deliver(won, sentence):
                    yield chunk
            except (ProviderError, TimeoutError) as error:
                failure = _as_error(error, self._voices[unit].speaker.name if unit else "")
                if not unit or len(left) + 1 >= MOST_VOICES:
                    raise failure from None
                self._tell_broken(unit, failure)
                left.append(unit)
                if not sentence.go_on():
                    return
            else:
                return
            finally:
                await contest.aclose()

    # --- one sentence -----------------------------------------------------------------------------

    def _contest(
        self, sentence: _Sentence, route: CallRoute, left: Sequence[str]
    ) -> Contest[SpeechChunk]:
        verdicts, choice = self._order(route)
        units = [unit for unit in choice if unit not in left] or [choice[0]]
        entrants = []
        for number, unit in enumerate(units):
            verdict = verdicts[unit]
            is_last = number == len(units) - 1
            is_suspect = verdict.state != "closed"
            times = timing("tts.ttfa", verdict.quantiles, suspect=is_suspect, last=is_last)
            voice = self._voices[unit]
            own = replace(sentence.request, text=sentence.rest, voice=voice.voice)
            opener = _opener(voice.speaker, own)
            entrants.append(Entrant(voice.speaker.name, unit, times, opener))
        if not left:
            self._budget.request_sent()

        def asked(name: str, why: str) -> None:
            self._tally.asked("speak", name, "continued" if left and why == "first" else why)

        return Contest(
            entrants,
            self._view,
            is_output=is_audible,
            may_hedge=self._budget.spend,
            on_start=asked,
            tasks=self._tasks,
        )

    def _order(self, route: CallRoute) -> tuple[dict[str, Verdict], tuple[str, ...]]:
        """What is held of every voice, and whom to ask, best first."""
        verdicts = {
            unit: self._view.verdict(unit, voice.flow_unit) for unit, voice in self._voices.items()
        }
        full = {
            unit: self._view.quotas.fullness("speak", voice.speaker.name)
            for unit, voice in self._voices.items()
        }
        return verdicts, route.choose(verdicts, full).units

    async def _deliver(
        self, won: Won[SpeechChunk], sentence: _Sentence
    ) -> AsyncIterator[SpeechChunk]:
        loop = asyncio.get_running_loop()
        while True:
            item = await won.next(sentence.patience_s(loop.time()))
            if item is None:
                break
            at, chunk = item
            sentence.began(at)
            ready = sentence.take(chunk)
            if ready is not None:
                yield ready
        rest = sentence.finish()
        if rest is not None:
            yield rest
        self._view.saw(self._voices[won.entrant.unit].flow_unit, Signal(Sign.ANSWERED))

    def _tell_broken(self, unit: str, error: ProviderError) -> None:
        is_late = isinstance(error, ProviderTimeout)
        signal = Signal(Sign.STALLED) if is_late else signal_of_error(error)
        self._view.saw(self._voices[unit].flow_unit, signal)

    def _route(self, call_id: str) -> CallRoute:
        route = self._routes.get(call_id) if call_id else None
        if route is None:
            route = CallRoute(self._draw(), tuple((unit,) for unit in self._voices))
            if call_id:
                self._routes[call_id] = route
                if len(self._routes) > MOST_ROUTES:
                    self._routes.popitem(last=False)
        else:
            self._routes.move_to_end(call_id)
        return route


class _Sentence:
    """How far one request has come, over all voices that speak it."""

    def __init__(self, request: SpeakRequest) -> None:
        self.request = request
        self.rest = request.text
        self._delivery = Delivery(request.text)
        self._began_at: float | None = None
        self._before = Loudness()
        self._now: Loudness | None = None
        self._gain_db: float | None = 0.0

    def began(self, at: float) -> None:
        """The first audio of all came at this loop time."""
        if self._began_at is None:
            self._began_at = at

    def patience_s(self, now: float) -> float | None:
        """How long the next audio may take; None before there was any."""
        if self._began_at is None:
            return None
        ahead_s = self._began_at + self._delivery.received_s - now
        return min(max(ahead_s - SPARE_S, SHORTEST_STALL_S), LONGEST_STALL_S)

    def take(self, chunk: SpeechChunk) -> SpeechChunk | None:
        """Audio of whoever speaks; what may be given out of it."""
        if self._now is None:
            self._before.hear(chunk.ulaw)
        else:
            if self._gain_db is None:
                self._now.hear(chunk.ulaw)
                if self._now.level_db is not None:
                    self._gain_db = gain_db(self._before, self._now)
            chunk = replace(chunk, ulaw=amplified(chunk.ulaw, self._gain_db or 0.0))
        return self._delivery.take(chunk)

    def finish(self) -> SpeechChunk | None:
        """All was spoken."""
        return self._delivery.finish()

    def go_on(self) -> bool:
        """Whoever spoke is gone; whether there is anything left to say."""
        text = self.request.text
        chars, is_known = self._delivery.broke()
        self.rest = unheard_text(text, chars, known=is_known)
        if not self.rest:
            return False
        self._delivery.go_on(len(text) - len(self.rest))
        if self._delivery.given_samples:
            self._now, self._gain_db = Loudness(), None
        return True


def _opener(speaker: Speaker, request: SpeakRequest) -> Callable[[], AsyncIterator[SpeechChunk]]:
    return lambda: speaker.speak(request)


def _as_error(error: ProviderError | TimeoutError, name: str) -> ProviderError:
    if isinstance(error, ProviderError):
        return error
    return ProviderTimeout("fell silent in mid-sentence", name)
