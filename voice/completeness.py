"""How finished an utterance sounds by its words: a logistic regression on hashed n-grams.

Weights were fitted to text (``benchmarks/completeness``): whole utterances against the same ones
broken off at word boundaries, three times as often after a comma, both equally heavy. So 0.5 means
that the words say nothing. A table has one signed byte per place, in steps of ``STEP``; tables and
the licences of the text they were made of are in ``voice/completeness_weights``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.resources import files

from voice.completeness_features import PLACES, places_of, tail_of

STEP = 0.02
MOST_LOG_ODDS = 6.0
UNSPACED = frozenset({"ja", "yue", "zh"})
_CANTONESE_REGIONS = frozenset({"hk", "mo", "yue"})


def completeness(text: str, language: str) -> float | None:
    """How likely an utterance with these words is finished; about ten microseconds.

    Args:
        text: All words so far; punctuation and case do not count.
        language: BCP-47 tag; ``zh-HK``, ``zh-MO`` and ``yue`` are Cantonese.

    Returns:
        0 to 1, where 0.5 says nothing; None without words, or without a table for the language.
    """
    model = model_of(language)
    table = _TABLES.get(model)
    if table is None:
        return None
    words = tail_of(text)
    if not words:
        return None
    places = places_of(words, is_unspaced=model in UNSPACED)
    log_odds = STEP * sum([table[place] for place in places])
    log_odds = min(max(log_odds, -MOST_LOG_ODDS), MOST_LOG_ODDS)
    return 1.0 / (1.0 + math.exp(-log_odds))


@lru_cache(maxsize=256)
def model_of(tag: str) -> str:
    """The name of the table that serves a BCP-47 tag, whether there is one or not."""
    primary, *rest = tag.replace("_", "-").casefold().split("-")
    return "yue" if primary == "zh" and _CANTONESE_REGIONS.intersection(rest) else primary


def _read_tables() -> dict[str, memoryview]:
    """All tables by name, read when this is imported: nothing is read in the middle of a call."""
    places = (files("voice") / "completeness_weights").iterdir()
    found = {
        place.name.removesuffix(".bin"): memoryview(place.read_bytes()).cast("b")
        for place in places
        if place.name.endswith(".bin")
    }
    return {name: table for name, table in found.items() if len(table) == PLACES}


_TABLES = _read_tables()
