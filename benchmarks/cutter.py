"""How replies are cut for the voice: how soon the first segment comes, and where none may end.

``python -m benchmarks.cutter [TAG ...]``; ``--bad`` prints every bad cut, ``--cuts`` every segment.

A model's 50 tokens a second; a voice that begins 130 ms after it has the text and speaks as fast as
``voice.heard.speaking_time_s`` says. *Gap* is the silence between the first segment and the second.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

from benchmarks.reply_corpus import MarkedReply, languages, replies, tokens
from dialogue.cutter import SegmentCutter
from dialogue.markup import MarkupFilter
from voice.heard import speaking_time_s

TOKENS_A_S = 50.0
FIRST_BYTE_S = 0.13
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Streamed:
    """One reply, cut.

    Attributes:
        segments: In order.
        at_token: How many tokens had come when each was complete.
        is_whole: The first came only when the model had finished, though it could be cut before.
        gap_s: Silence after the first segment.
    """

    segments: list[str]
    at_token: list[int]
    is_whole: bool
    gap_s: float


def stream(reply: MarkedReply) -> Streamed:
    """Cut one reply as it comes."""
    markup, cutter = MarkupFilter(), SegmentCutter(reply.language)
    segments: list[str] = []
    at_token: list[int] = []
    pieces = tokens(reply.text, reply.language)
    for number, piece in enumerate(pieces, 1):
        for segment in cutter.feed(markup.feed(piece)):
            segments.append(segment)
            at_token.append(number)
    is_whole = not segments and bool(reply.cuts)
    for segment in cutter.feed(markup.finish()) + cutter.finish():
        segments.append(segment)
        at_token.append(len(pieces))
    return Streamed(segments, at_token, is_whole, _gap_s(segments, at_token))


def _gap_s(segments: list[str], at_token: list[int]) -> float:
    if len(segments) < 2:
        return 0.0
    ready = [at / TOKENS_A_S + FIRST_BYTE_S for at in at_token[:2]]
    return max(ready[1] - ready[0] - speaking_time_s(segments[0]), 0.0)


def cpu_us_per_delta(language: str) -> float:
    """Processor time of filter and cutter for one token, microseconds."""
    pieces = [tokens(reply.text, reply.language) for reply in replies(language)]
    began = time.process_time()
    for _ in range(ROUNDS):
        for reply in pieces:
            markup, cutter = MarkupFilter(), SegmentCutter(language)
            for piece in reply:
                cutter.feed(markup.feed(piece))
            cutter.feed(markup.finish())
            cutter.finish()
    spent = time.process_time() - began
    return spent / (ROUNDS * sum(map(len, pieces))) * 1e6


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("tag", nargs="*", help="languages; all if none is named")
    options.add_argument("--bad", action="store_true", help="print every bad cut")
    options.add_argument("--cuts", action="store_true", help="print every segment")
    asked = options.parse_args()
    print(
        f"{'':8} {'replies':>7} {'tokens before first':>21} {'wait':>6}"
        f" {'bad':>4} {'whole':>5} {'gap':>6} {'gap max':>7} {'cuts':>5} {'CPU a delta':>12}"
    )
    print(
        f"{'':8} {'':>7} {'mean':>7} {'p95':>6} {'max':>6} {'ms':>6}"
        f" {'':>4} {'':>5} {'ms':>6} {'ms':>7} {'':>5} {'us':>12}"
    )
    details: list[str] = []
    totals = [0, 0, 0, 0]
    for tag in asked.tag or languages():
        corpus = replies(tag)
        done = [stream(reply) for reply in corpus]
        bad = [
            cut
            for reply, each in zip(corpus, done, strict=True)
            for cut in reply.bad_cuts(each.segments)
        ]
        first = sorted(each.at_token[0] for each in done)
        gaps = [each.gap_s * 1e3 for each in done]
        whole = sum(each.is_whole for each in done)
        cuts = sum(len(each.segments) for each in done)
        mean = statistics.fmean(first)
        print(
            f"{tag:8} {len(corpus):7} {mean:7.1f} {first[int(0.95 * (len(first) - 1) + 0.5)]:6}"
            f" {first[-1]:6} {mean / TOKENS_A_S * 1e3:6.0f} {len(bad):4} {whole:5}"
            f" {statistics.fmean(gaps):6.0f} {max(gaps):7.0f} {cuts:5}"
            f" {cpu_us_per_delta(tag):12.1f}"
        )
        totals = [a + b for a, b in zip(totals, [len(corpus), len(bad), whole, cuts], strict=True)]
        details += [f"{tag:8} bad   {cut}" for cut in bad if asked.bad]
        if asked.cuts:
            details += [f"{tag:8} {' ✂ '.join(each.segments)}" for each in done]
    print(
        f"{'all':8} {totals[0]:7} {'':>7} {'':>6} {'':>6} {'':>6} {totals[1]:4} {totals[2]:5}"
        f" {'':>6} {'':>7} {totals[3]:5}"
    )
    print("\n".join(details))


if __name__ == "__main__":
    main()
