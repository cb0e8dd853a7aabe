"""What has to come after a mark before the text may be cut there.

One character is asked for at a time, and only as many as are needed: the one right after the mark,
the next that is no space, or the whole next word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialogue.abbreviations import StopReader
from dialogue.cutter_marks import CLAUSES, CLOSERS, ENDS, ENDS_AT_ONCE, is_unspaced
from dialogue.cutter_spaces import SpaceReader

Rule = Literal["after", "next", "capital", "starter", "continues", "not_digit", "native"]
"""What is asked of the text behind a mark: the character right ``after`` it, the ``next`` one that
is no space (not a small letter), a ``capital``, a capital that does not begin a word that
``continues``, one that begins a ``starter``, anything but a digit, or a letter of the ``native``
script."""

Decision = Literal["cut", "keep", "wait"]
_QUOTES = "“«「¿¡\"'‘„"


@dataclass(slots=True)
class Candidate:
    """A place where the text may be cut, once the next characters allow it.

    Attributes:
        end: Length of the segment.
        units: What the segment has.
        needs: What it has to have.
        mark: The character that made it one.
    """

    end: int
    units: float
    needs: float
    is_sentence: bool
    mark: str
    rule: Rule = "after"


def extends(candidate: Candidate, pending: str, ch: str) -> bool:
    """Whether ``ch`` still belongs to the punctuation that was seen: ``?!``, ``."``, ``——``."""
    if candidate.end != len(pending) or candidate.mark == " ":
        return False
    if candidate.is_sentence:
        return ch in CLOSERS or ch in ENDS or ch in ENDS_AT_ONCE
    return (ch in CLOSERS and candidate.mark in CLAUSES) or ch == candidate.mark == "—"


class LookAhead:
    """Decides about candidates in one language.

    Args:
        stops: Judges full stops.
        spaces: Knows the letters of scripts without spaces.
    """

    def __init__(self, stops: StopReader, spaces: SpaceReader) -> None:
        self._stops = stops
        self._spaces = spaces

    def decide(self, candidate: Candidate, pending: str, ch: str) -> Decision:
        """Take the next character; ``pending`` is the text before it. May change the rule."""
        decision: Decision = "wait"
        if candidate.rule == "after":
            decision = self._right_after(candidate, pending, ch)
        if decision != "wait":
            return decision
        if candidate.rule in ("starter", "continues"):
            return self._word_after(candidate, pending, ch)
        return self._next(candidate, pending, ch)

    def _right_after(self, candidate: Candidate, pending: str, ch: str) -> Decision:
        """The character right after the mark is known; may give the candidate its next rule."""
        if candidate.mark in ENDS_AT_ONCE:
            return "keep" if candidate.mark == "…" and ch.isdigit() else "cut"
        if candidate.mark in "—―":
            before = pending[: candidate.end].rstrip("—― ")
            candidate.rule = "not_digit"
            return "wait" if before[-1:].isdigit() else "cut"
        if not (ch.isspace() or is_unspaced(ch)):
            return "keep"
        text = pending[: candidate.end].rstrip("\"'”’»)]}」』）】》〉›“")
        if not candidate.is_sentence:
            candidate.rule = "not_digit"
            is_number = candidate.mark in ",–-" or text[-2:-1].isdigit()
            return "wait" if is_number else "cut"
        if candidate.mark not in ".．" or text.endswith(("!", "?")):
            return "cut"
        return self._after_stop(candidate, text[:-1], ch)

    def _after_stop(self, candidate: Candidate, before: str, ch: str) -> Decision:
        verdict = self._stops.judge(before)
        if verdict == "keep":
            return "keep"
        if not ch.isspace() or ch == "\n":
            return "cut"
        if before.endswith("."):
            candidate.rule = "not_digit"  # an ellipsis is a pause wherever it stands
        elif verdict == "starter":
            candidate.rule = "starter"
        elif verdict == "capital":
            candidate.rule = "capital"
        elif self._stops.is_certain(before):
            return "cut"
        else:
            candidate.rule = "next"
        return "wait"

    def _next(self, candidate: Candidate, pending: str, ch: str) -> Decision:
        """The next character that is no space is wanted."""
        if ch == "\n":
            return "cut"
        if ch.isspace():
            return "wait"
        match candidate.rule:
            case "not_digit":
                return self._after_clause(candidate, pending, ch)
            case "native":
                return "cut" if self._spaces.may_follow(ch) else "keep"
            case "next":
                return "keep" if ch.isdigit() or _is_small(ch) else "cut"
            case _:
                if ch in _QUOTES:
                    return "cut"
                if not ch.isalpha() or _is_small(ch):
                    return "keep"
                if not self._stops.has_continuations:
                    return "cut"
                candidate.rule = "continues"
                return "wait"

    def _after_clause(self, candidate: Candidate, pending: str, ch: str) -> Decision:
        if ch.isdigit():
            return "keep"
        is_number = pending[candidate.end - 2 : candidate.end - 1].isdigit()
        is_word = ch.isalpha() and not is_unspaced(ch)
        if not (is_number and is_word and self._stops.has_continuations):
            return "cut"
        candidate.rule = "continues"  # "au 12, rue de la Gare"
        return "wait"

    def _word_after(self, candidate: Candidate, pending: str, ch: str) -> Decision:
        """The whole next word is wanted."""
        word = pending[candidate.end :].strip()
        if not word and ch.isspace():
            return "cut" if ch == "\n" else "wait"
        if not word and (ch in "¿¡" or not ch.isupper()):
            return "cut" if ch in "¿¡" else "keep"
        if ch.isalpha() or ch in "'’":
            return "wait"
        if candidate.rule == "starter":
            return "cut" if self._stops.opens_sentence(word) else "keep"
        is_spelled = candidate.mark == "," and len(word) == 1  # "7, 4, Q, 2"
        return "keep" if is_spelled or self._stops.continues(word) else "cut"


def _is_small(ch: str) -> bool:
    """Whether a small letter where others are written large: not so in Georgian sentences."""
    return ch.islower() and not "\u10d0" <= ch <= "\u10ff"
