"""When a call has been long enough here: it ends, goes on more cheaply, or goes elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from actors.comeback import Comeback
from actors.wire import TurnEntry
from dialogue.agent import Agent
from voice.config import VoiceConfig

# Between two turns nobody is silent for longer (``idle_prompt_s``); a clock may be wrong by a day.
LONGEST_GAP_S: Final = 600.0
# A new stream of the same kind, in silence; replicas of older versions understand it as well.
ELSEWHERE: Final[Mapping[str, Any]] = {"verb": "switch", "mode": "", "why": "moved"}


def elsewhere(mode: str) -> Mapping[str, Any]:
    """A new stream, in silence: of the same kind, or as ``mode`` because a person asked for it."""
    return {**ELSEWHERE, "mode": mode, "why": "asked"} if mode else ELSEWHERE


def spent_s(log: Sequence[TurnEntry], comeback: Comeback | None, *, now_us: int) -> float:
    """How much of ``max_call_s`` went by in earlier streams, in seconds.

    It is counted from the first turn; anew after a transfer that came back, whose result stands
    with the turn that followed it. Turns and ``now_us`` may be of several nodes' clocks: from one
    to the next it is never less than nothing nor more than ``LONGEST_GAP_S``, so that a clock that
    is wrong ends no call.

    Args:
        log: Settled turns, oldest first.
        comeback: What the carrier did with the call just now.
        now_us: UTC microseconds.
    """
    if comeback is not None and comeback.verb == "dial":
        return 0.0
    spent, before_us = 0.0, 0
    for entry in log:
        if entry.at_us:
            spent = 0.0 if _came_back(entry) else spent + _gap_s(before_us, entry.at_us)
            before_us = entry.at_us
    return spent + _gap_s(before_us, now_us)


def _gap_s(from_us: int, to_us: int) -> float:
    """From one clock to another, which may be a different one; nothing before the first turn."""
    return min(max(0.0, (to_us - from_us) / 1e6), LONGEST_GAP_S) if from_us else 0.0


def _came_back(entry: TurnEntry) -> bool:
    return any("of_turn" in use and "id" not in use for use in entry.tools)


class CallTimes:
    """Of one call on one stream.

    Args:
        agent: Says how long (``max_call_s``, ``switch_after_s``).
        config: Its ``trouble_action`` is what is done when this way fails: the next way, if there
            is one.
        now: Loop time at which the stream began.

    Attributes:
        switch_at: Loop time from which on the call is moved between two turns; None: it stays.
        look_at: Loop time before which nothing here is due.
        farewell: Said when the call has been long enough.
        trouble: Said when this way has failed for good.
    """

    __slots__ = ("_action", "_up_at", "farewell", "look_at", "switch_at", "trouble")

    def __init__(self, agent: Agent, config: VoiceConfig, *, now: float) -> None:
        self._action: Mapping[str, Any] = {**config.trouble_action, "why": "cost"}
        self._up_at = now + agent.max_call_s
        self.trouble, self.farewell = config.phrases.trouble, config.phrases.goodbye
        is_wanted = agent.switch_after_s is not None and self._action.get("verb") == "switch"
        self.switch_at = now + (agent.switch_after_s or 0.0) if is_wanted else None
        self.look_at = self._up_at if self.switch_at is None else min(self._up_at, self.switch_at)

    def change_language(self, config: VoiceConfig) -> None:
        """What is said when this way fails is said in another language from now on."""
        self.trouble, self.farewell = config.phrases.trouble, config.phrases.goodbye

    def count_in(self, spent_s: float) -> None:
        """So much of ``max_call_s`` went by before this stream, in seconds."""
        self._up_at -= spent_s
        self.look_at = min(self.look_at, self._up_at)

    def is_up(self, *, now: float) -> bool:
        """Whether the call has to end now; True once."""
        if now <= self._up_at:
            return False
        self._up_at = float("inf")
        self.look_at = self._up_at if self.switch_at is None else self.switch_at
        return True

    def go_elsewhere(self, mode: str, *, now: float) -> None:
        """The call goes on in another stream: from the next pause between two turns."""
        self._action, self.switch_at, self.look_at = elsewhere(mode), now, now

    def switch(self, *, now: float) -> Mapping[str, Any]:
        """How the call goes on from here, between two turns; empty: as it is."""
        return self._action if self.switch_at is not None and now >= self.switch_at else {}
