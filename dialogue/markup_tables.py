"""What markup looks like in the replies of language models: words, tags, symbols."""

from __future__ import annotations

import re

PROSE_FENCES = frozenset(["", "text", "txt", "plain", "plaintext", "markdown", "md"])
REASONING_TAGS = frozenset(["think", "thinking", "thought", "reasoning", "scratchpad"])
END_CALL_TAGS = frozenset(["end_call", "hang_up", "hangup", "endcall"])
SPACE_TAGS = frozenset(["br", "p", "break", "s", "li", "div"])
BULLETS = "•·‣◦"
CLOSERS = {"*": "*", "(": ")", "（": "）"}
TAG_NAME = re.compile(r"</?\s*([\w-]+)")

_SYMBOL_RANGES = (
    "\U0001f000-\U0001faff\U000e0000-\U000e007f\u2600-\u27bf\u2b00-\u2bff\u2190-\u21ff"
    "\u2300-\u23ff\u25a0-\u25ff\ufe00-\ufe0f\u20e3"
)
_UNSPEAKABLE = re.compile(
    f"[{_SYMBOL_RANGES}\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufffc\ufffd"
    "\ud800-\udfff]"
)
PLAIN_RUN = re.compile(f"[^\n*_`~<&\\[(（【|\u200d{_UNSPEAKABLE.pattern[1:-1]}]+")


def is_unspeakable(ch: str) -> bool:
    """Whether a voice has no sound for this character: emoji, arrows, controls, surrogates."""
    return _UNSPEAKABLE.match(ch) is not None
