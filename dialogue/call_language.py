"""Which language a call is in: the agent's own, until a settled turn says otherwise.

A change of language is a *use* of the turn it came with (``dialogue.tool_use``), so it is in the
turn log, the journal and the record, and whoever takes the call over reads it there::

    {"name": "", "arguments": "{}", "result": "...", "language": "es-ES", "why": "asked"}

``why`` is ``asked`` (the caller wants it), ``heard`` (the caller speaks it) or ``tool``. A tool
that changes the language adds ``language`` to its own use and need do nothing else: the change is
in force from the next turn on, in the ear, the mouth and the mind. Of several the newest counts; a
language that the agent does not have is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from dialogue.agent import Agent
from dialogue.history import SettledTurn

Why = Literal["asked", "heard", "tool"]
LANGUAGE = "language"


def language_use(language: str, why: Why) -> dict[str, Any]:
    """The use of a turn after which the call is in another language.

    Args:
        language: BCP-47 tag, one of the agent's.
        why: What it came from.
    """
    done = json.dumps({"status": "changed"})
    return {"name": "", "arguments": "{}", "result": done, LANGUAGE: language, "why": why}


def language_in(uses: Iterable[Mapping[str, Any]]) -> str:
    """The tag that the newest change among ``uses`` names; empty for none."""
    found = [use[LANGUAGE] for use in uses if isinstance(use.get(LANGUAGE), str)]
    return found[-1] if found else ""


def language_of_call(agent: Agent, turns: Iterable[SettledTurn]) -> str:
    """What is spoken after ``turns``: one of the agent's languages."""
    language = agent.language
    for turn in turns:
        language = agent.own_tag(language_in(turn.tools)) or language
    return language
