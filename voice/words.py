"""Words as the endpointer compares and joins them, in scripts with and without spaces.

A word is a run of letters, digits and combining marks; a Han character or kana is a word by itself.
Two texts are the same when their words are: case, punctuation, spacing and compatibility forms
(full-width letters, ligatures) do not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

_APOSTROPHES = frozenset("'’ʼ＇")
_HESITATION_SPELLINGS = (
    "um umm uh uhm er erm hm hmm mm mmm mhm mmhmm uhhuh huh ah eh oh ehm euh äh ähm hum"
    " 嗯 唔 呃 哦 喔 啊 呀 欸 誒 噢 え ん"
)
_HESITATIONS = frozenset(_HESITATION_SPELLINGS.split())
# Han (with extensions), kana, and the full-width punctuation that stands between them.
_UNSPACED = (
    (0x2E80, 0x303F),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF61, 0xFF9F),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its comparable form and where it stands in the text it came from."""

    form: str
    start: int
    end: int


def is_unspaced(char: str) -> bool:
    """True for a character of a script that is written without spaces between words."""
    code = ord(char)
    return code >= 0x2E80 and any(low <= code <= high for low, high in _UNSPACED)


def split_words(text: str) -> list[Word]:
    """The words of ``text`` in order; apostrophes inside a word are left out of its form."""
    words: list[Word] = []
    form, start = "", 0
    for at, char in enumerate(text):
        if unicodedata.category(char)[0] in "LNM":
            if is_unspaced(char):
                if form:
                    words.append(Word(form, start, at))
                    form = ""
                words.append(Word(_comparable(char), at, at + 1))
                continue
            if not form:
                start = at
            form += _comparable(char)
        elif form and char not in _APOSTROPHES:
            words.append(Word(form, start, at))
            form = ""
    if form:
        words.append(Word(form, start, len(text)))
    return words


def _comparable(char: str) -> str:
    return unicodedata.normalize("NFKC", char).casefold()


def normalise(text: str) -> tuple[str, ...]:
    """The comparable forms of the words of ``text``."""
    return tuple(word.form for word in split_words(unicodedata.normalize("NFC", text)))


def has_words(text: str) -> bool:
    """True when there is anything to answer: one word at least, be it only "um"."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)


def has_real_words(text: str) -> bool:
    """True when some word is more than a hesitation or a listener's "mhm"."""
    return any(form not in _HESITATIONS for form in normalise(text))


def units(text: str) -> float:
    """How much was said, in words: one for each word, a half for each Han character or kana."""
    return sum(0.5 if is_unspaced(word.form[0]) else 1.0 for word in split_words(text))


def join_words(parts: Iterable[str]) -> str:
    """One text of several, with a space in between except next to unspaced scripts."""
    joined = ""
    for part in parts:
        trimmed = part.strip()
        if not trimmed:
            continue
        if joined and not (is_unspaced(joined[-1]) or is_unspaced(trimmed[0])):
            joined += " "
        joined += trimmed
    return joined


def remainder(phrase: str, taken: str, *, is_same_phrase: bool) -> str:
    """What ``phrase`` says beyond ``taken``, an earlier and perhaps different hearing of it.

    Args:
        phrase: The newer hearing, from its first word.
        taken: The words of it that were already acted upon.
        is_same_phrase: False when it may also be a new phrase: then texts that share less than half
            of their words count as two, and all of ``phrase`` is returned.

    Returns:
        The rest of ``phrase`` in its own spelling; empty when there is nothing new.
    """
    old = normalise(taken)
    if not old:
        return phrase
    phrase = unicodedata.normalize("NFC", phrase)
    words = split_words(phrase)
    new = tuple(word.form for word in words)
    if new[: len(old)] == old:
        kept = len(old)
    else:
        blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        shared = sum(block.size for block in blocks)
        if not is_same_phrase and shared * 2 < min(len(old), len(new)):
            return phrase
        last = blocks[-2] if len(blocks) > 1 else blocks[-1]
        after_old, after_new = (last.a + last.size, last.b + last.size) if shared else (0, 0)
        kept = after_new + len(old) - after_old
    return phrase[words[kept].start :].strip() if kept < len(words) else ""
