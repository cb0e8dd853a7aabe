"""Numbers that were heard in words, as they are written: 九一二三四五六七 is 91234567.

For what reads the caller's words after the call has heard them: a language model, and the tools
that it gives numbers to. The record keeps the words as they were heard.
"""

from __future__ import annotations

from dialogue.spoken.digit_words import tongue
from dialogue.written.cantonese import written_numbers

__all__ = ["as_written"]


def as_written(text: str, language: str) -> str:
    """The caller's words with their numbers in digits, where the language has rules for it.

    Args:
        text: What was heard; in any script.
        language: BCP-47 tag; anything but Cantonese comes back as it is.
    """
    return written_numbers(text) if tongue(language) == "yue" else text
