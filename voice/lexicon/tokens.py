"""Words of a text as the tables spell them: NFKC, case-folded, apostrophes straight and kept.

A Han character or kana is a token by itself, and so is a character of the other scripts that are
written without spaces (Thai, Lao, Khmer, Burmese); elsewhere a run of letters, digits and marks is.
"""

from __future__ import annotations

import re
import unicodedata

# Letters and digits of every script, with the vowel signs and points that ``\w`` leaves out.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0d7f"
    "\u0d81-\u0dff\u135d-\u135f\u200c\u200d"
)
_UNSPACED = (
    "\u3005\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u1059\u1780-\u17d3"
)
_TOKEN = re.compile(
    rf"[{_UNSPACED}]|(?:[^\W_{_UNSPACED}]|[{_MARKS}])+(?:'(?:[^\W_{_UNSPACED}]|[{_MARKS}])*)*"
)
_CURLY = str.maketrans({"’": "'", "ʼ": "'", "＇": "'", "‘": "'", "`": "'", "´": "'"})


def fold(text: str) -> str:
    """``text`` as the tables are written."""
    text = text.translate(_CURLY)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def tokens_of(folded: str) -> list[str]:
    """The tokens of a text that went through ``fold``."""
    return _TOKEN.findall(folded)
