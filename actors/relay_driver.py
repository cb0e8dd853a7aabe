"""One relayed call in the ingress: the carrier's words go in, ours go out, the mind is asked.

The driver owns everything of the call that is not a decision: the tasks that think, the queue of
the socket, one timer. Decisions are made by ``RelaySession``. Every callback does one mutation of
the machine and then performs all its outputs; nothing awaits in between.

There is no clock of frames here: between two words of anybody nothing runs, so that thousands of
such calls cost what they say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import assert_never

from actors.call_ending import CallEnding
from actors.call_language import CallLanguage
from actors.call_parts import CallEnd, CallParts, end_after
from actors.call_times import CallTimes, spent_s
from actors.comeback import call_started
from actors.metrics_calls import CallMeter, CallSums
from actors.mind_client import MindClient
from actors.outbox import Outbox
from actors.relay_hearing import event_of
from actors.relay_opening import RelayOpening
from actors.relay_replay import ReplayGuard
from actors.reply_tasks import ReplyTasks
from actors.settled_turns import SettledTurns
from actors.wire import CallOpened, TurnEntry
from dialogue.agent import Agent
from providers.traces import trace_of
from telephony.errors import LocalProtocolError
from telephony.relay_messages import CarrierComplaint, RelayMessage, Setup, UnknownMessage
from telephony.relay_writer import (
    digits_message,
    end_message,
    language_message,
    text_message,
)
from telephony.stream_events import ProtocolWarning
from voice import events as voice
from voice import relay_events as relay
from voice.config import VoiceConfig
from voice.relay_session import RelaySession

logger = logging.getLogger(__name__)

SIGN_OF_LIFE_S = 60.0  # a CallActor that hears nothing for 300 s gives the call up
SESSION_CLOSED = "session_closed"
RELAY_UNIT = "relay_s"


class RelayDriver:
    """One call on one ConversationRelay socket.

    Args:
        agent: The agent that answers.
        config: The machine's configuration.
        parts: Shared parts of the process.
        mind: This call's mind.
        opening: How the socket began.
        send: Sends one text frame to the carrier.
    """

    def __init__(
        self,
        agent: Agent,
        config: VoiceConfig,
        parts: CallParts,
        mind: MindClient,
        opening: RelayOpening,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self._language = CallLanguage(agent, config, parts, self._speak_otherwise)
        self._parts = parts
        self._mind = mind
        self._stream = opening.stream
        self._is_reconnected = opening.is_reconnected
        budget = parts.budgets.of(agent.tenant_id, config.speculation.max_waste_ratio)
        self._session = RelaySession(config, agent.phrases.one_moment, budget)
        self._loop = asyncio.get_running_loop()
        ending = CallEnding(mind)
        self._ended, self._end = ending.ended, ending.end
        self._outbox = Outbox(send, on_lost=lambda why: self._end(False, f"stream_lost: {why}"))
        self._meter = CallMeter(parts.meter, mind.call_id, budget, is_relayed=True)
        self._turns = SettledTurns(mind, self._language, self._meter, opening.comeback)
        self._replies = ReplyTasks(
            agent,
            mind,
            parts.speech,
            self._feed_reply,
            parts.count,
            budget=budget,
            on_refused=ending.disowned,
        )
        self._billed_until = self._loop.time()
        self._replays: ReplayGuard | None = None
        self._times = CallTimes(agent, config, now=self._loop.time())
        self._hung_up_for = self._over_for = ""
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None
        self._timers: list[asyncio.TimerHandle] = []
        # What comes before the mind has the call waits for it.
        self._early: list[Callable[[], None]] | None = []
        if opening.first is not None:
            self.take(opening.first)

    # --- the call's life ---------------------------------------------------------------------

    async def run(self) -> CallEnd:
        """Hold the call until it ends; whatever happens, the mind is told and tasks are gone."""
        try:
            end = await self._hold()
        except Exception as error:  # noqa: BLE001 - the call ends, whatever it is
            end = end_after(error, self._mind.call_id)
        finally:
            self._replies.cancel_all()
            for timer in (self._timer, *self._timers):
                if timer is not None:
                    timer.cancel()
            self._turns.cancel()
            if not self._is_open:
                await self._outbox.close()
        return await self._finish(end) if self._is_open else end

    async def _hold(self) -> CallEnd:
        opened = await self._mind.open()
        self._is_open = True
        if self._ended.done():  # the socket went while the mind was opened
            return self._ended.result()
        now = self._loop.time()
        self._language.recall(self._mind.turn_log)
        if self._is_reconnected:
            self._replays = ReplayGuard(self._mind.turn_log, now=now)
        due_at = self._times.switch_at
        log, now_us = self._mind.turn_log, self._parts.wall_clock_us()
        left_s = self._language.agent.max_call_s - spent_s(log, self._turns.comeback, now_us=now_us)
        self._timers = [
            self._loop.call_later(max(0.0, left_s), self._time_is_up),
            self._loop.call_later(SIGN_OF_LIFE_S, self._sign_of_life),
            *([] if due_at is None else [self._loop.call_at(due_at, self._move_on)]),
        ]
        early, self._early = self._early, None
        self._feed(self._beginning(opened))
        for event in early or ():
            event()
        return await self._ended

    def _beginning(self, opened: CallOpened) -> voice.CallStarted:
        log = self._mind.turn_log
        first = call_started(opened, self._language.agent, self._turns.comeback, log)
        if self._is_reconnected and log and log[-1].outcome == "heard":
            return replace(first, resume_text=None)  # the carrier's session has gone on: no cut
        return first

    async def _finish(self, end: CallEnd) -> CallEnd:
        """Settle the turn in flight and tell the mind; only then does the carrier learn of the end.

        It asks ``action`` at once, and whoever answers has to know that the end was planned.
        """
        self._turns.settle_last(self._close_session)
        try:
            await self._mind.close(
                planned=end.planned,
                reason=end.reason,
                usage={**self._units(), **self._replies.unsettled_units()},
                hand_over=end.hand_over,
            )
            if self._over_for and not end.planned:  # the carrier has said so meanwhile
                end = CallEnd(True, self._over_for)
                await self._mind.close(planned=True, reason=end.reason)
        finally:
            if end.planned:
                owner = self._mind.owner if end.hand_over else {}
                told = {"v": 1, "reason": end.reason, "hand_over": {**end.hand_over, **owner}}
                self._outbox.put(end_message(told))
            await self._outbox.close()
        return end

    def _close_session(self) -> None:
        self._session.close(now=self._loop.time())
        self._perform_all()

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
        """One message of the carrier. Raises ``telephony.errors`` when the socket must be shut."""
        self.take(self._stream.receive(text, now=self._loop.time()))

    def take(self, message: RelayMessage | ProtocolWarning) -> None:
        """A message that was read already."""
        if self._early is not None:
            self._early.append(lambda: self.take(message))
            return
        call_id = self._mind.call_id
        match message:
            case CarrierComplaint():
                self._parts.count("relay_complaints", 1)
                logger.warning("call %s: the carrier says: %s", call_id, message.kind)
            case Setup():
                logger.info("call %s: the carrier has begun its session anew", call_id)
            case UnknownMessage(kind=kind):
                self._parts.count("protocol_warnings", 1)
                logger.info("call %s: unknown message ignored: %r", call_id, kind)
            case ProtocolWarning(error=error):
                self._parts.count("protocol_warnings", 1)
                logger.info("call %s: message ignored: %s", call_id, error)
            case _:
                event = event_of(message)
                if isinstance(event, relay.PromptHeard) and self._is_replayed(event):
                    self._parts.count("prompts_replayed", 1)
                elif event is not None:
                    if isinstance(event, voice.DigitPressed):
                        self._meter.pressed()
                    self._feed(event)

    def _is_replayed(self, prompt: relay.PromptHeard) -> bool:
        guard, now = self._replays, self._loop.time()
        return guard is not None and guard.is_replayed(prompt.text, is_last=prompt.is_last, now=now)

    def disconnected(self, code: int) -> None:
        """The socket is gone. A clean close says nothing of the call: ``action`` will."""
        reason = SESSION_CLOSED if code == 1000 else f"stream_lost: closed with {code}"
        self._end(False, reason)

    def shut(self, reason: str, close_code: int) -> None:
        """End this socket from our side, unplanned: a violation, or a newer owner."""
        self._end(False, reason, close_code)

    def go_elsewhere(self, mode: str = "") -> None:
        """End this session between two turns; the carrier opens another one elsewhere."""
        self._times.go_elsewhere(mode, now=self._loop.time())
        if self._is_open:
            self._guarded(lambda: None)

    def carrier_ended(self, state: str) -> None:
        """The carrier says that the call is over: nobody else than the caller can have ended it."""
        ended = "caller_hung_up" if state == "completed" else f"carrier_{state}"
        self._over_for = self._hung_up_for or ended
        self._end(True, self._over_for)

    def hang_up(self, reason: str, farewell: str | None) -> None:
        """End the call politely: say ``farewell``, then close as planned."""
        if farewell is None and not self._hung_up_for:
            self._hung_up_for = reason
        self._feed(voice.HangUpRequested(reason, farewell))

    # --- time --------------------------------------------------------------------------------

    def _time_is_up(self) -> None:
        self._feed(voice.HangUpRequested("time_limit", self._times.farewell))

    def _sign_of_life(self) -> None:
        self._turns.tell(even_if_empty=True)
        self._timers[1] = self._loop.call_later(SIGN_OF_LIFE_S, self._sign_of_life)

    def _arm(self) -> None:
        deadline = self._session.next_deadline()
        if self._timer is not None:
            if self._timer.when() == deadline and not self._timer.cancelled():
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None and not self._ended.done():
            self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self._guarded(lambda: self._session.handle_deadline(now=self._loop.time()))

    # --- the machine's outputs ---------------------------------------------------------------

    def _feed_reply(self, event: voice.Input) -> None:
        if isinstance(
            event,
            voice.SegmentPlanned | voice.ReplyWorking | voice.ReplyFinished | voice.ReplyFailed,
        ):
            self._feed(event)

    def _feed(self, event: relay.Input) -> None:
        """One mutation, then everything the machine wants done; no await in between."""
        if self._early is not None:
            self._early.append(lambda: self._feed(event))
            return
        self._guarded(lambda: self._session.receive(event, now=self._loop.time()))

    def _guarded(self, mutate: Callable[[], None]) -> None:
        """Whatever breaks in here ends this socket, which another one can follow."""
        try:
            mutate()
            self._perform_all()
            self._move_on()
            self._arm()
        except Exception as error:  # noqa: BLE001 - the call ends, whatever it is
            logger.error("call %s: its machine broke: %s", self._mind.call_id, trace_of(error))
            self._end(False, f"internal: {type(error).__name__}", 1011)

    def _move_on(self) -> None:
        """Between two turns, a call may go on in another way."""
        if self._session.is_between_turns and (action := self._times.switch(now=self._loop.time())):
            self._end(True, "switching", hand_over=action)

    def _perform_all(self) -> None:
        while (output := self._session.next_output()) is not None:
            self._perform(output)

    def _perform(self, output: relay.Output) -> None:
        match output:
            case relay.SendWords(token=token, is_last=is_last):
                whole = token.encode("utf-8", "replace").decode()  # a model may write half a letter
                self._outbox.put(text_message(whole, is_last=is_last))
            case relay.DropWords():
                self._outbox.drop_waiting()
            case relay.PressKeys(digits=digits):
                self._press(digits)
            case voice.BeginTurn() | voice.CommitTurn() | voice.AbandonTurn():
                self._replies.perform(output)
                self._meter.follow(output)
                if isinstance(output, voice.CommitTurn):
                    self._parts.count("turns_committed", 1)
            case voice.TurnSettled():
                self._settle(output)
            case relay.EndSession(reason=reason, hand_over=hand_over):
                self._end(True, reason, hand_over=hand_over)
            case _:
                assert_never(output)

    def _press(self, digits: str) -> None:
        try:
            self._outbox.put(digits_message(digits))
        except LocalProtocolError as error:
            logger.error("call %s: keys cannot be pressed: %s", self._mind.call_id, error)

    def _settle(self, settled: voice.TurnSettled) -> None:
        at_us = self._parts.wall_clock_us()
        entry = self._replies.settle(settled, at_us=at_us, usage=self._units())
        self._turns.settle(settled, entry)
        if not self._ended.done():
            self._turns.tell()

    def _speak_otherwise(self) -> None:
        """The call goes on in another language."""
        agent, config = self._language.agent, self._language.config
        self._replies.change_language(agent, self._language.parts.speech)
        self._times.change_language(config)
        self._session.change_language(config, agent.phrases.one_moment)
        code = agent.relay.code_of(agent.language)
        self._outbox.put(language_message(spoken=code, heard=code))

    def _units(self) -> dict[str, float]:
        """Units of the whole call that were used since the last time."""
        now = self._loop.time()
        relayed_s, self._billed_until = now - self._billed_until, now
        units = self._meter.units(CallSums(replacements=self._mind.replacements))
        return {**units, RELAY_UNIT: round(relayed_s, 6)}
