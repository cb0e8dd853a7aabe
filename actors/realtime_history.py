"""What a fresh Realtime session is told of a call: who the agent is, and what was heard so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actors.comeback import Comeback, with_late_result
from actors.wire import TurnEntry
from dialogue.agent import Agent
from dialogue.history import History, HistoryLimits
from dialogue.ports import Message
from dialogue.realtime import with_end_call
from voice.events import TurnSettled

_AFTER_ALL = 1 << 40


def conversation_of(
    agent: Agent,
    log: Sequence[TurnEntry],
    open_turns: Iterable[TurnSettled],
    comeback: Comeback | None = None,
) -> tuple[Message, ...]:
    """The instructions, and then the conversation as the caller heard it.

    Args:
        agent: As it speaks in this call.
        log: Turns that are over.
        open_turns: Turns that were not told yet, as far as they have come.
        comeback: What the carrier did with the call before, while no turn has told it.
    """
    history: History[TurnEntry] = History(HistoryLimits())
    history.add(log)
    history.add(
        TurnEntry(
            turn.turn_id,
            turn.kind,
            caller_text=turn.caller_text,
            agent_text=turn.agent_text,
            heard_text=turn.heard_text,
            outcome=turn.outcome,
        )
        for turn in open_turns
    )
    told = TurnEntry(_AFTER_ALL - 1, "resume", outcome="dropped")
    history.add([with_late_result(told, comeback, log)])
    return history.messages(with_end_call(agent), _AFTER_ALL, "")
