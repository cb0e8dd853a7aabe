"""Words that should have come, and words that came: which were lost, which came again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of the words of one text.

    Attributes:
        lost: Where the words stood that did not come, counted from 0.
        extra: Where those should have stood that came and did not belong there.
    """

    lost: tuple[int, ...]
    extra: tuple[int, ...]


def compared(wanted: Sequence[str], came: Sequence[str]) -> Compared:
    """Hold the words that came against those that were wanted, in order."""
    lost: list[int] = []
    extra: list[int] = []
    matcher = SequenceMatcher(None, list(wanted), list(came), autojunk=False)
    for tag, begin, end, came_begin, came_end in matcher.get_opcodes():
        if tag in ("delete", "replace"):
            lost += range(begin, end)
        if tag in ("insert", "replace"):
            extra += [begin] * (came_end - came_begin)
    return Compared(tuple(lost), tuple(extra))


def per_text(texts: Sequence[Sequence[str]], found: Compared) -> list[tuple[int, int]]:
    """``(lost, extra)`` of each of several texts, whose words were compared as one."""
    ends: list[int] = []
    for words in texts:
        ends.append((ends[-1] if ends else 0) + len(words))
    lost, extra = [0] * len(texts), [0] * len(texts)
    for at in found.lost:
        lost[_text_of(at, ends)] += 1
    for at in found.extra:
        extra[_text_of(max(0, at - 1), ends)] += 1
    return list(zip(lost, extra, strict=True))


def _text_of(at: int, ends: Sequence[int]) -> int:
    return next((index for index, end in enumerate(ends) if at < end), len(ends) - 1)
