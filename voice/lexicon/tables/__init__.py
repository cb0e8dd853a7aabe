"""The tables: one module for each deep language, one for each family of the others."""

from __future__ import annotations

from voice.lexicon.table import Table
from voice.lexicon.tables import cantonese, english, mandarin

TABLES: tuple[Table, ...] = (english.TABLE, mandarin.TABLE, cantonese.TABLE)
