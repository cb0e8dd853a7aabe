"""Whose turn it is among the recognisers of a call.

The one after the one that is listened to is asked beside it. Since words came last, an understudy
that failed is passed over, and one that heard nothing twice in a row: once may have been a noise.
So everybody has a turn, and at last a fresh stream of the one that is listened to: only the one
stream of it may hang.
"""

from __future__ import annotations

from collections.abc import Sequence


class Turns:
    """See the top of this file.

    Args:
        choices: Places of the recognisers, best first.
    """

    def __init__(self, choices: Sequence[int]) -> None:
        self._order = tuple(choices)
        self._in_vain: int | None = None  # the understudy that is passed over
        self._heard_nothing: int | None = None  # the one that has heard nothing, once

    def after(self, choice: int) -> int:
        """Who comes next in the order."""
        at = self._order.index(choice)
        return self._order[(at + 1) % len(self._order)]

    def beside(self, choice: int) -> int:
        """Whose stream is to be opened beside one of ``choice``."""
        return self.after(choice if self._in_vain is None else self._in_vain)

    def asked_in_vain(self, choice: int, *, has_failed: bool) -> None:
        """An understudy brought no words: it failed, or it heard nothing."""
        if has_failed or choice == self._heard_nothing:
            self._in_vain, self._heard_nothing = choice, None
        else:
            self._heard_nothing = choice

    def words_came(self) -> None:
        """Somebody hears: all begins anew."""
        self._in_vain = self._heard_nothing = None
