"""Which calls a CallActor holds, and who may speak for them.

Rules
1. A call is OPEN while its stream is up, LOST after a stream ended unplanned (a new one may come
   within ``resume_window_s``), ENDED after a planned end; it is remembered for ``ended_memory_s``,
   so that the resume webhook can tell an end from a crash. It is HANDED_OVER while the carrier
   rings somebody else or presses keys, and comes back, or ends, or is let go as transferred.
2. OPEN, LOST and HANDED_OVER calls hold a seat. A call that comes back is never refused for want of
   seats.
3. The newest epoch speaks for a call. An older one is refused, and so is its goodbye: a socket that
   closes after the call has moved must not end it. A newer one has to open the call first.
4. A token that names itself is used once; a re-placement by the owner comes without one.
5. Every turn and every end of a call is recorded; turns possibly twice, after a move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from actors.mind_answers import CallAnswers
from actors.pending_words import PendingWords
from actors.wire import CallOpened, CallState, CloseCall, OpenCall, TurnEntry
from dialogue.agent import Agent
from dialogue.errors import StaleEpoch
from dialogue.history import HistoryLimits
from dialogue.session import CallIdentity, DialogueSession
from dialogue.variables import personal

INGRESS_VANISHED = "ingress_vanished"
TRANSFERRED = "transferred"
MOVED_ON = "moved_on"
HAND_OVER_SPARE_S = 30.0  # for webhooks, over the time that a phone rings


class Recorder(Protocol):
    """Where the story of a call goes: a put into a bounded buffer; never blocks, never raises."""

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        """A stream of the call is up; once for each epoch."""

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        """A turn is over. May be told again after a move, and may come after ``call_closed``."""

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        """Provider units of the call that belong to no turn."""

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        """The carrier does something with the call (``dialogue.tool_use``); it may come back."""

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        """The call is over: as somebody chose, or lost and not resumed in time."""

    def call_moved(self, call: CallIdentity) -> None:
        """Another CallActor has the call, with all its turns, and tells of them and of its end."""


class Phase(Enum):
    """Where a call stands; see the rules above."""

    OPEN = "open"
    LOST = "lost"
    HANDED_OVER = "handed_over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class MindConfig:
    """Limits of one CallActor; times in seconds.

    Attributes:
        first_token_timeout_s: From the question to the first visible character of the answer.
        stall_timeout_s: Between two visible pieces of an answer.
        max_reply_chars: An answer that goes on longer is ended there.
        resume_window_s: How long a call waits for its stream to come back.
        ended_memory_s: How long an ended call is remembered.
        stale_call_s: Without a word from its ingress for so long, an open call counts as lost.
        token_memory_s: How long a used token is remembered; not less than tokens are valid.
    """

    calls_per_actor: int = 50
    first_token_timeout_s: float = 5.0
    stall_timeout_s: float = 5.0
    max_reply_chars: int = 6_000
    resume_window_s: float = 60.0
    ended_memory_s: float = 60.0
    stale_call_s: float = 300.0
    token_memory_s: float = 3_600.0
    history: HistoryLimits = field(default_factory=HistoryLimits)


class UnknownCall(LookupError):
    """This actor does not hold the call under this epoch (or it has ended).

    Args:
        refusal: ``unknown_call`` or ``ended``, as it goes on the wire.
    """

    def __init__(self, refusal: str = "unknown_call") -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(slots=True)
class HeldCall:
    """One call and what became of it; times are loop times.

    Attributes:
        pending: What the caller has said that no settled turn answers.
    """

    session: DialogueSession[TurnEntry]
    answers: CallAnswers
    seated_at: float
    heard_at: float
    phase: Phase = Phase.OPEN
    reason: str = ""
    closed_at: float = 0.0
    hand_over: dict[str, Any] = field(default_factory=dict)
    pending: PendingWords = field(default_factory=PendingWords)


class MindCalls:
    """The calls of one CallActor, by ``call_id``; synchronous, takes ``now``.

    Args:
        agents: By tenant and agent id.
        recorder: Told of everything that lasts.
    """

    def __init__(
        self, agents: Mapping[tuple[str, str], Agent], recorder: Recorder, config: MindConfig
    ) -> None:
        self._agents = agents
        self._recorder = recorder
        self._config = config
        self._calls: dict[str, HeldCall] = {}
        self._tokens: dict[str, float] = {}  # token to the time it may be forgotten, oldest first

    def count(self, phase: Phase) -> int:
        """How many calls stand there."""
        return sum(held.phase is phase for held in self._calls.values())

    def open_by_agent(self) -> dict[tuple[str, str, str], int]:
        """How many calls are open of every agent: by tenant id, agent id, language."""
        calls = Counter(
            (held.session.call.tenant_id, held.session.call.agent_id)
            for held in self._calls.values()
            if held.phase is Phase.OPEN
        )
        return {(*key, agent.language): calls[key] for key, agent in self._agents.items()}

    @property
    def free_seats(self) -> int:
        """How many new calls fit."""
        taken = sum(held.phase is not Phase.ENDED for held in self._calls.values())
        return max(0, self._config.calls_per_actor - taken)

    def taken_by_tenant(self) -> dict[str, int]:
        """Seats taken, those of calls that are away for a while included."""
        taken = (held for held in self._calls.values() if held.phase is not Phase.ENDED)
        return dict(Counter(held.session.call.tenant_id for held in taken))

    def seated_since(self, since: float) -> list[str]:
        """Ids of the calls that took a seat after this loop time; they may have left it again."""
        return [call_id for call_id, held in self._calls.items() if held.seated_at > since]

    def open(self, message: OpenCall, *, now: float, at_us: int) -> CallOpened:
        """Take a call, or take it back under a newer epoch."""
        agent = self._agents.get((message.tenant_id, message.agent_id))
        held = self._calls.get(message.call_id)
        refusal = self._refusal(message, agent, held)
        if refusal or agent is None:
            return CallOpened(refusal=refusal)
        if message.token_id:
            self._tokens.pop(message.token_id, None)
            self._tokens[message.token_id] = now + self._config.token_memory_s
        if held is None:
            speaking, call = personal(agent, message.variables), _identity(message, agent)
            held = self._calls[message.call_id] = HeldCall(
                DialogueSession[TurnEntry](speaking, call, self._config.history),
                CallAnswers(
                    speaking,
                    call,
                    tuple(message.variables.values()),
                    is_personal=speaking.prompt != agent.prompt,
                ),
                seated_at=now,
                heard_at=now,
            )
            is_new_owner = True
        else:
            is_new_owner = held.session.own(message.epoch)
        held.phase, held.reason, held.heard_at = Phase.OPEN, "", now
        held.hand_over = {}
        if is_new_owner:
            self._recorder.call_opened(held.session.call, at_us=at_us)
        self.settle(held, message.turn_log)
        held.session.tools.learn(message.uses)
        return CallOpened(
            greeting=held.session.greeting,
            turn_log=held.session.turn_log,
            uses=held.session.tools.for_other_half(),
            unanswered=held.pending.unanswered,
            unfinished=held.pending.unfinished(now=now),
        )

    def _refusal(self, message: OpenCall, agent: Agent | None, held: HeldCall | None) -> str:
        if agent is None:
            return "unknown_agent"
        if message.token_id in self._tokens:
            return "token_used"
        if held is None:
            return "" if self.free_seats else "full"
        call = held.session.call
        if (call.tenant_id, call.agent_id) != (message.tenant_id, message.agent_id):
            return "unknown_agent"
        if held.phase is Phase.ENDED:
            return "ended"
        return "stale_epoch" if message.epoch < call.epoch else ""

    def get(self, call_id: str) -> HeldCall | None:
        """The call, whoever asks."""
        return self._calls.get(call_id)

    def find(self, tenant_id: str, call_id: str, epoch: tuple[int, int], *, now: float) -> HeldCall:
        """The call, for its owner.

        Raises:
            UnknownCall: Not held here, or not opened under this epoch yet.
            StaleEpoch: Somebody newer owns it.
        """
        held = self._calls.get(call_id)
        if held is None or held.session.call.tenant_id != tenant_id:
            raise UnknownCall
        owner = held.session.call.epoch
        if epoch < owner:
            raise StaleEpoch(epoch, owner)
        if epoch > owner:
            raise UnknownCall
        held.heard_at = now
        if held.phase is Phase.LOST and held.reason == INGRESS_VANISHED:
            held.phase, held.reason = Phase.OPEN, ""
        return held

    def settle(self, held: HeldCall, turns: Iterable[TurnEntry]) -> list[TurnEntry]:
        """Take in turns that are over; return those that were not known."""
        turns = tuple(turns)
        fresh = held.session.settle(turns)
        held.pending.settled(turns)
        held.answers.change_agent(held.session.agent)
        for turn in fresh:
            self._recorder.turn_settled(held.session.call, turn)
        return fresh

    def taken(self, held: HeldCall, turn_id: int, text: str) -> None:
        """The caller has asked this, and a reply is on its way."""
        if _is_newest(held, turn_id):
            held.pending.taken(turn_id, text)

    def guessed(self, held: HeldCall, turn_id: int, text: str, *, now: float) -> None:
        """The caller has said this so far, and a reply is prepared in case that it is all."""
        if _is_newest(held, turn_id):
            held.pending.guessed(turn_id, text, now=now)

    def revive(self, held: HeldCall) -> None:
        """A call given up for lost takes a turn. Raises ``UnknownCall`` if it has ended."""
        if held.phase in {Phase.ENDED, Phase.HANDED_OVER}:
            raise UnknownCall("ended")
        held.phase, held.reason = Phase.OPEN, ""

    def close(self, held: HeldCall, message: CloseCall, *, now: float, at_us: int) -> None:
        """The stream is gone. Idempotent; a planned end is never taken back."""
        if held.phase is Phase.ENDED:
            return
        call, was_handed_over = held.session.call, held.phase is Phase.HANDED_OVER
        if message.reason == MOVED_ON and not message.planned:
            self._calls.pop(call.call_id, None)
            self._recorder.call_moved(call)
            return
        if was_handed_over and (message.hand_over or not message.planned):
            return
        held.reason, held.closed_at = message.reason, now
        if message.usage:
            self._recorder.units_used(call, message.usage)
        if message.planned and message.hand_over:
            held.phase, held.hand_over = Phase.HANDED_OVER, message.hand_over
            self._recorder.handed_over(call, message.hand_over, at_us=at_us)
            return
        held.phase = Phase.ENDED if message.planned else Phase.LOST
        held.hand_over = {}
        if message.planned:
            self._recorder.call_closed(call, planned=True, reason=message.reason, at_us=at_us)

    def state(self, call_id: str) -> CallState:
        """What became of a call."""
        held = self._calls.get(call_id)
        if held is None:
            return CallState(known=False)
        return CallState(
            known=True,
            planned_end=held.phase is Phase.ENDED,
            reason=held.reason,
            epoch=held.session.call.epoch,
            turn_log=held.session.turn_log,
            hand_over=held.hand_over,
        )

    def sweep(self, *, now: float, at_us: int) -> list[HeldCall]:
        """Forget what may be forgotten, give up what is silent; return the calls that closed."""
        config, closed = self._config, []
        for call_id, held in list(self._calls.items()):
            age_s = now - held.closed_at
            if held.phase is Phase.OPEN and now - held.heard_at >= config.stale_call_s:
                held.phase, held.reason, held.closed_at = Phase.LOST, INGRESS_VANISHED, now
                closed.append(held)
            elif held.phase is Phase.LOST and age_s >= config.resume_window_s:
                del self._calls[call_id]
                self._recorder.call_closed(
                    held.session.call, planned=False, reason=held.reason, at_us=at_us
                )
            elif held.phase is Phase.HANDED_OVER and age_s >= _may_come_back_s(held.hand_over):
                self._let_go(held, now=now, at_us=at_us)
            elif held.phase is Phase.ENDED and age_s >= config.ended_memory_s:
                del self._calls[call_id]
        for token, forget_at in list(self._tokens.items()):
            if forget_at > now:
                break
            del self._tokens[token]
        return closed

    def _let_go(self, held: HeldCall, *, now: float, at_us: int) -> None:
        """A call that the carrier has did not come back: it was put through, or lost on the way."""
        is_dialled = held.hand_over.get("verb") == "dial"
        held.phase = Phase.ENDED if is_dialled else Phase.LOST
        held.closed_at, held.hand_over = now, {}
        if is_dialled:
            held.reason = TRANSFERRED
            call = held.session.call
            self._recorder.call_closed(call, planned=True, reason=TRANSFERRED, at_us=at_us)


def _is_newest(held: HeldCall, turn_id: int) -> bool:
    return all(turn.turn_id < turn_id for turn in held.session.turn_log)


def _identity(message: OpenCall, agent: Agent) -> CallIdentity:
    return CallIdentity(
        tenant_id=message.tenant_id,
        agent_id=message.agent_id,
        agent_version=agent.agent_version,  # the one that answers, whichever was asked for
        call_id=message.call_id,
        call_sid=message.call_sid,
        epoch=message.epoch,
        caller=message.caller,
        called=message.called,
        direction=message.direction,
        started_at_us=message.started_at_us,
    )


def _may_come_back_s(hand_over: Mapping[str, Any]) -> float:
    """How long a seat is kept for a call that the carrier has."""
    rings_s = hand_over.get("timeout_s")
    return HAND_OVER_SPARE_S + (rings_s if isinstance(rings_s, int | float) else 0.0)
