"""The driver of a call whose agent hears and speaks by a Realtime model (``mode: realtime``).

While the service does its work, ``RealtimeHold`` holds the call. When it is given up in mid-call,
the pipeline takes the call over on the same socket and with the same mind, if the agent names it
(``mode: [realtime, pipeline]``): what was heard is known, and what the caller said last is heard
again. Otherwise the caller hears that there is trouble, and the call ends, or goes to the person
whom ``on_trouble`` names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from actors.call_driver import CallDriver
from actors.call_parts import CallEnd, CallParts
from actors.comeback import Comeback
from actors.mind_client import MindClient
from actors.outbox import Outbox
from actors.realtime_hold import RealtimeHold
from actors.realtime_remains import GIVEN_UP, Remains
from actors.wire import TurnEntry
from dialogue.agent import Agent
from dialogue.variables import personal
from telephony.media_stream import MediaStream
from telephony.messages import StreamWriter
from voice.config import VoiceConfig
from voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ, SpeakRequest

logger = logging.getLogger(__name__)

CARRIED_ON = "carried_on"


class _Successor(CallDriver):
    """The pipeline that takes a call over."""

    def hear_again(self, ulaw: bytes) -> None:
        """What the caller has said and nobody has answered; of its beginning, whole frames."""
        self._audio(ulaw[len(ulaw) % FRAME_SAMPLES :])


class RealtimeDriver:
    """One call on one media stream; a ``LiveDriver``.

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
        self._agent = agent
        self._config = config
        self._parts = parts
        self._mind = mind
        self._stream = stream
        self._send = send
        self._hold = RealtimeHold(agent, config, parts, mind, stream, send, comeback)
        self._successor: _Successor | None = None
        # What comes while the call changes hands.
        self._between: list[str | bytes] | None = None
        self._end_meanwhile: CallEnd | None = None
        # Whatever the hold was asked for and has not done is for its successor to do.
        self._asked: list[Callable[[CallDriver], None]] = []

    async def run(self) -> CallEnd:
        """Hold the call until it ends; whatever happens, the mind is told and tasks are gone."""
        end = await self._hold.run()
        if end is not GIVEN_UP:
            return end
        self._between = []
        remains = await self._hold.let_go()
        if "pipeline" not in self._agent.then_modes:
            return await self._say_trouble()
        logger.warning("call %s: the pipeline takes over", self._mind.call_id)
        successor = self._successor = self._pipeline(remains)
        successor.hear_again(remains.audio)
        between, self._between = self._between, None
        for text in between:
            successor.received(text)
        for ask in self._asked:
            ask(successor)
        if self._end_meanwhile is not None:
            successor.shut(self._end_meanwhile.reason, self._end_meanwhile.close_code)
        return await successor.run()

    def _pipeline(self, remains: Remains) -> _Successor:
        says = self._agent.phrases.resume if remains.was_cut else ""
        if remains.is_new:
            says = personal(self._agent, self._mind.call.variables).greeting
        before = remains.comeback or Comeback(CARRIED_ON)
        return _Successor(
            self._agent,
            self._config,
            self._parts,
            self._mind,
            self._stream,
            self._send,
            replace(before, says="" if remains.audio else says),
        )

    async def _say_trouble(self) -> CallEnd:
        """Nobody is left to speak: say what was rendered before, then end or hand over."""
        request = SpeakRequest(
            self._mind.call_id, self._agent.trouble, self._agent.voice, self._agent.language
        )
        clip = self._parts.speech.ready_clip(request)
        outbox = Outbox(self._send, on_lost=lambda _why: None)
        if clip is not None:
            outbox.put(StreamWriter(self._stream.stream_sid).media(clip.ulaw))
            await asyncio.sleep(len(clip.ulaw) / SAMPLE_RATE_HZ)
        hand_over = self._config.trouble_action
        end = self._end_meanwhile or CallEnd(True, "provider_trouble", hand_over=hand_over)
        await self._mind.close(planned=end.planned, reason=end.reason, hand_over=end.hand_over)
        await outbox.close()
        return end

    # --- what comes in -----------------------------------------------------------------------

    @property
    def turn_log(self) -> tuple[TurnEntry, ...]:
        """Every settled turn of the call so far."""
        return self._mind.turn_log

    @property
    def mind(self) -> MindClient:
        """The mind of this call."""
        return self._mind

    def received(self, text: str | bytes) -> None:
        """One message of the carrier. Raises ``telephony.errors`` when the stream must be shut."""
        if self._successor is not None:
            self._successor.received(text)
        elif self._between is not None:
            self._between.append(text)
        else:
            self._hold.received(text)

    def disconnected(self, code: int) -> None:
        """The socket closed without a ``stop`` (or after one)."""
        if self._successor is not None:
            self._successor.disconnected(code)
        else:
            self._ends(CallEnd(False, f"stream_lost: closed with {code}"))

    def shut(self, reason: str, close_code: int) -> None:
        """End this stream from our side, unplanned: a violation, or a newer owner."""
        if self._successor is not None:
            self._successor.shut(reason, close_code)
        else:
            self._ends(CallEnd(False, reason, close_code))

    def carrier_ended(self, state: str) -> None:
        """The carrier's status callback says that the call is over."""
        if self._successor is not None:
            self._successor.carrier_ended(state)
        else:
            self._ends(CallEnd(True, f"carrier_{state}"))

    def hang_up(self, reason: str, farewell: str | None) -> None:
        """End the call politely: say ``farewell``, then close as planned."""
        if self._successor is not None:
            self._successor.hang_up(reason, farewell)
            return
        self._asked.append(lambda driver: driver.hang_up(reason, farewell))
        if self._between is None:
            self._hold.hang_up(reason, farewell)

    def go_elsewhere(self, mode: str = "") -> None:
        """End this stream between two turns; the carrier opens another one elsewhere."""
        if self._successor is not None:
            self._successor.go_elsewhere(mode)
            return
        self._asked.append(lambda driver: driver.go_elsewhere(mode))
        if self._between is None:
            self._hold.go_elsewhere(mode)

    def _ends(self, end: CallEnd) -> None:
        if self._between is not None:
            self._end_meanwhile = self._end_meanwhile or end
        self._hold.end(end.reason, end.close_code, planned=end.planned)
