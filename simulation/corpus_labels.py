"""What a person wrote about a recording, checked against the recording itself.

A label that is wrong is a figure that is wrong, and nobody sees it in the figure. So what cannot be
is said: times that are no numbers, run backwards or lie outside the file. Times of publishers are
rounded: those that end up to ``ROUNDED_S`` behind the file end with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from simulation.clip_library import Word
from simulation.errors import ClipUnreadable

ROLES = ("utterance", "digit", "yes_no", "backchannel", "interruption")
ROUNDED_S = 0.1
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")

Segments = tuple[tuple[float, float], ...]


def text_field(entry: dict[str, Any], name: str) -> str:
    """A field that has to be there and to be text. Raises ``ClipUnreadable``."""
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ClipUnreadable(f"{name}: must be text, and is {_shown(value)}")
    return value.strip()


def language_of(entry: dict[str, Any]) -> str:
    """The tag of its language, known to us or not. Raises ``ClipUnreadable``."""
    tag = text_field(entry, "language")
    if not _TAG.fullmatch(tag):
        raise ClipUnreadable(f"language: {_shown(tag)} is no BCP-47 tag, such as en-US or yue")
    return tag


def role_of(entry: dict[str, Any]) -> str:
    """What it can be in a corpus. Raises ``ClipUnreadable``."""
    role = entry.get("role", "utterance")
    if role not in ROLES:
        raise ClipUnreadable(f"role: {_shown(role)} is none of {', '.join(ROLES)}")
    return str(role)


def segments_of(name: str, given: Any, duration_s: float) -> Segments:
    """Labelled stretches of speech, in order.

    Args:
        name: The field, for messages.
        given: Its value.
        duration_s: Length of the recording.

    Raises:
        ClipUnreadable: They are no times of this recording.
    """
    spans = [_times(name, one, 2) for one in _listed(name, given)]
    found = tuple((begin, end) for begin, end in spans)
    for begin, end in found:
        if begin < 0.0 or end <= begin:
            raise ClipUnreadable(f"{name}: from {begin:g} to {end:g} s is no stretch of time")
    for (_, end), (begin, _) in pairwise(found):
        if begin < end:
            raise ClipUnreadable(f"{name}: the one from {begin:g} s begins before {end:g} s")
    if found[-1][1] > duration_s + ROUNDED_S:
        last_s = found[-1][1]
        raise ClipUnreadable(f"{name}: end at {last_s:g} s, and the recording at {duration_s:.2f}")
    inside = tuple((begin, min(end, duration_s)) for begin, end in found)
    return tuple((begin, end) for begin, end in inside if begin < end)


def words_of(given: Any, shown: Sequence[str], duration_s: float) -> tuple[Word, ...]:
    """Timed words of a transcript.

    Args:
        given: ``[text, start_s, end_s]`` each.
        shown: The words of the transcript.
        duration_s: Length of the recording.

    Raises:
        ClipUnreadable: They are others, or no times of this recording.
    """
    timed = _listed("words", given)
    if len(timed) != len(shown):
        raise ClipUnreadable(f"words: {len(timed)}, and {len(shown)} in the transcript")
    words: list[Word] = []
    for one, display in zip(timed, shown, strict=True):
        text = one[0] if isinstance(one, list) and one else None
        if not isinstance(text, str):
            raise ClipUnreadable(f"words: {_shown(one)} is not [word, start, end]")
        start_s, end_s = _times("words", one[1:], 2)
        if start_s < 0.0 or end_s < start_s or end_s > duration_s + ROUNDED_S:
            raise ClipUnreadable(f"words: {text!r} from {start_s:g} to {end_s:g} s cannot be")
        if words and start_s < words[-1].start_s:
            raise ClipUnreadable(f"words: {text!r} begins before the word before it")
        words.append(Word(text, start_s, min(end_s, duration_s), display))
    return tuple(words)


def _listed(name: str, given: Any) -> list[Any]:
    if not isinstance(given, list) or not given:
        raise ClipUnreadable(f"{name}: must be a list, and is {_shown(given)}")
    return given


def _times(name: str, given: Any, count: int) -> list[float]:
    """The first ``count`` of a list of seconds."""
    times = given[:count] if isinstance(given, list) else []
    is_good = all(isinstance(each, int | float) and math.isfinite(each) for each in times)
    if len(times) < count or not is_good:
        raise ClipUnreadable(f"{name}: {_shown(given)} are no seconds")
    return [float(each) for each in times]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
