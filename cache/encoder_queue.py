"""Texts that wait for the encoder, the longest wait first: nobody is passed over.

A machine: no I/O, no clock. What a turn waits for comes before what is only to be learned. A run
has a few texts at most, so that who comes next waits for few.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

MOST_IN_A_RUN: Final = 4
"""As many as are encoded before the event loop hears of them: it is woken less often."""


class EncoderQueue:
    """Texts in the order in which they came, each once."""

    def __init__(self) -> None:
        self._turns: dict[str, None] = {}
        self._later: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._turns) + len(self._later)

    def __contains__(self, text: str) -> bool:
        return text in self._turns or text in self._later

    def add(self, text: str, *, is_turn: bool) -> None:
        """Put a text at the end, or move it to the turns when one waits for it now.

        Args:
            text: Canonical.
            is_turn: Somebody waits for it on the telephone.
        """
        if not is_turn:
            if text not in self._turns:
                self._later[text] = None
            return
        self._later.pop(text, None)
        self._turns[text] = None

    def discard(self, text: str) -> None:
        """Nobody waits for it any more; nothing happens when it is not here."""
        self._turns.pop(text, None)
        self._later.pop(text, None)

    def take(self) -> list[str]:
        """The texts of the next run, which are no longer here; empty when none waits."""
        source = self._turns or self._later
        run = list(islice(source, MOST_IN_A_RUN))
        for text in run:
            del source[text]
        return run
