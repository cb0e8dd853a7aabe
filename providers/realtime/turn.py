"""One turn of a Realtime call, and the turns whose caller's words are still being written down."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from providers.realtime.events import CallWanted
from providers.realtime.outputs import ToolAnswered
from providers.realtime.spoken import GUESS, SpokenReply
from voice import timeline
from voice.events import TurnKind, TurnSettled
from voice.relay_turns import MOST_CHARS

_ACCEPTED = json.dumps({"status": "accepted", "note": "it is done once the caller has heard you"})


@dataclass(slots=True)
class RealtimeTurn:
    """The turn that is being answered.

    Attributes:
        item_id: Of what the caller said; empty while it is not known, and where nobody spoke.
        wish: Words to be said exactly; empty where the model finds its own.
        text: The caller's words; None while they are being written down.
        response_id: Of the running response; empty when none runs.
        rounds: Responses that were asked for or came.
        calls: Tools that it wants and that were not answered yet, by the call's id.
        results: Tools that were answered, and what the model was told of them.
        has_results: Tools were answered with words for the model, which has not read them yet.
        waits: How long each tool may take that was begun for it, seconds by the call's id.
        fillers: Of ``rounds``, how many were asked for while one ran.
        is_done: The model has no more to say.
        action: What the carrier shall do once all was heard.
        asked_at: Loop time since which a response is waited for.
        progress_at: Loop time at which it last came a step further.
    """

    turn_id: int
    kind: TurnKind
    reply: SpokenReply
    asked_at: float
    item_id: str = ""
    wish: str = ""
    text: str | None = None
    response_id: str = ""
    rounds: int = 0
    calls: dict[str, CallWanted] = field(default_factory=dict)
    results: list[tuple[CallWanted, str]] = field(default_factory=list)
    has_results: bool = False
    waits: dict[str, float] = field(default_factory=dict)
    fillers: int = 0
    is_done: bool = False
    action: Mapping[str, Any] = field(default_factory=dict)
    hang_up: bool = False
    failure: str = ""
    reason: str = ""
    progress_at: float = 0.0
    usage: dict[str, float] = field(default_factory=dict)
    timeline: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Of the response that is asked for next."""
        return f"{self.turn_id}.{self.rounds}"

    @property
    def working_s(self) -> float:
        """How long the slowest of its tools may run; 0 while none does."""
        open_s = (wait_s for call_id, wait_s in self.waits.items() if call_id in self.calls)
        return max(open_s, default=0.0)

    def take(self, answered: ToolAnswered) -> str:
        """A tool that it waited for was answered; returns what the model reads of it."""
        call = self.calls.pop(answered.call_id)
        if answered.action and not self.action:
            self.action = answered.action
            self.hang_up = answered.action.get("verb") == "end"
            told = _ACCEPTED
        else:
            self.has_results = True
            told = answered.output or "done"
        self.results.append((call, told))
        return told

    @property
    def has_used_tools(self) -> bool:
        """Whether the model has asked for any, so that it has understood what was said."""
        return bool(self.calls or self.results)

    @property
    def is_understood(self) -> bool:
        """Whether it is being answered, so that the caller need not say it again."""
        return self.reply.has_audio or self.has_used_tools

    @property
    def awaits_tools(self) -> bool:
        """Whether results are on their way, to it or to the model."""
        return bool(self.calls) or self.has_results

    @property
    def own_rounds(self) -> int:
        """Responses of the model's own, without the sentences said while a tool ran."""
        return self.rounds - self.fillers

    def note(self, stage: str, at: float) -> None:
        """The first time that a stage was reached counts."""
        self.timeline.setdefault(stage, at)

    def so_far(self) -> TurnSettled:
        """As part of the conversation: what is on its way will be heard, unless it is cut off."""
        heard = self.reply.text if self.reply.has_audio else ""
        outcome = "heard" if heard else "dropped"
        return self.settled(outcome, "", heard=heard, performs=False)

    def settled(self, outcome: str, reason: str, *, heard: str, performs: bool) -> TurnSettled:
        """How it ended."""
        return TurnSettled(
            turn_id=self.turn_id,
            guess=GUESS,
            kind=self.kind,
            caller_text=(self.text or "")[:MOST_CHARS],
            agent_text=self.reply.text,
            heard_text=heard,
            outcome=outcome,  # type: ignore[arg-type]
            reason=reason,
            timeline=self.timeline,
            performs=performs,
        )


@dataclass(slots=True)
class _Waiting:
    settled: TurnSettled
    item_id: str
    has_words: bool
    until: float


class WordsLedger:
    """Turns that are over, in order; each leaves once its caller's words are known, or never will.

    The reply is often heard before the words it answers are written down.

    Args:
        wait_s: How long words are waited for after the end of their turn.
    """

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._waiting: deque[_Waiting] = deque()
        self._usage: dict[int, dict[str, float]] = {}
        self._loose: dict[str, float] = {}

    def add(self, settled: TurnSettled, turn: RealtimeTurn, *, now: float) -> None:
        """A turn is over."""
        self._usage[settled.turn_id] = turn.usage
        has_words = turn.text is not None or not turn.item_id
        self._waiting.append(_Waiting(settled, turn.item_id, has_words, now + self._wait_s))

    def know(self, item_id: str, text: str, *, at: float, is_all: bool = True) -> bool:
        """Words of an item; False when none of these turns waits for them."""
        for waiting in self._waiting:
            if waiting.item_id == item_id:
                if is_all:
                    waiting.has_words = True
                    waiting.settled.timeline.setdefault(timeline.FINAL_TRANSCRIPT, at)
                told = text if is_all else waiting.settled.caller_text + text
                waiting.settled = replace(waiting.settled, caller_text=told[:MOST_CHARS])
                return True
        return False

    def count(self, usage: Mapping[str, float]) -> None:
        """Units that no response told: of the words themselves, and of responses unheard."""
        for unit, amount in usage.items():
            self._loose[unit] = self._loose.get(unit, 0.0) + amount

    def usage_of(self, turn_id: int) -> dict[str, float]:
        """Units of a turn, and what was counted beside it since; each is told once."""
        self.count(self._usage.pop(turn_id, {}))
        told, self._loose = self._loose, {}
        return told

    @property
    def turns(self) -> tuple[TurnSettled, ...]:
        """Those that wait, oldest first."""
        return tuple(waiting.settled for waiting in self._waiting)

    def next_deadline(self) -> float | None:
        """Loop time at which the oldest is told without its words."""
        return self._waiting[0].until if self._waiting else None

    def due(self, *, now: float, all_of_them: bool = False) -> Iterator[TurnSettled]:
        """The turns that may be told now, oldest first."""
        while self._waiting:
            first = self._waiting[0]
            if not (first.has_words or all_of_them or now >= first.until - 1e-6):
                return
            yield self._waiting.popleft().settled
