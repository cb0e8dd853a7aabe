"""Bad splits of made-up replies: ``python -m benchmarks.cutter_made [TAG ...] --count N --seed S``.

A split is bad inside a number, an amount, a time, a date, a phone number, an address, a code or a
name with its abbreviation, and inside any word; ``benchmarks.reply_hazards`` knows where those are
because it put them there. ``--bad`` prints each; ends with 1 when there was one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.cutter import stream
from benchmarks.reply_hazards import MadeReply, made_replies
from benchmarks.reply_manners import MANNERS


@dataclass(frozen=True, slots=True)
class MadeFigures:
    """One language.

    Attributes:
        cuts: Ends of segments within replies.
        bad: Those of them that are bad.
        first_mean, first_p95, first_most: Tokens before the first segment.
        bad_by_kind: Of what was set in.
        examples: The bad ones.
    """

    language: str
    replies: int
    cuts: int
    bad: int
    first_mean: float
    first_p95: int
    first_most: int
    bad_by_kind: dict[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


def measure(language: str, made: Sequence[MadeReply]) -> MadeFigures:
    """Run the cutter over the replies of one language."""
    kinds: Counter[str] = Counter()
    examples: list[str] = []
    first: list[int] = []
    cuts = 0
    for each in made:
        done = stream(each.reply)
        first.append(done.at_token[0])
        cuts += len(done.segments) - 1
        for bad in each.reply.bad_cuts(done.segments):
            kinds[each.kind] += 1
            examples.append(f"{each.kind}: {bad}")
    first.sort()
    return MadeFigures(
        language=language,
        replies=len(made),
        cuts=cuts,
        bad=sum(kinds.values()),
        first_mean=round(statistics.fmean(first), 1),
        first_p95=first[int(0.95 * (len(first) - 1) + 0.5)],
        first_most=first[-1],
        bad_by_kind=dict(kinds),
        examples=tuple(examples),
    )


def main() -> int:
    """Print the table; write it with ``--json``."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("tag", nargs="*", help="languages; all if none is named")
    options.add_argument("--count", type=int, default=400, help="replies of a language")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--bad", action="store_true", help="print every bad split")
    options.add_argument("--json", type=Path, help="write the figures there")
    asked = options.parse_args()
    found = [
        measure(tag, made_replies(tag, asked.count, asked.seed)) for tag in asked.tag or MANNERS
    ]
    print(
        f"{'':8} {'replies':>7} {'splits':>7} {'bad':>5} {'tokens before first: mean':>26} P95 max"
    )
    for each in found:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(each.bad_by_kind.items()))
        print(
            f"{each.language:8} {each.replies:7} {each.cuts:7} {each.bad:5} {each.first_mean:26.1f}"
            f" {each.first_p95:3} {each.first_most:3}  {kinds}".rstrip()
        )
    bad = sum(each.bad for each in found)
    print(
        f"{'all':8} {sum(each.replies for each in found):7}"
        f" {sum(each.cuts for each in found):7} {bad:5}"
    )
    if asked.bad:
        print("\n".join(f"{each.language:8} {line}" for each in found for line in each.examples))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(each) for each in found]) + "\n", "utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
