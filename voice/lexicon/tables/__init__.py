"""The tables: one module for each deep language, one for each family of the others."""

from __future__ import annotations

from voice.lexicon.table import Table
from voice.lexicon.tables import (
    cantonese,
    english,
    french,
    german,
    italian,
    japanese,
    korean,
    mandarin,
    portuguese,
    spanish,
)

TABLES: tuple[Table, ...] = (
    english.TABLE,
    german.TABLE,
    spanish.TABLE,
    italian.TABLE,
    french.TABLE,
    portuguese.TABLE,
    mandarin.TABLE,
    cantonese.TABLE,
    japanese.TABLE,
    korean.TABLE,
)
