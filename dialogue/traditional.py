"""Simplified Chinese characters in their traditional form, one for one.

For text that a model, or a recogniser of another region, wrote in simplified characters although
the call's voice reads traditional ones. Common characters only, each in its most usual form: which
of several traditional characters a rarer word has is not looked into. The length of the text never
changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

# These stand in traditional text too, for other words: they follow only what is surely simplified.
_DOUBTFUL = "后後 几幾 复復 云雲 划劃"
_IN_BOTH = "着吓咸晒伙冲"  # Cantonese writes them so: 唔該晒, 伙計, 冲涼


def has_simplified(text: str) -> bool:
    """Whether some character of ``text`` is written in simplified form only."""
    if text.isascii():
        return False
    sure = _sure()
    return any(ord(char) in sure for char in text)


def traditional(text: str) -> str:
    """``text`` in traditional characters, as long as it was; text without simplified ones as is."""
    return text.translate(_all()) if has_simplified(text) else text


@cache
def _sure() -> Mapping[int, str]:
    pairs = (files("dialogue") / "traditional.txt").read_text("utf-8").split()
    return {ord(pair[0]): pair[1] for pair in pairs if pair[0] not in _IN_BOTH}


@cache
def _all() -> dict[int, str]:
    return dict(_sure()) | {ord(pair[0]): pair[1] for pair in _DOUBTFUL.split()}
