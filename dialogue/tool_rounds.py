"""One round of a reply that asks for tools: what can be done at once, and what is waited for.

A reply is *rounds*: the model says something and asks for tools, reads what came of them, and goes
on. A wish is an action (it ends the reply), a run (others do it, and its result is read), a note
(a fact to be remembered, another language), or it is refused. Of one round either the runs are
done, or the first action: an action beside a run is asked for again once the result was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dialogue.ports import ToolCallRequested
from dialogue.tool_use import Plain, note_use, plain_action, refused
from dialogue.tools import Remember, RunTool, SwitchLanguage, Toolbox, ToolRefused

MAX_ARGUMENTS_CHARS = 4_000
_LATER = "not done yet: a result comes first. Ask for it again when you have read that"


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that the model wants; ``call_id`` is the model's own name of it."""

    call_id: str
    run: RunTool


@dataclass(frozen=True, slots=True)
class Round:
    """What the wishes of one round mean.

    Attributes:
        action: What ends the reply (``dialogue.tool_use``); empty for nothing.
        runs: What has to be done before the model goes on.
        answers: What the model reads of its other wishes, by its ids of them.
        notes: What it wants remembered, and in which language it goes on, as uses.
        has_refusals: Something cannot be done, and the model should know.
    """

    action: dict[str, Any]
    runs: tuple[Wish, ...]
    answers: dict[str, str]
    notes: tuple[Plain, ...]
    has_refusals: bool


def round_of(toolbox: Toolbox, calls: Iterable[ToolCallRequested]) -> Round:
    """What the model's wishes mean."""
    answers: dict[str, str] = {}
    runs: list[Wish] = []
    notes: list[Plain] = []
    actions: list[tuple[str, dict[str, Any]]] = []
    has_refusals = False
    for call in calls:
        meant = toolbox.check(call)
        match meant:
            case ToolRefused(why=why):
                answers[call.id], has_refusals = refused(why), True
            case Remember() | SwitchLanguage():
                notes.append(note_use(meant))
                answers[call.id] = notes[-1]["result"]
            case RunTool() if len(call.arguments_json) > MAX_ARGUMENTS_CHARS:
                why = f"the arguments are too long: {MAX_ARGUMENTS_CHARS} characters at most"
                answers[call.id], has_refusals = refused(why), True
            case RunTool():
                runs.append(Wish(call.id, meant))
            case _:
                actions.append((call.id, plain_action(meant, call)))
    action = actions[0][1] if actions and not runs else {}
    answers |= {call_id: refused(_LATER) for call_id, _ in actions} if runs else {}
    return Round(action, tuple(runs), answers, tuple(notes), has_refusals and not action)
