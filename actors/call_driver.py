"""One live call in the ingress: feeds the ear, performs what the mouth wants, asks the mind.

The driver owns what is no decision: the recogniser's stream, the tasks that think and speak, the
socket's queue. ``VoiceSession`` decides. Every callback does one mutation of it and then performs
all its outputs (``_feed``); nothing awaits in between, so that no task can tear a turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import assert_never

from actors.call_ending import CallEnding
from actors.call_language import CallLanguage
from actors.call_parts import CallEnd, CallParts, end_after, end_of_stop
from actors.call_times import CallTimes, spent_s
from actors.comeback import Comeback, call_started
from actors.first_frames import FirstFrames
from actors.metrics_calls import CallMeter, CallSums
from actors.mind_client import MindClient
from actors.outbox import Outbox
from actors.pause_judge import PauseJudge
from actors.recogniser_feed import RecogniserFeed
from actors.reply_tasks import ReplyTasks
from actors.settled_turns import SettledTurns
from actors.wire import TurnEntry
from dialogue.agent import Agent
from telephony.errors import StreamRefused
from telephony.media_stream import MediaStream
from telephony.messages import StreamWriter
from telephony.stream_events import (
    AudioReceived,
    DtmfReceived,
    MarkReceived,
    ProtocolWarning,
    StreamStarted,
    StreamStopped,
)
from voice import events as voice
from voice.config import VoiceConfig
from voice.ports import FRAME_SAMPLES
from voice.session import VoiceSession

logger = logging.getLogger(__name__)

__all__ = ["CallDriver", "CallEnd", "CallParts"]

MAX_UNHEARD_FRAMES = 500  # 10 s of backlog: the process is overloaded, the oldest go first
STREAM_SILENT_S = 60.0  # no message of any kind from the carrier: the peer is gone
SIGN_OF_LIFE_S = 60.0  # a CallActor that hears nothing for 300 s gives the call up


class CallDriver:
    """One call on one media stream.

    Args:
        agent: The agent that answers.
        config: The machine's configuration.
        parts: Shared parts of the process.
        mind: This call's mind.
        stream: The media stream, already started.
        send: Sends one text frame to the carrier.
        comeback: What the carrier did with the call before; None for a new one, or a lost stream.
    """

    def __init__(
        self,
        agent: Agent,
        config: VoiceConfig,
        parts: CallParts,
        mind: MindClient,
        stream: MediaStream,
        send: Callable[[str], Awaitable[None]],
        comeback: Comeback | None = None,
    ) -> None:
        self._language = CallLanguage(agent, config, parts, self._speak_otherwise)
        self._parts = parts
        self._mind = mind
        self._stream = stream
        self._writer = StreamWriter(stream.stream_sid)
        budget = parts.budgets.of(agent.tenant_id, config.speculation.max_waste_ratio)
        sounds = parts.speech.filler_sounds(agent, mind.call_id)
        self._session = VoiceSession(config, sounds, budget)
        self._loop = asyncio.get_running_loop()
        ending = CallEnding(mind)
        self._ended, self._end = ending.ended, ending.end
        self._outbox = Outbox(send, on_lost=lambda why: self._end(False, f"stream_lost: {why}"))
        self._ear = RecogniserFeed(
            parts.ears, agent, mind.call_id, self._feed, on_lost=self._recogniser_lost
        )
        self._pauses = PauseJudge(parts, self._ear, self._feed)
        self._meter = CallMeter(parts.meter, mind.call_id, budget)
        self._turns = SettledTurns(mind, self._language, self._meter, comeback)
        self._sent_samples = 0
        self._first_frames = FirstFrames(self._loop.time)
        self._frames: deque[bytes] = deque()
        self._replies = ReplyTasks(
            agent,
            mind,
            parts.speech,
            self._feed,
            parts.count,
            budget=budget,
            on_refused=ending.disowned,
        )
        self._began_at = self._last_message_at = self._mind_heard_at = self._loop.time()
        self._times = CallTimes(agent, config, now=self._last_message_at)
        self._hung_up_for = ""
        self._comes_back = comeback is not None  # from where we have sent it
        self._is_open = False
        self._slot: int | None = None
        # What comes before the mind has the call waits for it.
        self._early: list[voice.Input] | None = []

    # --- the call's life ---------------------------------------------------------------------

    async def run(self) -> CallEnd:
        """Hold the call until it ends; whatever happens, the mind is told and tasks are gone."""
        try:
            end = await self._hold()
        except Exception as error:  # noqa: BLE001 - the call ends, whatever it is
            end = end_after(error, self._mind.call_id)
        finally:
            if self._slot is not None:
                self._parts.clock.leave(self._slot)
            self._replies.cancel_all()
            self._pauses.cancel()
            self._turns.cancel()
            if not self._is_open:
                await self._outbox.close()
        try:
            if self._is_open:
                await self._finish(end)
        finally:
            self._let_go()
        return end

    async def _hold(self) -> CallEnd:
        opened = await self._mind.open()
        self._is_open = True
        if self._ended.done():  # the socket went while the mind was opened
            return self._ended.result()
        self._slot = self._parts.clock.join(self)
        log, comeback = self._mind.turn_log, self._turns.comeback
        self._language.recall(log)
        self._times.count_in(spent_s(log, comeback, now_us=self._parts.wall_clock_us()))
        # The carrier has ended no stream of its own accord: what was asked then still stands.
        is_lost = comeback is None
        first = call_started(opened, self._language.agent, comeback, log, is_lost=is_lost)
        if first.resume_text and first.unanswered:
            first = replace(first, resume_audio=self._replies.ready(first.resume_text))
        self._ear.start()
        early, self._early = self._early, None
        self._feed(first)
        for event in early or ():
            self._feed(event)
        return await self._ended

    async def _finish(self, end: CallEnd) -> None:
        """Settle the turn in flight, tell the mind, close the ear, then let the socket go."""
        self._turns.settle_last(self._close_session)
        try:
            await asyncio.gather(
                self._mind.close(
                    planned=end.planned,
                    reason=end.reason,
                    usage={**self._units(), **self._replies.unsettled_units()},
                    hand_over=end.hand_over,
                ),
                self._ear.close(),
            )
        finally:
            await self._outbox.close()

    def _let_go(self) -> None:
        """Nothing is done any more: let go of who knows us, so that all of it is freed now.

        In a circle it would wait for the collector, which comes once in some 70 calls.
        """
        self._early = []  # what comes late is not looked at, and goes with us
        del self._language, self._session, self._outbox, self._ear
        del self._pauses, self._turns, self._replies

    def _close_session(self) -> None:
        self._session.close(now=self._loop.time())
        self._perform_all()

    # --- what comes in -----------------------------------------------------------------------

    def received(self, text: str | bytes) -> None:
        """One message of the carrier. Raises ``telephony.errors`` when the stream must be shut."""
        now = self._last_message_at = self._loop.time()
        audio = self._stream.receive_audio(text, now=now)
        if audio is not None:
            self._audio(audio.ulaw)
        else:
            self._drain_stream()

    def _end_of_stop(self) -> tuple[bool, str]:
        was_lost = self._mind.epoch[0] and not self._comes_back
        resumed_s = self._loop.time() - self._began_at if was_lost else None
        return end_of_stop(self._parts.clock, self._hung_up_for, resumed_s=resumed_s)

    def _drain_stream(self) -> None:
        while (event := self._stream.next_event()) is not None:
            match event:
                case AudioReceived(ulaw=ulaw):
                    self._audio(ulaw)
                case MarkReceived(name=name):
                    self._feed(voice.MarkPlayed(name))
                case DtmfReceived(digit=digit):
                    self._meter.pressed()
                    self._feed(voice.DigitPressed(digit))
                case StreamStopped():
                    self._end(*self._end_of_stop())
                case ProtocolWarning(error=error):
                    self._parts.count("protocol_warnings", 1)
                    logger.info("call %s: message ignored: %s", self._mind.call_id, error)
                case StreamStarted():
                    pass  # the door has read it
                case _:
                    assert_never(event)

    def disconnected(self, code: int) -> None:
        """The socket closed without a ``stop`` (or after one)."""
        self._end(False, f"stream_lost: closed with {code}")

    def shut(self, reason: str, close_code: int) -> None:
        """End this stream from our side, unplanned: a violation, or a newer owner."""
        self._end(False, reason, close_code)

    def go_elsewhere(self, mode: str = "") -> None:
        """End this stream between two turns; the carrier opens another one elsewhere."""
        self._times.go_elsewhere(mode, now=self._loop.time())

    @property
    def turn_log(self) -> tuple[TurnEntry, ...]:
        """Every settled turn of the call so far."""
        return self._mind.turn_log

    @property
    def mind(self) -> MindClient:
        """The mind of this call."""
        return self._mind

    def carrier_ended(self, state: str) -> None:
        """The carrier's status callback says that the call is over."""
        self._end(True, self._hung_up_for or f"carrier_{state}")

    def _audio(self, ulaw: bytes) -> None:
        self._ear.write(ulaw)
        if len(ulaw) == FRAME_SAMPLES:
            self._frames.append(ulaw)
        else:
            begins = range(0, len(ulaw), FRAME_SAMPLES)
            self._frames.extend(ulaw[i : i + FRAME_SAMPLES] for i in begins)
        while len(self._frames) > MAX_UNHEARD_FRAMES:
            self._frames.popleft()
            self._parts.count("frames_dropped", 1)

    # --- the shared clock (TickedCall) -------------------------------------------------------

    def take_frame(self) -> bytes | None:
        """The oldest frame that was not scored yet."""
        return self._frames.popleft() if self._frames else None

    def frame_scored(self, is_speech: bool, level_db: float, now: float) -> None:
        """One frame was scored."""
        self._ear.scored(is_speech=is_speech, now=now)
        self._session.hear_frame(is_speech, level_db, now=now)
        self._perform_all()

    def tick(self, now: float) -> None:
        """20 ms have passed."""
        if (due := self._stream.next_deadline()) is not None and due <= now:
            self._fill_silence(now)
        if (due := self._session.next_deadline()) is not None and due <= now:
            self._session.handle_deadline(now=now)
            self._perform_all()
        if now - self._last_message_at > STREAM_SILENT_S:
            self._end(False, "stream_silent")
        if now >= self._times.look_at:
            action = self._times.switch(now=now)
            if action and self._session.is_between_turns:
                self._end(True, "switching", hand_over=action)
            if self._times.is_up(now=now):
                self._feed(voice.HangUpRequested("time_limit", self._times.farewell))
        if now - self._mind_heard_at >= SIGN_OF_LIFE_S:
            self._tell_mind(now, even_if_empty=True)

    def broken(self, error: Exception) -> None:
        """The machine has raised: this stream cannot go on, a new one can."""
        self._end(False, f"internal: {type(error).__name__}", 1011)

    def _fill_silence(self, now: float) -> None:
        try:
            self._stream.handle_deadline(now=now)
            self._drain_stream()
        except StreamRefused as error:
            self._end(False, f"protocol: {type(error).__name__}", 1008)

    def hang_up(self, reason: str, farewell: str | None) -> None:
        """End the call politely: say ``farewell``, then close as planned."""
        # The carrier may be told as well, and close the stream first: this is the reason all the
        # same, unless there is a farewell which the caller did not wait for.
        if farewell is None and not self._hung_up_for:
            self._hung_up_for = reason
        self._feed(voice.HangUpRequested(reason, farewell))

    def _recogniser_lost(self, reason: str) -> None:
        logger.warning("call %s: recogniser lost for good: %s", self._mind.call_id, reason)
        self._feed(voice.HangUpRequested("recogniser_lost", self._times.trouble, is_trouble=True))

    # --- the machine's outputs ---------------------------------------------------------------

    def _feed(self, event: voice.Input) -> None:
        """One mutation, then everything the machine wants done; no await in between."""
        if self._early is not None:
            self._early.append(event)
            return
        self._session.receive(event, now=self._loop.time())
        self._perform_all()

    def _perform_all(self) -> None:
        while (output := self._session.next_output()) is not None:
            self._perform(output)

    def _perform(self, output: voice.Output) -> None:
        match output:
            case voice.SendAudio(ulaw=ulaw):
                self._sent_samples += len(ulaw)
                self._outbox.put(self._writer.media(ulaw), self._first_frames.watch(output))
            case voice.SendMark(name=name):
                self._outbox.put(self._writer.mark(name))
            case voice.ClearPlayout():
                self._outbox.drop_waiting()
                self._outbox.put(self._writer.clear())
            case voice.JudgeTurn(pause_id=pause_id):
                self._pauses.ask(pause_id)
            case voice.Synthesise() | voice.PauseSpeech() | voice.ResumeSpeech():
                self._replies.perform(output)
            case voice.BeginTurn() | voice.CommitTurn() | voice.RetractTurn() | voice.AbandonTurn():
                self._replies.perform(output)
                self._meter.follow(output)
                if isinstance(output, voice.CommitTurn):
                    self._parts.count("turns_committed", 1)
                    self._ear.turn_taken(now=self._loop.time())
                elif isinstance(output, voice.RetractTurn):
                    self._ear.turn_given_back()
            case voice.TurnSettled():
                self._settle(self._first_frames.told(output))
            case voice.EndCall(reason=reason, hand_over=hand_over):
                self._end(True, reason, hand_over=hand_over)
            case _:
                assert_never(output)

    def _settle(self, settled: voice.TurnSettled) -> None:
        at_us = self._parts.wall_clock_us()
        entry = self._replies.settle(settled, at_us=at_us, usage=self._units())
        self._turns.settle(settled, entry, self._ear.spoken_language)
        self._ear.turn_settled()
        if not self._ended.done():
            self._tell_mind(self._loop.time())

    def _speak_otherwise(self) -> None:
        self._ear.change_language(self._language.parts.ears, self._language.agent)
        self._pauses.change_language(self._language.parts)
        self._replies.change_language(self._language.agent, self._language.parts.speech)
        self._times.change_language(self._language.config)
        sounds = self._language.sounds(self._mind.call_id)
        self._session.change_language(self._language.config, sounds)

    def _units(self) -> dict[str, float]:
        """Provider units of the whole call that were used since the last time."""
        sums = CallSums(
            self._ear.samples, self._sent_samples, self._session.underruns, self._mind.replacements
        )
        return self._meter.units(sums)

    def _tell_mind(self, now: float, *, even_if_empty: bool = False) -> None:
        self._mind_heard_at = now
        self._turns.tell(even_if_empty=even_if_empty)
