"""What the machine of ``listening`` asks for: a closed union."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Open a stream and send it the caller from the last finished phrase on.

    Attributes:
        stream: Its number, for later events.
        choice: Which recogniser, by its place in the order.
    """

    stream: int
    choice: int


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Nothing of this stream is wanted any more."""

    stream: int


@dataclass(frozen=True, slots=True)
class TellDeaf:
    """This recogniser heard nothing where another one heard words."""

    choice: int


@dataclass(frozen=True, slots=True)
class TellBroken:
    """This recogniser's connection broke, and another one heard words before it was mended."""

    choice: int


@dataclass(frozen=True, slots=True)
class AskEverybody:
    """Nobody heard a word in what sounded like speech: find out whether anybody hears at all."""


@dataclass(frozen=True, slots=True)
class CallIsDeaf:
    """Nobody is left to hear the caller."""

    reason: str


Output = OpenStream | CloseStream | TellDeaf | TellBroken | AskEverybody | CallIsDeaf
