"""What to print of a call as it goes on: each state and each turn once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cluster.api_client import ApiCall

_STATES = {
    "queued": "waiting for its turn",
    "dialing": "asking Twilio",
    "placed": "ringing",
    "answered": "answered",
    "completed": "over",
    "busy": "the line is busy",
    "no-answer": "nobody answered",
    "failed": "failed",
    "canceled": "canceled",
}


class SaidTurn(Protocol):
    """A turn, of the API or of the records."""

    @property
    def turn_id(self) -> int:
        """Counted in the call; 0 is the greeting."""

    @property
    def caller_text(self) -> str:
        """What the caller said; empty for the greeting."""

    @property
    def agent_text(self) -> str:
        """What the agent wanted to say."""

    @property
    def heard_text(self) -> str:
        """What the caller heard of it."""


class CallFollower:
    """Turns successive looks at one call into lines that were not there before."""

    def __init__(self) -> None:
        self._state = ("", "")
        self._said: set[int] = set()

    def news(self, call: ApiCall) -> list[str]:
        """The lines to print now; a state comes before the turns that were had in it."""
        lines = [] if call.is_over else self._of_state(call)
        lines += [
            line
            for turn in call.turns
            if turn.turn_id not in self._said
            for line in turn_lines(turn)
        ]
        self._said |= {turn.turn_id for turn in call.turns}
        return lines + self._of_state(call)

    def _of_state(self, call: ApiCall) -> list[str]:
        why = call.error or call.waiting_for
        if call.is_over:
            why = why or call.end_reason.replace("_", " ")
        if (call.state, why) == self._state:
            return []
        self._state = (call.state, why)
        said = _STATES.get(call.state, call.state)
        return [f"-- {said}: {why}" if why else f"-- {said}"]


def turn_lines(turn: SaidTurn) -> list[str]:
    """A turn as people read it; words that were never heard stand in square brackets."""
    lines = [f"Caller  {turn.caller_text}"] if turn.caller_text else []
    said = heard_and_unheard(turn.agent_text, turn.heard_text)
    return [*lines, f"Agent   {said}"] if said else lines


def heard_and_unheard(agent_text: str, heard_text: str) -> str:
    """What the agent said, the part that nobody heard in brackets."""
    if not agent_text.startswith(heard_text):
        return heard_text
    unheard = agent_text[len(heard_text) :].strip()
    return f"{heard_text.strip()} [{unheard}]".strip() if unheard else heard_text.strip()


def transcript(turns: Sequence[SaidTurn]) -> list[str]:
    """A whole call."""
    return [line for turn in turns for line in turn_lines(turn)]
