"""How a stream of a call begins, one that the carrier had and that is back above all.

It says what is said first, and what the model reads of the time between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.wire import CallOpened, TurnEntry
from dialogue.agent import Agent
from dialogue.tool_use import late_result
from voice.events import CallStarted

NO_TURN = -1


@dataclass(frozen=True, slots=True)
class Comeback:
    """Why a stream of a known call begins: what the carrier did with the call meanwhile.

    Attributes:
        verb: ``dial`` (nobody took the call), ``digits`` (keys were pressed) or ``switch`` (it is
            carried in another way from here on).
        tool: Name of the agent's tool that did it.
        status: Of a ``dial``, as the carrier names it: ``busy``, ``no-answer``, ...; of a
            ``switch``, ``failed`` when the way before has failed.
        says: Said first, whatever the rest says; empty for nothing, None for the usual words.
    """

    verb: str
    tool: str = ""
    status: str = ""
    says: str | None = None


def first_words(agent: Agent, comeback: Comeback | None) -> str | None:
    """What a caller hears whose call goes on in a new stream; None to listen in silence."""
    if comeback is None:
        return agent.phrases.resume
    if comeback.says is not None:
        return comeback.says or None
    if comeback.verb == "switch" and comeback.status == "failed":
        return agent.phrases.resume
    return agent.no_answer(comeback.tool) if comeback.verb == "dial" else None


def call_started(
    opened: CallOpened,
    agent: Agent,
    comeback: Comeback | None,
    log: Sequence[TurnEntry],
    *,
    is_lost: bool = False,
) -> CallStarted:
    """What the machine of a stream is told first.

    Args:
        opened: What the mind says of the call.
        agent: The agent that answers.
        comeback: What the carrier did with the call before.
        log: Settled turns of the streams before, oldest first.
        is_lost: The stream before may have been lost: what the caller has said there, and nobody
            has answered, stands.
    """
    unanswered = opened.unanswered if is_lost else ""
    unfinished = opened.unfinished if is_lost and not unanswered else ""
    is_known = bool(log or unanswered or unfinished) or comeback is not None
    return CallStarted(
        greeting=None if is_known else (opened.greeting or None),
        next_turn_id=max((entry.turn_id for entry in log), default=0) + 1,
        resume_text=first_words(agent, comeback) if is_known else None,
        unanswered=unanswered,
        unfinished=unfinished,
    )


def with_late_result(
    entry: TurnEntry, comeback: Comeback | None, log: Sequence[TurnEntry]
) -> TurnEntry:
    """The first turn after a transfer that nobody took says so, for the model and the record."""
    if comeback is None or comeback.verb != "dial":
        return entry
    asked = [old.turn_id for old in log if _used(old, comeback.tool)]
    result = late_result(comeback.tool, comeback.status, asked[-1] if asked else NO_TURN)
    return replace(entry, tools=(*entry.tools, result))


def _used(entry: TurnEntry, tool: str) -> bool:
    return any(use.get("name") == tool and "of_turn" not in use for use in entry.tools)
