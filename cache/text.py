"""Text as an exact key: what asks the same is written the same.

For questions only. The key of audio (``cache.clip_key``) takes the text as it is: punctuation
changes how a voice speaks, and marks count the characters of the very
text that was spoken.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BETWEEN_DIGITS = frozenset(".,:/-")
_ASCII_LOOSE: Final = re.compile(r"(?<=[0-9])[.,:/-](?=[0-9])|(?<!\S)-(?=[0-9])|([.,:/-])")
_ASCII_REST: Final = str.maketrans(
    {chr(code): None for code in (*range(0x20), 0x7F) if not chr(code).isspace()}
    | dict.fromkeys('!"()*;?[\\]_{}', " ")
    | {"'": None}
)


def exact_form(text: str) -> str:
    """NFKC, case folded, punctuation gone, white space collapsed.

    Marks that carry meaning stay: the point of ``3.5``, the sign of ``-5``, currency and ``%``,
    combining marks of every script. A space next to a Chinese, Japanese or Thai character goes, as
    recognisers put it there or not; Korean keeps its spaces. Idempotent.
    """
    if text.isascii():
        return _exact_ascii(text)
    # Folding may undo the composition and composing may undo the folding: twice is enough
    # (Unicode standard, section 3.13, toNFKC_Casefold).
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    kept = "".join(_keep(folded, index) for index in range(len(folded)))
    words = kept.split()
    joined: list[str] = []
    for word in words:
        if joined and not (is_unspaced(joined[-1][-1]) or is_unspaced(word[0])):
            joined.append(" ")
        joined.append(word)
    return unicodedata.normalize("NFKC", "".join(joined))


def _exact_ascii(text: str) -> str:
    """The same for what most callers say, in a tenth of the time: a crowd is normalised at once."""
    loose = _ASCII_LOOSE.sub(lambda match: " " if match[1] else match[0], text.lower())
    return " ".join(loose.translate(_ASCII_REST).split())


def _keep(text: str, index: int) -> str:
    """The character at ``index``, a space in place of a separator, or nothing."""
    char = text[index]
    category = unicodedata.category(char)
    if category[0] in "LNMS":
        return char
    if category[0] == "Z" or char.isspace():
        return " "
    if category[0] == "P":
        before = text[index - 1 : index]
        after = text[index + 1 : index + 2]
        if char in _BETWEEN_DIGITS and before.isdecimal() and after.isdecimal():
            return char
        if char == "-" and after.isdecimal() and (not before.strip() or is_unspaced(before)):
            return char
        if char in "%&@#":
            return char
        # An apostrophe belongs to its word (don't, dont); other marks separate words.
        return "" if char in "'’" else " "
    return ""


def is_unspaced(char: str) -> bool:
    """True for scripts that are written without spaces between words."""
    code = ord(char)
    return (
        0x2E80 <= code <= 0x312F  # CJK radicals, kana, bopomofo
        or 0x31A0 <= code <= 0x9FFF  # kana extensions, CJK ideographs
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
        or 0x0E00 <= code <= 0x0EFF  # Thai, Lao
    )
