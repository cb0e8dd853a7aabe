"""Which lexicon serves a language tag."""

from __future__ import annotations

from functools import lru_cache

from voice.lexicon.compiled import Lexicon, compile_table
from voice.lexicon.table import Table
from voice.lexicon.tables import TABLES
from voice.lexicon.tables.neutral import NEUTRAL

_CANTONESE_REGIONS = frozenset({"hk", "mo", "yue"})


def _by_tag() -> dict[str, Table]:
    return {tag: table for table in TABLES for tag in table.tags.split()}


_TABLES = _by_tag()


def languages() -> dict[str, str]:
    """The languages there are tables for: tag -> depth."""
    return {table.tags.split()[0]: table.depth for table in TABLES}


@lru_cache(maxsize=256)
def lexicon_for(tag: str) -> Lexicon:
    """The lexicon of a BCP-47 tag; the language-neutral one when the tag is unknown.

    Chinese as spoken in Hong Kong and Macao (``zh-HK``, ``zh-Hant-MO``) and ``yue`` are Cantonese.
    """
    primary, *rest = tag.replace("_", "-").casefold().split("-")
    if primary == "zh" and _CANTONESE_REGIONS.intersection(rest):
        primary = "yue"
    table = _TABLES.get(primary)
    return _compiled(table.tags.split()[0] if table else "")


@lru_cache(maxsize=256)
def _compiled(name: str) -> Lexicon:
    return compile_table(_TABLES[name] if name else Table(tags="und"), NEUTRAL)


def region_of(tag: str) -> str:
    """The region of a tag in lower case, or its language when it names none: ``us``, ``de``."""
    primary, *rest = tag.replace("_", "-").casefold().split("-")
    regions = [part for part in rest if len(part) == 2 or part.isdigit()]
    return regions[0] if regions else primary
