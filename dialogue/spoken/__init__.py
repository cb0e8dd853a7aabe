"""Spoken forms: what a voice is given instead of what it would read wrongly.

The written reply goes to the transcript, the history and the cache; only the voice gets the spoken
one, and its marks are led back with ``SpokenText.written_chars``.

Levels
- ``light``, for voices that read their own language well: telephone numbers, order numbers and
  codes digit by digit, e-mail and web addresses, ranges, ISO dates.
- ``full``, for the others: money, times, percent, units, abbreviations, ordinals, ``#`` and ``&``
  besides.
"""

from __future__ import annotations

import re
from typing import Literal

from dialogue.spoken import addresses, cantonese, numbers, quantities, shortened
from dialogue.spoken.digit_words import tongue
from dialogue.spoken.text import SpokenText, without_overlaps
from dialogue.traditional import has_simplified, traditional

Level = Literal["light", "full"]

RULES_VERSION = "4"
"""Changes whenever the same text is said in other words: clips made before are then made anew."""


def clip_variant(option: str) -> str:
    """Belongs to the name of each clip made with an agent's ``spoken_forms``; empty for ``off``."""
    return "" if option == "off" else f"spoken-{option}-{RULES_VERSION}"


_LIGHT = (
    addresses.addresses,
    quantities.iso_dates,
    numbers.telephone_numbers,
    numbers.long_numbers,
    numbers.ranges,
)
_FULL = (
    addresses.addresses,
    quantities.iso_dates,
    quantities.money,
    quantities.clocks,
    numbers.telephone_numbers,
    numbers.long_numbers,
    numbers.ranges,
    shortened.shortened,
    quantities.units,
    quantities.signs,
    quantities.chinese_numbers,
)
_NOTHING_TO_SAY = re.compile(r"[^\d@&]*")
_ADDRESS = re.compile(r"[A-Za-z0-9]\.[A-Za-z]")
_FLOOR = re.compile(r"/F(?![A-Za-z0-9])", re.IGNORECASE)  # "G/F" has no digit in it
_FULL_WIDTH = {ord("０") + n: ord("0") + n for n in range(10)} | {ord("："): ":", ord("．"): "."}
_FULL_WIDTH[ord("，")] = "，"


def spoken_form(text: str, language: str, level: Level) -> SpokenText:
    """What the voice is given for one segment. Never raises on text.

    Args:
        text: The segment as it is written, without markup.
        language: BCP-47 tag; of one that is not known, digits are spelled, and little else is done.
        level: How much the voice needs.
    """
    own = tongue(language)
    tag = language.casefold().replace("_", "-")
    is_plain = _NOTHING_TO_SAY.fullmatch(text) and not _ADDRESS.search(text)
    if is_plain and level == "light" and (own != "yue" or not _FLOOR.search(text)):
        said = SpokenText(text)
    else:
        narrow = _narrow(text)
        rules = _FULL if level == "full" else _LIGHT
        if own == "yue":
            rules = (*cantonese.rules_of(tag, is_full=level == "full"), *rules)
        changes = without_overlaps(change for rule in rules for change in rule(narrow, own))
        said = SpokenText(text, changes)
    if own == "yue" and not tag.endswith("-cn") and has_simplified(said.text):
        said.text = traditional(said.text)  # character for character: no position moves
    return said


def _narrow(text: str) -> str:
    """Full-width digits as plain ones, and the comma between two of them; no character is lost."""
    plain = text.translate(_FULL_WIDTH)
    return re.sub(r"(?<=\d)，(?=\d{3}(?!\d))", ",", plain) if "，" in plain else plain
