"""Pairs of turns that differ by little: the one is in the cache, the other is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.cache.data import Pair
from benchmarks.cache.stream import SCOPE
from cache.encoder import Encoder
from cache.entry import Answer, Provenance
from cache.lookup import Life, ResponseCache, ask
from cache.outcomes import Hit
from cache.scope import caller_mark


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many of the pairs with different answers were answered, and of those with the same."""

    different: int
    of_different: int
    same: int
    of_same: int
    failed: tuple[Pair, ...] = ()

    def __str__(self) -> str:
        wrong, right = self.different / self.of_different, self.same / self.of_same
        return (
            f"{100 * wrong:.1f} % of {self.of_different} with different answers accepted, "
            f"{100 * right:.1f} % of {self.of_same} with the same"
        )


def accepted(rows: Sequence[Pair], encoder: Encoder) -> Accepted:
    """Each pair in a cache of its own, whose entry is trusted and which has learned nothing yet."""
    said = [_is_hit(pair, encoder) for pair in rows]
    return _count(rows, said)


def by_category(accepted: Accepted) -> str:
    """What was judged wrongly, of each category."""
    found = Counter(
        f"{pair.category} {'refused' if pair.is_same else 'accepted'}" for pair in accepted.failed
    )
    return ", ".join(f"{name} {count}" for name, count in found.most_common())


def accepted_by_threshold(rows: Sequence[Pair], encoder: Encoder, threshold: float) -> Accepted:
    """What a plain threshold makes of the same pairs."""
    said = []
    for pair in rows:
        one, other = (ask(text, SCOPE).text for text in (pair.one, pair.other))
        said.append(float(encoder.encode(one) @ encoder.encode(other)) >= threshold)
    return _count(rows, said)


def _is_hit(pair: Pair, encoder: Encoder) -> bool:
    cache = ResponseCache(encoder.dimension)
    known, asked = ask(pair.one, SCOPE), ask(pair.other, SCOPE)
    answer = Answer("known", "The answer.", provenance=Provenance.FAQ)
    mark = caller_mark("bench", "import")
    cache.learn(known, encoder.encode(known.text), answer, None, caller=mark, life=Life(0.0))
    return isinstance(cache.lookup(asked, encoder.encode(asked.text), now_s=1.0), Hit)


def _count(rows: Sequence[Pair], said: Sequence[bool]) -> Accepted:
    both = list(zip(rows, said, strict=True))
    return Accepted(
        different=sum(hit for pair, hit in both if not pair.is_same),
        of_different=sum(not pair.is_same for pair, _ in both),
        same=sum(hit for pair, hit in both if pair.is_same),
        of_same=sum(pair.is_same for pair, _ in both),
        failed=tuple(pair for pair, hit in both if hit != pair.is_same),
    )
