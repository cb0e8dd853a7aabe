"""What the callers of relayed calls have counted in a window."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.stats import spread


@dataclass(slots=True)
class Tally:
    """What was counted since the last ``begin``.

    Attributes:
        answers_s: From each prompt to its first words.
        late_s: Of the callers' own timers.
        lost: Calls that ended, by why.
    """

    answers_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    prompts: int = 0
    unanswered: int = 0
    sent: int = 0
    came: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    began_s: float = field(default_factory=time.perf_counter)

    def report(self, up: int) -> dict[str, Any]:
        """Plain data."""
        return {
            "up": up,
            "window_s": round(time.perf_counter() - self.began_s, 2),
            "answers": spread(self.answers_s).as_dict(),
            "late": spread(self.late_s).as_dict(),
            "prompts": self.prompts,
            "unanswered": self.unanswered,
            "sent": self.sent,
            "came": self.came,
            "lost": dict(self.lost),
        }
