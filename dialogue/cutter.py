"""Streamed reply text -> segments that can be handed to a voice one by one.

Rules
1. A *unit* is about one spoken syllable: 1 for a Han character, kana, Hangul syllable or digit, 1/3
   for a letter of an alphabet (``cutter_marks``). Every threshold counts units, so that Cantonese
   is not made to wait for an English number of characters.
2. The first segment is short, because the caller waits for it: it ends at the first sentence or
   clause end that leaves it ``min_units``, or before a conjunction (``cutter_phrases``). Later
   segments end at sentence ends, or at clause ends once they have ``clause_units``.
3. What can mean nothing else decides at once: 。！？ and the like in every script, line ends,
   ``?`` and ``!`` outside addresses, the comma of a short first clause ("Of course,"). Any other
   comma waits for the next character to be no digit, a full stop as ``abbreviations`` says.
   Where there are brackets or quotes, one character is waited for, since it may close them.
4. Never inside a number ("22,1", "1,000", "１，０００", "10:30", "May 3, 2026"), an abbreviation,
   an address.
5. A segment never exceeds ``max_units`` or ``max_chars``; it is then cut between two words.
6. One character is taken at a time: the segments do not depend on how the stream was cut into
   deltas. Nothing but space is lost, and punctuation that no word follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dialogue.abbreviations import StopReader
from dialogue.cutter_lookahead import Candidate, LookAhead, Rule, extends
from dialogue.cutter_marks import (
    CLAUSES,
    CLAUSES_AT_ONCE,
    ENDS,
    ENDS_AT_ONCE,
    NEVER_LEADING,
    OPENERS,
    PARTS,
    PARTS_OF_UNIT,
    SPECIAL,
    is_one_han,
    is_unspaced,
    leaves_open,
    parts_of,
    units_of,
)
from dialogue.cutter_phrases import PhraseReader
from dialogue.cutter_spaces import SpaceReader

_PLAIN_RUN = re.compile(f"[^{re.escape(''.join(sorted(SPECIAL)))}]+")
_OPENER = re.compile(f"[{re.escape(''.join(sorted(OPENERS)))}]")
_ADDRESS = re.compile(r"@|://|www\.|[A-Za-z0-9]\.[A-Za-z]|/\S*$")
_AT_ONCE_UNITS = 3.5


@dataclass(frozen=True, slots=True)
class CutLimits:
    """Thresholds of the cutter, in spoken units unless said otherwise.

    Attributes:
        min_units: What a sentence needs to be said by itself.
        first_clause_units: What the first clause of a reply needs.
        one_word_units: Likewise where one Han character and a comma are all of it.
        first_pause_units: Likewise where only a space ends it, as in Thai, or a conjunction.
        clause_units: What any later clause needs.
    """

    min_units: float = 1.3
    first_clause_units: float = 1.3
    one_word_units: float = 1.0
    first_pause_units: float = 4.0
    clause_units: float = 8.0
    max_units: float = 56.0
    max_chars: int = 180


class SegmentCutter:
    """Cuts one reply.

    Args:
        language: BCP-47 tag of the reply.
        limits: Thresholds.
    """

    def __init__(self, language: str, limits: CutLimits | None = None) -> None:
        self._limits = limits or CutLimits()
        self._ahead, self._spaces, self._phrases = _readers(language)
        self._question = ";" if language.split("-")[0].casefold() == "el" else ""
        self._pending = ""
        self._parts = 0
        self._candidate: Candidate | None = None
        self._is_first = True
        self._is_open = False  # a bracket or quote, in a segment that is out
        self._ready: list[str] = []

    def feed(self, text: str) -> list[str]:
        """Take the next characters; return the segments that are complete by now."""
        position, end = 0, len(text)
        while position < end:
            run = _PLAIN_RUN.match(text, position) if self._candidate is None else None
            if run is not None and self._has_room(run.end() - position):
                self._pending += run.group()
                self._parts += parts_of(run.group())
                position = run.end()
                if self._is_first:
                    self._phrase_inside()
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

    def _take(self, ch: str) -> None:
        if self._candidate is not None:
            if extends(self._candidate, self._pending, ch):
                self._append(ch)
                self._candidate.end = len(self._pending)
                return
            self._decide(ch)
        if ch not in SPECIAL:
            self._append(ch)
        elif ch.isspace():
            self._space(ch)
        else:
            self._append(ch)
            if self._candidate is None:
                self._punctuation(ch)
        if not self._has_room(0):
            self._cut_long()
        elif self._is_first and ch not in SPECIAL:
            self._phrase_inside()

    @property
    def _units(self) -> float:
        return self._parts / PARTS_OF_UNIT

    def _has_room(self, chars: int) -> bool:
        """Whether so many characters, of at most one unit each, fit for certain."""
        limits = self._limits
        return (
            self._units + chars <= limits.max_units
            and len(self._pending) + chars <= limits.max_chars
        )

    def _append(self, ch: str) -> None:
        self._pending += ch
        self._parts += PARTS[ch]

    def _space(self, ch: str) -> None:
        if ch == "\n":
            self._candidate = None
            if self._cut_now(self._sentence_needs):
                return
        elif self._candidate is None and self._pending:
            if self._spaces.is_needed:
                self._pause()
            elif self._is_first:
                self._cut_phrase(self._phrases.end_at_space(self._pending))
        if self._pending and not self._pending.endswith(" "):
            self._pending += " "

    def _pause(self) -> None:
        """A space where spaces are the only punctuation."""
        match self._spaces.judge(self._pending):
            case "sentence":
                self._cut_now(self._sentence_needs)
            case "clause":
                limits = self._limits
                needs = limits.first_pause_units if self._is_first else limits.clause_units
                self._wait(needs, is_sentence=False, mark=" ", rule="native")
            case "none":
                pass

    def _phrase_inside(self) -> None:
        if self._candidate is None and self._phrases.looks_inside:
            least = int(self._limits.first_pause_units)
            self._cut_phrase(self._phrases.end_inside(self._pending, least))

    def _cut_phrase(self, end: int | None) -> None:
        if end is not None and units_of(self._pending[:end]) >= self._limits.first_pause_units:
            self._cut(end)

    @property
    def _sentence_needs(self) -> float:
        return self._limits.min_units

    @property
    def _clause_needs(self) -> float:
        limits = self._limits
        if not self._is_first:
            return limits.clause_units
        return limits.one_word_units if is_one_han(self._pending) else limits.first_clause_units

    def _punctuation(self, ch: str) -> None:
        before = self._pending[-2:-1]
        if ch in ENDS_AT_ONCE or ch in ENDS or ch == self._question:
            self._end(ch, before)
        elif ch in CLAUSES_AT_ONCE:
            if before.isdigit():
                self._wait(self._clause_needs, is_sentence=False, mark=ch, rule="not_digit")
            else:
                self._cut_now(self._clause_needs)
        elif ch in CLAUSES:
            short = self._is_first and self._units <= _AT_ONCE_UNITS and ch != ":"
            if short and _is_letter(before) and self._is_plain():
                self._cut_now(self._clause_needs)
            else:
                self._wait(self._clause_needs, is_sentence=False, mark=ch)
        elif ch in "—―" or before == " ":
            self._wait(self._clause_needs, is_sentence=False, mark=ch)

    def _end(self, ch: str, before: str) -> None:
        """The end of a sentence, perhaps."""
        if ch in ENDS_AT_ONCE:
            is_certain = not self._may_close() and not (ch == "…" and before.isdigit())
        else:
            is_certain = ch not in ".．" and self._is_plain()
        if is_certain:
            self._cut_now(self._sentence_needs)
        else:
            self._wait(self._sentence_needs, is_sentence=True, mark=ch)

    def _is_plain(self) -> bool:
        """Whether the mark at the end can belong to no address, quote or bracket."""
        return not (self._may_close() or _ADDRESS.search(self._pending.rsplit(" ", 1)[-1]))

    def _may_close(self) -> bool:
        return self._is_open or bool(_OPENER.search(self._pending))

    def _wait(self, needs: float, *, is_sentence: bool, mark: str, rule: Rule = "after") -> None:
        end = len(self._pending)
        self._candidate = Candidate(end, self._units, needs, is_sentence, mark, rule)

    def _decide(self, ch: str) -> None:
        candidate = self._candidate
        if candidate is None:
            return
        decision = self._ahead.decide(candidate, self._pending, ch)
        if decision == "wait":
            return
        self._candidate = None
        if decision == "cut" and candidate.units >= candidate.needs:
            self._cut(candidate.end)

    def _cut_now(self, needs: float) -> bool:
        return self._units >= needs and self._cut(len(self._pending))

    def _cut(self, end: int) -> bool:
        """Emit ``end`` characters; the rest, if any, stays and is counted anew."""
        segment = self._pending[:end].lstrip(NEVER_LEADING).rstrip()
        rest = self._pending[end:].lstrip()
        self._pending, self._parts, self._candidate = "", 0, None
        if any(ch.isalnum() for ch in segment):
            self._ready.append(segment)
            self._is_first = False
            self._is_open = leaves_open(segment, self._is_open)
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
                between_digits = not (is_unspaced(left) and is_unspaced(right)) or left.isdigit()
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


def _is_letter(ch: str) -> bool:
    """A letter, or a mark above or below one."""
    return ch.isalpha() or (ch > "\u02ff" and not ch.isdigit())


_Readers = tuple[LookAhead, SpaceReader, PhraseReader]
_READERS: dict[str, _Readers] = {}


def _readers(language: str) -> _Readers:
    known = _READERS.get(language)
    if known is None:
        primary = language.split("-")[0].casefold()
        spaces = SpaceReader(primary)
        ahead = LookAhead(StopReader(language), spaces)
        known = _READERS[language] = (ahead, spaces, PhraseReader(primary))
    return known
