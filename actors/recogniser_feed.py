"""The recognisers of one call: opened in the background, doubted, replaced, heard as one.

``providers.failover.listening`` decides; this is its driver. The caller's last seconds are kept in
a ring: every stream, the first one included, is sent what was said since the last finished phrase,
so a stream that is late, hangs or dies loses no word.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import assert_never

from actors.hearing_watch import HearingWatch
from actors.recogniser_line import Line, close_quietly
from actors.recogniser_words import believable, reason_of
from dialogue.agent import Agent
from providers.failover.ears import Ears
from providers.failover.listening import Listening, ListeningPolicy
from providers.failover.listening_outputs import (
    AskEverybody,
    CallIsDeaf,
    CloseStream,
    OpenStream,
    Output,
    TellBroken,
    TellDeaf,
)
from providers.failover.replay_ring import RING_S, ReplayRing
from voice import events as voice
from voice.ports import (
    SAMPLE_RATE_HZ,
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserInterrupted,
    RecogniserStream,
    SpeechNoticed,
    TurnEndHinted,
    TurnResumed,
)
from voice.words import has_words

logger = logging.getLogger(__name__)

SURELY_NEW_SAMPLES = 400  # two recognisers hear the end of one word that far apart
TAKEN_IS_KNOWN_AFTER_S = 3.0  # until then the endpointer compares what comes with what it took


class RecogniserFeed:
    """One call's ears.

    Args:
        ears: The services, and what this process holds of them.
        agent: Language and hints.
        call_id: For logs.
        feed: Takes the words as events of the voice machine.
        on_lost: Called once when nobody is left to hear the caller.
        policy: When a service is doubted.
    """

    def __init__(
        self,
        ears: Ears,
        agent: Agent,
        call_id: str,
        feed: Callable[[voice.Input], None],
        *,
        on_lost: Callable[[str], None],
        policy: ListeningPolicy | None = None,
    ) -> None:
        self._ears = ears
        self._request = _request(call_id, agent)
        self._feed = feed
        self._on_lost = on_lost
        self._policy = policy
        self._machine = Listening(ears.order(), policy, may_double=ears.budget.spend)
        self.spoken_language = ""  # of what was heard last, as the recogniser says
        self._ring = ReplayRing()
        self._lines: dict[int, Line] = {}
        self._streams: list[RecogniserStream] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._last_final = ""
        self._heard_to = 0  # sample: the end of the last word that came
        self._taken: tuple[float, int] | None = None
        self._unheard_since: float | None = None  # since the stream that was listened to broke
        self._turn_from = 0  # sample
        self._turn_before_from = 0
        self._watch = HearingWatch(
            lambda now: self._machine.is_lost(now=now),
            lambda: self._ears.is_nobody_left(),
            lambda is_lost: feed(voice.HearingChanged(is_lost)),
        )
        self._closed = False

    @property
    def samples(self) -> int:
        """Caller audio taken so far."""
        return self._ring.samples

    @property
    def switches(self) -> int:
        """How often the call went to another service."""
        return self._machine.switches

    def start(self) -> None:
        """Begin to open the first stream; audio may be written at once."""
        self._machine.start(now=self._loop.time())
        self._perform_all()

    def change_language(self, ears: Ears, agent: Agent) -> None:
        """Hear another language from here on; what was acted upon is not heard again.

        Args:
            ears: The services for it.
            agent: As it speaks from now on.
        """
        if self._closed or agent.language == self._request.language:
            return
        now, was_started = self._loop.time(), self._machine.streams > 0
        self._machine.close()
        self._perform_all()
        self._ears = ears
        self._request = _request(self._request.call_id, agent)
        streams, switches = self._machine.streams, self._machine.switches
        may_double = ears.budget.spend
        self._machine = Listening(
            ears.order(), self._policy, streams_before=streams, may_double=may_double
        )
        self._machine.switches = switches
        self._last_final = self.spoken_language = ""
        if self._taken is not None:
            self._ring.commit(self._taken[1])
        if was_started:
            self._machine.start(now=now)
            self._perform_all()
            self._arm()

    def write(self, ulaw: bytes) -> None:
        """Caller audio; never blocks."""
        self._ring.write(ulaw)
        for stream in self._streams:
            stream.write(ulaw)

    def turn_audio(self) -> bytes:
        """What came since the last turn was taken, of that the last ``RING_S`` seconds; mu-law.

        An end-of-turn model that hears the turn before as well doubts short answers.
        """
        latest = self._ring.samples - RING_S * SAMPLE_RATE_HZ
        return self._ring.read(max(latest, self._turn_from))

    def scored(self, *, is_speech: bool, now: float) -> None:
        """The next 20 ms of what was written are speech, or not."""
        self._ring.score(is_speech=is_speech)
        if is_speech or self._machine.follows_speech:  # most frames of a call are neither
            choice = self._machine.heard_choice
            late_s = 0.0 if choice is None else self._ears.late_s(choice)
            self._machine.frame_heard(is_speech=is_speech, now=now, late_s=late_s)
            self._perform_all()
        self._watch.frame_heard(is_speech=is_speech, now=now)

    def turn_taken(self, *, now: float) -> None:
        """The words so far have been acted upon."""
        self._taken = (now, self._ring.samples)
        self._turn_before_from, self._turn_from = self._turn_from, self._ring.samples

    def turn_given_back(self) -> None:
        """The turn that was taken last goes on."""
        self._turn_from = self._turn_before_from

    def turn_settled(self) -> None:
        """The turn that was taken last cannot be given back any more."""
        self._turn_before_from = self._turn_from
        self._ring.forget(self._turn_from)

    async def close(self) -> None:
        """Close the streams; no words are fed afterwards."""
        self._closed = True
        self._watch.close()
        self._machine.close()
        self._perform_all()
        if self._timer is not None:
            self._timer.cancel()
        self._ring.release()  # an ended call lies about until the collector comes
        if self._closing:
            await asyncio.wait(self._closing)

    # --- what the machine wants -------------------------------------------------------------------

    def _perform_all(self) -> None:
        changed = False
        while (output := self._machine.next_output()) is not None:
            changed = True
            self._perform(output)
        if changed:
            self._arm()

    def _perform(self, output: Output) -> None:
        match output:
            case OpenStream(stream=number, choice=choice):
                line = self._lines[number] = Line(choice)
                self._ears.asked(choice, is_first=number == 1)
                self._note_doubt(number)
                line.task = self._loop.create_task(self._open(number, line))
            case CloseStream(stream=number):
                self._close_line(self._lines.pop(number))
            case TellDeaf(choice=choice):
                name = self._ears.recognisers[choice].name
                logger.warning("call %s: %s hears nothing", self._request.call_id, name)
                self._ears.deaf(choice)
            case TellBroken(choice=choice):
                self._ears.failed(choice, RecogniserFailed("its connection broke", True))
            case AskEverybody():
                self._ears.ask_everybody(self._nobody_hears)
            case CallIsDeaf(reason=reason):
                self._on_lost(reason)
            case _:
                assert_never(output)

    def _note_doubt(self, opened: int) -> None:
        """A stream is opened beside the one that is listened to, which never brought a word."""
        listened = self._lines.get(self._machine.listened)
        if listened is not None and self._machine.listened != opened and not listened.has_words:
            self._ears.doubted(listened.choice)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._machine.next_deadline()
        if at is not None and not self._closed:
            self._timer = self._loop.call_at(at, self._handle_deadline)

    def _handle_deadline(self) -> None:
        self._timer = None
        self._machine.handle_deadline(now=self._loop.time())
        self._perform_all()
        self._arm()

    async def _open(self, number: int, line: Line) -> None:
        recogniser = self._ears.recognisers[line.choice]
        try:
            stream = await recogniser.open(self._request, functools.partial(self._heard, number))
        except Exception as error:  # noqa: BLE001 - whatever it is, the call must not go deaf
            if number in self._lines:
                self._ears.failed(line.choice, error)
            self._failed(number, *reason_of(error))
            return
        if self._lines.get(number) is not line:  # it was given up before it was handed over
            await close_quietly(stream, self._request.call_id)
            return
        now = self._loop.time()
        if self._taken is not None and now - self._taken[0] >= TAKEN_IS_KNOWN_AFTER_S:
            self._ring.commit(self._taken[1])
        line.began, is_quiet = self._ring.replay_from()
        line.overlaps = "" if is_quiet else self._last_final
        line.stream = stream
        self._streams.append(stream)
        stream.write(self._ring.read(line.began))
        line.live_from = self._ring.samples
        self._ears.opened(line.choice)
        self._machine.opened(number, now=now)
        self._note_replaced(now)
        self._perform_all()
        self._arm()

    def _note_replaced(self, now: float) -> None:
        line = self._lines.get(self._machine.listened)
        if self._unheard_since is not None and line is not None and line.stream is not None:
            self._ears.replaced(now - self._unheard_since)
            self._unheard_since = None

    def _close_line(self, line: Line) -> None:
        if line.stream is not None:
            self._streams.remove(line.stream)
            task = self._loop.create_task(close_quietly(line.stream, self._request.call_id))
        elif line.task is not None and line.task is not asyncio.current_task():
            line.task.cancel()
            task = line.task
        else:
            return
        if not task.done():
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _nobody_hears(self) -> None:
        self._machine.nobody_hears()
        self._perform_all()

    # --- what the services say --------------------------------------------------------------------

    def _heard(self, number: int, event: RecogniserEvent) -> None:
        line = self._lines.get(number)
        if self._closed or line is None:
            return
        event = believable(event, (self._ring.samples - line.began) / SAMPLE_RATE_HZ)
        match event:
            case InterimTranscript(text=text, end_s=end_s):
                if self._counts(number, text, end_s):
                    self._interim(line, text, end_s)
            case FinalTranscript(text=text, end_s=end_s, language=language):
                if self._counts(number, text, end_s):
                    self.spoken_language = language if has_words(text) else self.spoken_language
                    self._final(line, text, end_s)
            case RecogniserInterrupted() | RecogniserFailed():
                self._broke(number, line, event)
            case TurnEndHinted(text=text, end_s=end_s, probability=probability):
                if self._counts(number, text, end_s):
                    hint = TurnEndHinted(line.fresh(text), line.media_s(end_s), probability)
                    self._feed(hint)
            case TurnResumed(end_s=end_s):
                if number == self._machine.listened:
                    self._feed(TurnResumed(line.media_s(end_s)))
            case SpeechNoticed():
                pass  # our own detector is quicker
            case _:
                assert_never(event)

    def _broke(
        self, number: int, line: Line, event: RecogniserInterrupted | RecogniserFailed
    ) -> None:
        if isinstance(event, RecogniserFailed):
            self._ears.failed(line.choice, event)
            self._failed(number, event.message, event.retryable)
        else:
            self._machine.interrupted(number, now=self._loop.time())
            self._perform_all()

    def _counts(self, number: int, text: str, end_s: float) -> bool:
        if not has_words(text):
            return number == self._machine.listened
        ended_at = self._lines[number].began + round(end_s * SAMPLE_RATE_HZ)
        is_new = end_s <= 0.0 or ended_at >= self._heard_to + SURELY_NEW_SAMPLES
        self._heard_to = max(self._heard_to, ended_at)  # words may come again, or late
        rest_s = self._ring.speech_s(self._heard_to) if end_s > 0.0 else 0.0
        counts = self._machine.words_came(
            number, now=self._loop.time(), uncovered_s=rest_s, is_new=is_new
        )
        self._perform_all()
        if counts:
            self._ears.understood()
            self._watch.understood(now=self._loop.time())
        return counts

    def _interim(self, line: Line, text: str, end_s: float) -> None:
        lag_s = line.lag_s(text, end_s, self._ring.samples)
        if lag_s is not None:
            self._ears.came(line.choice, lag_s)
        self._feed(voice.InterimHeard(line.fresh(text), line.media_s(end_s)))

    def _final(self, line: Line, text: str, end_s: float) -> None:
        if has_words(text):
            self._ring.commit(line.began + round(end_s * SAMPLE_RATE_HZ))
            text = line.fresh(text)
            line.overlaps = ""
            line.is_measured = False
            self._last_final = text
            if not line.has_words:
                line.has_words = True
                self._ears.heard(line.choice)
        self._feed(voice.FinalHeard(text, line.media_s(end_s)))

    def _failed(self, number: int, message: str, retryable: bool) -> None:
        if number not in self._lines:
            return
        logger.warning("call %s: recogniser: %s", self._request.call_id, message)
        if number == self._machine.listened and self._unheard_since is None:
            self._unheard_since = self._loop.time()
        self._machine.failed(number, message, retryable=retryable, now=self._loop.time())
        self._perform_all()
        self._note_replaced(self._loop.time())
        self._arm()


def _request(call_id: str, agent: Agent) -> RecogniseRequest:
    others = tuple(spoken.language for spoken in agent.languages)
    return RecogniseRequest(call_id, agent.language, agent.hints, others)
