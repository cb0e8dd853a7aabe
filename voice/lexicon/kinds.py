"""What the lexicon says: plain values, without a language."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

QuestionKind = Literal["yes_no", "digits", "choice", "open", "none"]


class Cue(Enum):
    """What the last words say about the end of the turn."""

    HOLD = "hold"  # something must follow: "and", "my number is", "um"
    NEUTRAL = "neutral"  # the words alone do not tell
    DONE = "done"  # people stop here: "thank you", "that's all", 㗎


@dataclass(frozen=True, slots=True)
class LexicalCue:
    """A cue and its reason in a few words, for the waterfall: "ends in a conjunction"."""

    cue: Cue
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the agent asked last.

    Attributes:
        kind: ``digits`` covers numbers, codes and dates; ``none`` when nothing was asked.
        count: How many digits the answer has; None when that is not fixed.
        is_stated: The question said how many; else it is what is usual in the country.
        least: No such number has fewer digits, whatever is usual; 1 when nobody knows.
        breaks: After how many of ``count`` digits people pause as they read it; empty when that is
            not known.
    """

    kind: QuestionKind
    count: int | None = None
    is_stated: bool = field(default=False, compare=False)
    least: int = field(default=1, compare=False)
    breaks: tuple[int, ...] = field(default=(), compare=False)
