"""A text as it is written and as it is said, and the way back from a place in the one to the other.

What a voice says is only partly what is written: "415-555" is said "four one five, five five five".
Transcript and history keep the written form, so every position that a speaker reports (in what it
was given to say) has to be led back. Changes are made of small pieces, one for each digit of a
number, so that a caller who interrupts has heard the digits that were said, and no others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the written text that is said in other words.

    Attributes:
        start: Its first character.
        parts: One after the other: how many written characters, and what is said for them.
    """

    start: int
    parts: tuple[tuple[int, str], ...]

    @property
    def end(self) -> int:
        """The first character behind it."""
        return self.start + sum(chars for chars, _ in self.parts)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Ends of a piece that is said differently; its beginning in both texts."""

    said_start: int
    said_end: int
    written_start: int
    written_end: int


class SpokenText:
    """One segment, said.

    Args:
        written: The segment.
        changes: In order, none over another.

    Attributes:
        text: What the voice is given.
    """

    __slots__ = ("_pieces", "_starts", "text")

    def __init__(self, written: str, changes: Sequence[Change] = ()) -> None:
        said: list[str] = []
        pieces: list[_Piece] = []
        at = said_chars = 0
        for change in changes:
            said.append(written[at : change.start])
            said_chars += change.start - at
            at = change.start
            for chars, words in change.parts:
                pieces.append(_Piece(said_chars, said_chars + len(words), at, at + chars))
                said.append(words)
                said_chars += len(words)
                at += chars
        said.append(written[at:])
        self.text = "".join(said)
        self._pieces = pieces
        self._starts = [piece.said_start for piece in pieces]

    def written_chars(self, said_chars: int) -> int:
        """How much of the written text was said with the first ``said_chars`` characters.

        What is said in other words counts once all of it was said. Never less for more.
        """
        index = bisect_right(self._starts, said_chars) - 1
        if index < 0:
            return max(said_chars, 0)
        piece = self._pieces[index]
        if said_chars < piece.said_end:
            return piece.written_start
        return piece.written_end + said_chars - piece.said_end


def without_overlaps(changes: Iterable[Change]) -> list[Change]:
    """Those that touch no earlier one of the iterable, in the order of the text."""
    taken: list[Change] = []
    for change in changes:
        if all(change.end <= other.start or change.start >= other.end for other in taken):
            taken.append(change)
    return sorted(taken, key=lambda change: change.start)
