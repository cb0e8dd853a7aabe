"""A turn of speech as the key of an answer: what asks the same is written the same.

Stronger than ``cache.text.exact_form``, which it begins with: fillers and stammered repeats go,
contractions are written out, numbers are digits. Only what never changes the answer is removed:
"not", "no" and "okay" stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cache.spoken_numbers import english_digits, han_digits
from cache.text import exact_form

NORMALISER_VERSION: Final = 1
"""Grows when :func:`canonical` writes something otherwise: keys on disk are then made anew."""
MOST_CHARS: Final = 1_000
"""A longer text is nobody's question: it is not looked up at all."""

_LONGEST_REPEAT: Final = 3  # words: "can I can I", "I want to I want to"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILLERS: Final[Mapping[str, frozenset[str]]] = {
    "en": _words("um umm uh uhh uhm er erm hmm hm mm mhm please"),
    "de": _words("äh ähm öh hm hmm bitte"),
    "fr": _words("euh heu hum hm"),
    "es": _words("eh em hm"),
    "it": _words("ehm eh uhm"),
    "pt": _words("hum hm ahn"),
    "nl": _words("eh ehm uh uhm"),
}
_HAN_FILLERS: Final = re.compile("[嗯呃欸]|^請問|^请问|^唔好意思")

_NOT: Final = _words(
    "do does did is are was were have has had would should could must need ca wo might ai"
)
_STEMS: Final = {"ca": "can", "wo": "will", "ai": "is"}
_CONTRACTED: Final[Mapping[str, str]] = {
    f"{stem}nt": f"{_STEMS.get(stem, stem)} not" for stem in _NOT
} | {
    "cannot": "can not",
    "im": "i am",
    "ive": "i have",
    "youre": "you are",
    "youve": "you have",
    "theyre": "they are",
    "whats": "what is",
    "thats": "that is",
    "theres": "there is",
    "wheres": "where is",
    "hows": "how is",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "oclock": "o'clock",
}
_APOSTROPHE: Final = re.compile(
    r"\b(?:(i)['’](m|ll|d|ve)|(we|you|they|he|she|it)['’](ll|d|re|ve))\b", re.IGNORECASE
)
_WRITTEN_OUT: Final = {"m": "am", "ll": "will", "d": "would", "ve": "have", "re": "are"}
_MERIDIEM: Final = re.compile(r"(?<!\S)([ap]) ?m(?!\S)")
_GLUED_MERIDIEM: Final = re.compile(r"(\d)([ap]m)(?!\S)")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def canonical(text: str, language: str) -> str:
    """The key of ``text``; idempotent, empty when nothing was said. Never raises on text.

    Args:
        text: One turn as the recogniser wrote it.
        language: BCP-47 tag; an unknown one gets the rules that no language breaks.
    """
    first = language.lower().split("-")[0]
    if first == "en":
        text = _APOSTROPHE.sub(_write_out, text)
    form = _THOUSANDS.sub("", exact_form(text))
    if first in ("zh", "yue", "cmn"):
        return _without_repeats(_settled(form))
    words = [word for word in form.split() if word not in _FILLERS.get(first, frozenset())]
    if not words:
        words = form.split()  # nothing but a filler is still something: "please"
    if first == "en":
        words = " ".join(_CONTRACTED.get(word, word) for word in words).replace("'", "").split()
        words = _MERIDIEM.sub(r"\1m", " ".join(words)).split()
        words = _GLUED_MERIDIEM.sub(r"\1 \2", " ".join(english_digits(words))).split()
    return _without_repeats(" ".join(words))


def _settled(form: str) -> str:
    return han_digits(_HAN_FILLERS.sub("", form) or form)


def _write_out(match: re.Match[str]) -> str:
    who, what = match.group(1) or match.group(3), match.group(2) or match.group(4)
    return f"{who} {_WRITTEN_OUT[what.lower()]}"


def _without_repeats(form: str) -> str:
    """``can i can i pay`` is ``can i pay``; digits may be said twice on purpose."""
    words = form.split()
    if len(set(words)) == len(words):
        return " ".join(words)
    kept: list[str] = []
    for word in words:
        kept.append(word)
        for size in range(_LONGEST_REPEAT, 0, -1):
            last = kept[-size:]
            if len(kept) >= 2 * size and last == kept[-2 * size : -size]:
                if any(part[0].isdigit() for part in last):
                    continue
                del kept[-size:]
                break
    return " ".join(kept)
