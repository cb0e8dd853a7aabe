"""Replies of telephone agents, marked where a voice's text may be cut, and how they are streamed.

The files are ``tests/fixtures/replies/<tag>.txt``; their README says what the marks mean.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "tests" / "fixtures" / "replies"
_MARK = re.compile("[|¦]")
# Letters of one token, by the language or else the script of a word, as the vocabulary o200k cuts
# these replies; marks above and below count as letters.
_BY_LANGUAGE = {"en": 10, "zh": 1.5, "zh-TW": 1.2, "zh-HK": 1.0, "ja": 1.7, "ko": 1.6}
_BY_SCRIPT = (
    ("\u0041", "\u024f", 4.5),
    ("\u0370", "\u052f", 3.5),  # Greek, Cyrillic
    ("\u0530", "\u058f", 2.5),  # Armenian
    ("\u0590", "\u08ff", 3.5),  # Hebrew, Arabic
    ("\u0900", "\u0dff", 3.5),  # India
    ("\u0e00", "\u0e7f", 2.5),  # Thai
    ("\u0e80", "\u0eff", 0.6),  # Lao
    ("\u1000", "\u109f", 1.6),  # Burmese
    ("\u10a0", "\u10ff", 2.5),  # Georgian
    ("\u1200", "\u137f", 0.6),  # Ethiopic
    ("\u1780", "\u17ff", 1.6),  # Khmer
    ("\u1e00", "\u1eff", 4.5),
)


@dataclass(frozen=True, slots=True)
class MarkedReply:
    """One reply.

    Attributes:
        language: BCP-47 tag.
        text: As the model writes it.
        cuts: Where it may be cut: how many characters other than space come before.
    """

    language: str
    text: str
    cuts: frozenset[int]

    @property
    def length(self) -> int:
        """Characters other than space."""
        return solid_length(self.text)

    def bad_cuts(self, segments: list[str]) -> list[str]:
        """The ends of segments that are where no cut may be, with what stands around them.

        Raises:
            ValueError: The segments do not say what the reply says.
        """
        solid = "".join(self.text.split())
        at, bad = 0, []
        for segment in segments:
            for ch in "".join(segment.split()):
                while at < len(solid) and solid[at] != ch and not solid[at].isalnum():
                    at += 1  # punctuation that no word follows
                if at == len(solid) or solid[at] != ch:
                    raise ValueError(f"{segment!r} is not what {self.text!r} says")
                at += 1
            end = at
            while end not in self.cuts and end < len(solid) and not solid[end].isalnum():
                end += 1
            if end not in self.cuts and end != len(solid):
                bad.append(f"{solid[max(at - 12, 0) : at]}✂{solid[at : at + 12]}")
        return bad


def solid_length(text: str) -> int:
    """Characters other than space."""
    return sum(1 for ch in text if not ch.isspace())


def read_reply(line: str, language: str) -> MarkedReply:
    """A line of a file."""
    cuts, before = set(), 0
    for part in _MARK.split(line)[:-1]:
        before += solid_length(part)
        cuts.add(before)
    return MarkedReply(language, _MARK.sub("", line), frozenset(cuts))


def languages() -> list[str]:
    """The tags of all files."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def replies(language: str) -> list[MarkedReply]:
    """All of a language."""
    lines = (FOLDER / f"{language}.txt").read_text("utf-8").splitlines()
    return [read_reply(line, language) for line in lines if line and not line.startswith("#")]


def tokens(text: str, language: str) -> list[str]:
    """The text as a language model streams it; joined they are the text.

    A model of a vocabulary, since none is shipped with the project: a word with the space before it
    is cut every so many letters, digits come in threes, punctuation and line ends alone.
    """
    found: list[str] = []
    kind, at = "space", 0
    for ch in text:
        before, kind = kind, _kind(ch)
        leads = before == "space" and kind not in ("space", "digit") and found[-1:] == [" "]
        at = at + 1 if kind == before and kind != "space" else 0
        size = 3.0 if kind == "digit" else 2.0 if kind == "mark" else _letters(ch, language)
        if leads or (at and int(at / size) == int((at - 1) / size)):
            found[-1] += ch
        else:
            found.append(ch)
    return found


def _kind(ch: str) -> str:
    if ch.isspace():
        return "space"
    if ch.isdigit():
        return "digit"
    return "letter" if ch.isalpha() or unicodedata.category(ch)[0] == "M" else "mark"


def _letters(ch: str, language: str) -> float:
    primary = language.split("-")[0]
    own = _BY_LANGUAGE.get(language) or _BY_LANGUAGE.get(primary)
    if own is not None and (ch > "\u2e7f" or primary == "en"):
        return own
    for first, last, size in _BY_SCRIPT:
        if first <= ch <= last:
            return size
    return 1.0 if ch > "\u2e7f" else 4.0
