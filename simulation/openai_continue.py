"""A reply that was cut off, and is to be ended: what an emulated model adds.

A model that reads its own unfinished line, and after it the wish to continue it, writes the rest.
The emulated one composes its whole answer again and leaves out what stands there.
"""

from __future__ import annotations

import re
from typing import Any

_WISH = re.compile(r"\bcontinue\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def unfinished(messages: list[dict[str, Any]]) -> str | None:
    """The line that is to be continued; None when nothing of the kind is asked.

    Args:
        messages: The request's messages, with string contents.
    """
    if len(messages) < 3 or messages[-1].get("role") != "user":
        return None
    wish, line = messages[-1].get("content"), messages[-2].get("content")
    is_line = messages[-2].get("role") == "assistant" and isinstance(line, str)
    is_wish = isinstance(wish, str) and wish.startswith("[") and bool(_WISH.search(wish))
    return str(line) if is_line and is_wish else None


def rest_of(whole: str, begun: str) -> str:
    """``whole`` without ``begun`` at its beginning; all of it when it begins otherwise."""
    wanted = _SPACE.sub("", begun)
    at = 0
    for char in wanted:
        while at < len(whole) and whole[at].isspace():
            at += 1
        if at == len(whole) or whole[at] != char:
            return whole
        at += 1
    return whole[at:].lstrip()
