"""What words tell about turns, by language: pure tables and look-ups, no I/O, no clock.

Every function takes a BCP-47 tag, falls back to what holds in every language, and never raises on
text. ``zh-HK``, ``zh-MO`` and ``yue`` are Cantonese; other ``zh`` is Mandarin.
"""

from __future__ import annotations

from voice.lexicon.answers import (
    has_stop_word,
    is_backchannel,
    is_filler,
    is_polite_tail,
    is_yes_or_no,
)
from voice.lexicon.asked import phone_digits, what_was_asked
from voice.lexicon.ends import end_cue
from voice.lexicon.kinds import Asked, Cue, LexicalCue
from voice.lexicon.numbers import digits_in
from voice.lexicon.registry import languages
from voice.words import units

__all__ = [
    "Asked",
    "Cue",
    "LexicalCue",
    "digits_in",
    "end_cue",
    "has_stop_word",
    "is_backchannel",
    "is_filler",
    "is_polite_tail",
    "is_yes_or_no",
    "languages",
    "phone_digits",
    "units",
    "what_was_asked",
]
