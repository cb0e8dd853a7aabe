"""The tables: one module for each deep language, one for each family of the others."""

from __future__ import annotations

from voice.lexicon.table import Table
from voice.lexicon.tables import (
    baltic_uralic,
    cantonese,
    east_slavic,
    english,
    french,
    german,
    germanic,
    indic,
    italian,
    japanese,
    korean,
    mandarin,
    others,
    portuguese,
    romance,
    south_slavic,
    southeast_asian,
    spanish,
    turkic,
    west_asian,
    west_slavic,
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
    *germanic.TABLES,
    *romance.TABLES,
    *east_slavic.TABLES,
    *west_slavic.TABLES,
    *south_slavic.TABLES,
    *baltic_uralic.TABLES,
    *turkic.TABLES,
    *west_asian.TABLES,
    *indic.TABLES,
    *southeast_asian.TABLES,
    *others.TABLES,
)
