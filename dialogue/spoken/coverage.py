"""Which rules of this package have words for a language."""

from __future__ import annotations

from dialogue.spoken.addresses import ADDRESS_LANGUAGES
from dialogue.spoken.digit_words import DIGIT_LANGUAGES, tongue
from dialogue.spoken.numbers import RANGE_LANGUAGES
from dialogue.spoken.quantity_words import CLOCKS, CURRENCIES, DATES, UNITS
from dialogue.spoken.shortened import SHORTENED_LANGUAGES

_GROUPS = (
    ("digits", DIGIT_LANGUAGES),
    ("addresses", ADDRESS_LANGUAGES),
    ("ranges", RANGE_LANGUAGES),
    ("dates", frozenset(DATES)),
    ("money", frozenset(CURRENCIES)),
    ("times", frozenset(CLOCKS)),
    ("units", frozenset(UNITS)),
    ("abbreviations", SHORTENED_LANGUAGES),
)


def rule_groups(language: str) -> tuple[str, ...]:
    """Names of what is put into words in a language, for a voice that would read it wrongly."""
    own = tongue(language)
    found = [name for name, known in _GROUPS if own in known]
    return (*found, "Cantonese") if own == "yue" else tuple(found)
