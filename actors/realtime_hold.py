"""One live call for as long as a Realtime model hears and speaks it.

The same socket, the same mind, the same record as in the pipeline: audio goes between carrier and
service without a change, and the mind is told texts and asked about tools. Decisions are made by
``providers.realtime.call``; every callback does one mutation of it and then performs its outputs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, assert_never

from actors.call_ending import CallEnding
from actors.call_language import CallLanguage
from actors.call_parts import CallEnd, CallParts, end_after, end_of_stop
from actors.call_times import elsewhere, spent_s
from actors.comeback import Comeback, call_started
from actors.mind_client import MindClient
from actors.outbox import Outbox
from actors.realtime_history import conversation_of
from actors.realtime_link import LinkEnds, RealtimeLink
from actors.realtime_remains import GIVEN_UP, Remains
from actors.realtime_tools import ToolTasks
from actors.realtime_turns import RealtimeTurns
from dialogue.agent import Agent
from dialogue.variables import personal
from providers.realtime.call import RealtimeCall
from providers.realtime.outputs import DropSession, Input, Output, Tell, UseTool
from providers.traces import trace_of
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

logger = logging.getLogger(__name__)

MAX_UNHEARD_FRAMES = 500
STREAM_SILENT_S = 60.0


class RealtimeHold:
    """One call on one media stream.

    Args:
        agent: The agent that answers.
        config: The voice machine's configuration; playout, barge-in and silence count here too.
        parts: Shared parts of the process; one of them is the service.
        mind: This call's mind.
        stream: The media stream, already started.
        send: Sends one text frame to the carrier.
        comeback: What the carrier did with the call before; None for a new call, or one whose
            stream was lost.
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
        service = parts.realtime
        if service is None:
            raise ValueError("there is no service in parts.realtime")
        self._parts = parts
        self._mind = mind
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._writer = StreamWriter(stream.stream_sid)
        self._machine = RealtimeCall(agent, service.config, config)
        ending = CallEnding(mind)
        self._ended, self._end = ending.ended, ending.end
        self._outbox = Outbox(send, on_lost=lambda why: self._end(False, f"stream_lost: {why}"))
        self._tools = ToolTasks(mind, self._feed, ending.disowned)
        speaking = personal(agent, mind.call.variables)
        self._language = CallLanguage(speaking, config, parts, self._change_language)
        self._link = RealtimeLink(
            service,
            speaking,
            mind.call_id,
            LinkEnds(
                feed=self._feed,
                conversation=lambda: conversation_of(
                    self._language.agent,
                    mind.turn_log,
                    self._machine.open_turns,
                    self._turns.comeback,
                ),
                replay_from=lambda: self._machine.replay_from,
                given_up=self._given_up,
            ),
        )
        self._turns = RealtimeTurns(
            parts, mind, self._machine, self._link, self._tools, self._language, comeback
        )
        self._frames: deque[bytes] = deque()
        self._began_at = self._started_at = self._last_message_at = self._loop.time()
        self._time_up = False
        self._leaving: Mapping[str, Any] = {}
        self._hung_up_for = ""
        self._comes_back = comeback is not None  # from where we have sent it
        self._is_open = False
        self._slot: int | None = None
        self._why = ""
        self._early: list[Input] | None = []

    def _change_language(self) -> None:
        self._machine.change_language(self._language.config)
        self._link.change_language(self._language.agent)

    # --- the call's life ---------------------------------------------------------------------

    async def run(self) -> CallEnd:
        """Hold the call until it ends; whatever happens, the mind is told and tasks are gone."""
        self._link.start()
        try:
            end = await self._hold()
        except Exception as error:  # noqa: BLE001 - the call ends, whatever it is
            end = end_after(error, self._mind.call_id)
        if end is GIVEN_UP:
            return end
        self._leave()
        if self._is_open:
            await self._finish(end)
        else:
            await asyncio.gather(self._outbox.close(), self._link.close())
        return end

    async def _hold(self) -> CallEnd:
        opened = await self._mind.open()
        self._is_open = True
        if self._ended.done():  # the socket went while the mind was opened
            return self._ended.result()
        self._slot = self._parts.clock.join(self)
        log = self._mind.turn_log
        self._language.recall(log)
        comeback = self._turns.comeback
        self._started_at -= spent_s(log, comeback, now_us=self._parts.wall_clock_us())
        early, self._early = self._early, None
        self._feed(call_started(opened, self._language.agent, comeback, log))
        for event in early or ():
            self._feed(event)
        return await self._ended

    def _leave(self) -> None:
        if self._slot is not None:
            self._parts.clock.leave(self._slot)
            self._slot = None
        self._tools.cancel()
        self._turns.cancel()

    async def _finish(self, end: CallEnd) -> None:
        """Settle the turn in flight, tell the mind, close the session, then let the socket go."""
        self._settle_all()
        try:
            closing = self._mind.close(
                planned=end.planned,
                reason=end.reason,
                usage=self._turns.units(),
                hand_over=end.hand_over,
            )
            await asyncio.gather(closing, self._link.close())
        finally:
            await self._outbox.close()

    def _settle_all(self) -> None:
        try:
            self._machine.close(now=self._loop.time())
            self._perform_all()
        except Exception as error:  # noqa: BLE001 - the mind is told all the same
            logger.error("call %s: last turn not settled: %s", self._mind.call_id, trace_of(error))

    # --- the service is given up -------------------------------------------------------------

    def _given_up(self, why: str) -> None:
        self._why = why
        self._parts.count("realtime_given_up", 1)
        if not self._ended.done():
            self._ended.set_result(GIVEN_UP)

    async def let_go(self) -> Remains:
        """Settle what was under way, and leave the socket and the mind to somebody else."""
        unanswered, was_cut = self._machine.unanswered_from, self._machine.was_cut
        audio = b"" if unanswered is None else self._link.audio_since(unanswered)
        is_new = not self._mind.turn_log
        self._leave()
        self._settle_all()
        self._turns.settle_given_up(self._why)
        await asyncio.gather(self._outbox.close(), self._link.close())
        return Remains(audio, is_new, was_cut, self._turns.comeback)

    # --- what comes in ----------------------------------------------------------

    def _end_of_stop(self) -> tuple[bool, str]:
        was_lost = self._mind.epoch[0] and not self._comes_back
        resumed_s = self._loop.time() - self._began_at if was_lost else None
        return end_of_stop(self._parts.clock, self._hung_up_for, resumed_s=resumed_s)

    def received(self, text: str | bytes) -> None:
        """One message of the carrier. Raises ``telephony.errors`` when the stream must be shut."""
        now = self._loop.time()
        self._last_message_at = now
        self._stream.receive(text, now=now)
        while (event := self._stream.next_event()) is not None:
            match event:
                case AudioReceived(ulaw=ulaw):
                    self._audio(ulaw)
                case MarkReceived(name=name):
                    self._feed(voice.MarkPlayed(name))
                case DtmfReceived(digit=digit):
                    self._turns.pressed()
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

    def end(self, reason: str, close_code: int = 1000, *, planned: bool) -> None:
        """The socket is gone or shut, or the carrier says that the call is over."""
        self._end(planned, (self._hung_up_for if planned else "") or reason, close_code)

    def hang_up(self, reason: str, farewell: str | None) -> None:
        """End the call politely: say ``farewell``, then close as planned."""
        if farewell is None and not self._hung_up_for:
            self._hung_up_for = reason
        self._feed(voice.HangUpRequested(reason, farewell))

    def go_elsewhere(self, mode: str = "") -> None:
        """End this stream between two turns; the carrier opens another one elsewhere."""
        self._leaving = elsewhere(mode)

    def _audio(self, ulaw: bytes) -> None:
        self._link.write(ulaw)
        begins = range(0, len(ulaw), FRAME_SAMPLES)
        self._frames.extend(ulaw[i : i + FRAME_SAMPLES] for i in begins)
        while len(self._frames) > MAX_UNHEARD_FRAMES:
            self._frames.popleft()

    # --- the shared clock (TickedCall) -------------------------------------------------------

    def take_frame(self) -> bytes | None:
        """The oldest frame that was not scored yet."""
        return self._frames.popleft() if self._frames else None

    def frame_scored(self, is_speech: bool, level_db: float, now: float) -> None:
        """One frame was scored."""
        self._machine.receive(voice.FrameHeard(is_speech, level_db), now=now)
        self._perform_all()

    def tick(self, now: float) -> None:
        """20 ms have passed."""
        deadline = self._machine.next_deadline()
        if deadline is not None and deadline <= now:
            self._machine.handle_deadline(now=now)
            self._perform_all()
        self._link.tick(is_quiet=self._machine.is_quiet, now=now)
        if self._leaving and self._is_open and self._machine.is_between_turns:
            self._end(True, "switching", hand_over=self._leaving)
        if now - self._last_message_at > STREAM_SILENT_S:
            self._end(False, "stream_silent")
        if not self._time_up and now - self._started_at > self._language.agent.max_call_s:
            self._time_up = True
            self._feed(voice.HangUpRequested("time_limit", self._language.agent.phrases.goodbye))
        self._turns.tick(now)

    def broken(self, error: Exception) -> None:
        """The machine has raised: this stream cannot go on, a new one can."""
        self._end(False, f"internal: {type(error).__name__}", 1011)

    # --- the machine's outputs ---------------------------------------------------------------

    def _feed(self, event: Input) -> None:
        """One mutation, then everything the machine wants done; no await in between."""
        if self._early is not None:
            self._early.append(event)
            return
        try:
            self._machine.receive(event, now=self._loop.time())
            self._perform_all()
        except Exception as error:  # noqa: BLE001 - no reader of a socket would say so
            logger.error("call %s: its machine broke: %s", self._mind.call_id, trace_of(error))
            self.broken(error)

    def _perform_all(self) -> None:
        while (output := self._machine.next_output()) is not None:
            self._perform(output)

    def _perform(self, output: Output) -> None:
        match output:
            case Tell(message=message):
                self._link.send(message)
            case voice.SendAudio(ulaw=ulaw):
                self._turns.sent_samples += len(ulaw)
                self._outbox.put(self._writer.media(ulaw))
            case voice.SendMark(name=name):
                self._outbox.put(self._writer.mark(name))
            case voice.ClearPlayout():
                self._outbox.drop_waiting()
                self._outbox.put(self._writer.clear())
            case UseTool():
                self._tools.ask(output)
            case DropSession(error=error):
                self._link.drop(error)
            case voice.TurnSettled():
                self._settle(output)
            case voice.EndCall(reason=reason, hand_over=hand_over):
                self._end(True, reason, hand_over=hand_over)
            case _:
                assert_never(output)

    def _settle(self, settled: voice.TurnSettled) -> None:
        if settled.heard_text:
            self._link.answered()
        self._turns.settle(settled)
        if not self._ended.done():
            self._turns.tell(self._loop.time())
