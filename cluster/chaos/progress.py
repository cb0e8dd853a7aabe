"""What is going on, and for how long still: in a terminal's last line, or as lines of a log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from rich.console import Console
from rich.status import Status
from rich.text import Text

_AGAIN_EVERY_S = 30.0
_NUMBER = re.compile(r"\d+")


class Progress:
    """Shows what a run tells.

    Args:
        console: A terminal gets a last line that changes; anything else a line for each new thing,
            and one more every half a minute of the same.
        status: That last line.
        left_s: How long all that is still to come takes, about.
        clock: Seconds.
    """

    def __init__(
        self,
        console: Console,
        status: Status,
        left_s: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._status = status
        self._left_s = left_s
        self._clock = clock
        self._subject = ""
        self._printed_s = 0.0

    def tell(self, text: str) -> None:
        """What happens now; only its numbers change while it goes on."""
        left_s = max(0.0, self._left_s())
        left = "less than a minute" if left_s < 60 else f"about {round(left_s / 60)} min"
        shown = f"{text}; {left} in all"
        if self._console.is_terminal:
            self._status.update(Text(shown))
            return
        # "killed 12 of 100" is the same thing as "killed 13 of 100".
        now, subject = self._clock(), _NUMBER.sub("", text)
        if subject != self._subject or now - self._printed_s >= _AGAIN_EVERY_S:
            self._subject, self._printed_s = subject, now
            self._console.print(Text(shown, "dim"), soft_wrap=True)
