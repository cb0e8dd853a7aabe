"""How much of a reply must be there before a voice can begin: the first segment, in tokens.

The replies of the emulated model, by language, go through the product's own cutter token by token.
A first segment that needs the whole reply is counted with all its tokens.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from dialogue.cutter import SegmentCutter
from simulation.openai_replies import DEFAULT_SCRIPT, tokens
from simulation.tongue import language_of

_TAGS = {"yue": "zh-HK", "zh": "zh-CN", "en": "en-US", "de": "de-DE", "es": "es-ES", "it": "it-IT"}


@dataclass(frozen=True, slots=True)
class FirstSegments:
    """First segments of one language.

    Attributes:
        whole: Replies of which all had to be there.
    """

    language: str
    replies: int
    mean_tokens: float
    most_tokens: int
    whole: int


def tokens_to_first(text: str, language: str) -> tuple[int, bool]:
    """Tokens until the cutter gave its first segment, and whether that took the whole reply."""
    cutter = SegmentCutter(language)
    pieces = tokens(text)
    for count, piece in enumerate(pieces, 1):
        if cutter.feed(piece):
            return count, False
    return len(pieces), True


def first_segments(replies: Iterable[str] | None = None) -> list[FirstSegments]:
    """By language; of the emulated model's replies when none are given."""
    by_language: dict[str, list[str]] = defaultdict(list)
    texts = (line.reply for line in DEFAULT_SCRIPT) if replies is None else replies
    for text in texts:
        by_language[_TAGS.get(language_of(text), "en-US")].append(text)
    found = []
    for language, said in sorted(by_language.items()):
        counts = [tokens_to_first(text, language) for text in said]
        found.append(
            FirstSegments(
                language=language,
                replies=len(counts),
                mean_tokens=round(statistics.fmean(count for count, _ in counts), 1),
                most_tokens=max(count for count, _ in counts),
                whole=sum(is_whole for _, is_whole in counts),
            )
        )
    return found
