"""Streamed reply text -> segments that can be handed to a voice one by one.

Rules
1. A *unit* is about one spoken syllable: 1 for a Han character, kana, Hangul syllable or digit, 1/3
   for a letter of an alphabet. Every threshold counts units, so that Cantonese is not made to wait
   for an English number of characters.
2. The first segment is short, because the caller waits for it: it ends at a sentence end once it
   has ``min_units``, or at a clause end once it has ``first_clause_units``. Later segments end at
   sentence ends, or at clause ends once they have ``clause_units``.
3. CJK sentence ends (。！？) and line ends decide at once. A full stop is judged by the next
   character, and where that is not enough (``a.m.``, ``No.``) by the next that is not a space.
4. Never inside a number ("22,1", "1,000", "１，０００", "10:30"), an abbreviation, an address.
5. A segment never exceeds ``max_units`` or ``max_chars``; it is then cut between two words.
6. One character is taken at a time: the segments do not depend on how the stream was cut into
   deltas. Nothing but space is lost, and punctuation that no word follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dialogue.abbreviations import StopReader

_ENDS_AT_ONCE = frozenset("。！？｡…؟۔।॥։።")
_ENDS = frozenset(".!?．")
_CLAUSES_CJK = frozenset("，、；：﹐､،؛")
_CLAUSES = frozenset(",;:")
_DASHES = frozenset("—―–-")
_CLOSERS = frozenset("\"'”’»)]}」』）】》〉")
_NEVER_LEADING = "」』）】》〉”»)]}。！？｡…!?؟۔।॥ "
_SPACES = frozenset(ch for ch in map(chr, range(0x3001)) if ch.isspace())
_SPECIAL = _ENDS_AT_ONCE | _ENDS | _CLAUSES_CJK | _CLAUSES | _DASHES | _SPACES
_PLAIN_RUN = re.compile(f"[^{re.escape(''.join(sorted(_SPECIAL)))}]+")
# Written without spaces between words: a space ends a clause.
_SPACE_IS_CLAUSE = frozenset(["th", "lo", "km", "my"])

_Rule = Literal["space", "capital", "not_digit", "any"]


@dataclass(frozen=True, slots=True)
class CutLimits:
    """Thresholds of the cutter, in spoken units unless said otherwise."""

    min_units: float = 1.3
    first_clause_units: float = 2.3
    clause_units: float = 8.0
    max_units: float = 56.0
    max_chars: int = 180


@dataclass(slots=True)
class _Candidate:
    """A place where the text may be cut, once the next characters allow it.

    Attributes:
        end: Length of the segment.
        rule: What must come next: a space (``space``), anything but a digit (``not_digit``, spaces
            are skipped), a capital (``capital``, likewise), or anything (``any``).
    """

    end: int
    is_sentence: bool
    rule: _Rule
    mark: str


class SegmentCutter:
    """Cuts one reply.

    Args:
        language: BCP-47 tag of the reply.
        limits: Thresholds.
    """

    def __init__(self, language: str, limits: CutLimits | None = None) -> None:
        self._limits = limits or CutLimits()
        self._stops = _stop_reader(language)
        self._space_is_clause = language.split("-")[0].casefold() in _SPACE_IS_CLAUSE
        self._pending = ""
        self._units = 0.0
        self._candidate: _Candidate | None = None
        self._is_first = True
        self._ready: list[str] = []

    def feed(self, text: str) -> list[str]:
        """Take the next characters; return the segments that are complete by now."""
        position, end = 0, len(text)
        while position < end:
            run = _PLAIN_RUN.match(text, position) if self._candidate is None else None
            if run is not None and self._has_room(run.end() - position):
                self._pending += run.group()
                for ch in run.group():
                    self._units += _UNITS[ch]
                position = run.end()
            else:
                self._take(text[position])
                position += 1
        return self._drain()

    def finish(self) -> list[str]:
        """The reply is over: return the rest, if there are words in it."""
        self._cut(len(self._pending))
        return self._drain()

    def _drain(self) -> list[str]:
        ready, self._ready = self._ready, []
        return ready

    # --- one character ----------------------------------------------------------------------------

    def _take(self, ch: str) -> None:
        if self._candidate is not None:
            if self._extends(ch):
                self._append(ch)
                self._candidate.end = len(self._pending)
                return
            self._decide(ch)
        if ch not in _SPECIAL:
            self._append(ch)
        elif ch.isspace():
            self._space(ch)
        else:
            self._append(ch)
            self._punctuation(ch)
        if not self._has_room(0):
            self._cut_long()

    def _has_room(self, chars: int) -> bool:
        """Whether so many characters, of at most one unit each, fit for certain."""
        limits = self._limits
        return (
            self._units + chars <= limits.max_units
            and len(self._pending) + chars <= limits.max_chars
        )

    def _append(self, ch: str) -> None:
        self._pending += ch
        self._units += _UNITS[ch]

    def _space(self, ch: str) -> None:
        if ch == "\n" and self._cut_at(len(self._pending), is_sentence=True):
            return
        if self._space_is_clause and self._candidate is None:
            self._cut_at(len(self._pending), is_sentence=False)
        if self._pending and not self._pending.endswith(" "):
            self._pending += " "

    def _punctuation(self, ch: str) -> None:
        before = self._pending[-2:-1]
        end = len(self._pending)
        if ch in _ENDS_AT_ONCE:
            self._cut_at(end, is_sentence=True)
        elif ch in _ENDS:
            self._candidate = _Candidate(end, is_sentence=True, rule="space", mark=ch)
        elif ch in _CLAUSES_CJK:
            if before.isdigit():
                self._candidate = _Candidate(end, is_sentence=False, rule="not_digit", mark=ch)
            else:
                self._cut_at(end, is_sentence=False)
        elif ch in _CLAUSES or (ch in "–-" and before == " "):
            self._candidate = _Candidate(end, is_sentence=False, rule="space", mark=ch)
        elif ch in "—―":
            rule: _Rule = "not_digit" if self._pending[:-1].rstrip()[-1:].isdigit() else "any"
            self._candidate = _Candidate(end, is_sentence=False, rule=rule, mark=ch)

    # --- look-ahead -------------------------------------------------------------------------------

    def _extends(self, ch: str) -> bool:
        """Whether ``ch`` still belongs to the punctuation that was seen: ``?!``, ``."``, ``——``."""
        candidate = self._candidate
        if candidate is None or candidate.end != len(self._pending):
            return False
        if candidate.is_sentence:
            return ch in _CLOSERS or ch in _ENDS
        return (ch in _CLOSERS and candidate.mark in _CLAUSES) or ch == candidate.mark == "—"

    def _decide(self, ch: str) -> None:
        candidate = self._candidate
        if candidate is None:
            return
        rule = candidate.rule
        if rule == "space":
            rule = self._after_mark(candidate, ch)
        if ch.isspace() and ch != "\n" and rule in ("capital", "not_digit"):
            candidate.rule = rule
            return
        self._candidate = None
        if rule == "not_digit":
            allowed = not ch.isdigit()
        elif rule == "capital":
            allowed = ch == "\n" or (ch.isalpha() and not ch.islower()) or ch in "“«「¿¡\"'"
        else:
            allowed = rule == "any"
        if allowed:
            self._cut_at(candidate.end, is_sentence=candidate.is_sentence)

    def _after_mark(self, candidate: _Candidate, ch: str) -> _Rule:
        """The rule that holds once the character right after the mark is known.

        ``any`` allows the cut, ``space`` (still) forbids it.
        """
        text = self._pending[: candidate.end].rstrip("\"'”’»)]}」』）】》〉")
        if not (ch.isspace() or (_UNITS[ch] == 1 and not ch.isdigit())):
            return "space"
        if ch.isspace() and text[-2:-1].isdigit() and not candidate.is_sentence:
            return "not_digit"
        if candidate.mark in "!?" or not candidate.is_sentence:
            return "any"
        if text.endswith(("!", "?")):
            return "any"
        return _RULE_OF[self._stops.judge(text[:-1])]

    # --- cutting ----------------------------------------------------------------------------------

    def _cut_at(self, end: int, *, is_sentence: bool) -> bool:
        limits = self._limits
        clause = limits.first_clause_units if self._is_first else limits.clause_units
        if self._units < (limits.min_units if is_sentence else clause):
            return False
        return self._cut(end)

    def _cut(self, end: int) -> bool:
        """Emit ``end`` characters; the rest, if any, stays and is counted anew."""
        segment = self._pending[:end].lstrip(_NEVER_LEADING).rstrip()
        rest = self._pending[end:].lstrip()
        self._pending, self._units, self._candidate = "", 0.0, None
        if any(ch.isalnum() for ch in segment):
            self._ready.append(segment)
            self._is_first = False
        for ch in rest:
            self._take(ch)
        return True

    def _cut_long(self) -> None:
        """The segment is too long: cut it between two words, however it may sound."""
        text = self._pending
        for end in range(len(text) - 1, len(text) // 3, -1):
            left, right = text[end - 1], text[end]
            if left == " ":
                between_digits = text[end - 2].isdigit() and right.isdigit()
            else:
                between_digits = _UNITS[left] != 1 or _UNITS[right] != 1 or left.isdigit()
            if not between_digits and not right.isspace():
                self._cut(end)
                return
        if len(text) > self._limits.max_chars:
            self._cut(_before_number(text))


def _before_number(text: str) -> int:
    """The last place in an endless word that is not inside a number, if there is one."""
    for end in range(len(text) - 1, len(text) // 3, -1):
        if not (text[end - 1].isdigit() and text[end].isdigit()):
            return end
    return len(text) - 1


_RULE_OF: dict[str, _Rule] = {
    "cut": "any",
    "keep": "space",
    "cut_before_capital": "capital",
    "keep_before_digit": "not_digit",
}


class _Units(dict[str, float]):
    """Spoken units of a character, computed once for each."""

    def __missing__(self, ch: str) -> float:
        if not ch.isalnum():
            value = 0.0
        elif (
            ch.isdigit()
            or "\u3040" <= ch <= "\u30ff"
            or "\u3400" <= ch <= "\u9fff"
            or "\uac00" <= ch <= "\ud7a3"
            or "\uf900" <= ch <= "\ufaff"
            or "\U00020000" <= ch <= "\U0003ffff"
        ):
            value = 1.0
        else:
            value = 1 / 3
        self[ch] = value
        return value


_UNITS = _Units()
_READERS: dict[str, StopReader] = {}


def _stop_reader(language: str) -> StopReader:
    reader = _READERS.get(language)
    if reader is None:
        reader = _READERS[language] = StopReader(language)
    return reader
