"""``make bench-cache``, or ``python -m benchmarks.cache [--data FILE.jsonl] [--only WORD]``.

Fixed seeds, an empty cache, one pass. Nothing was chosen by looking at BANKING77 with seed 0.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a second thread only disturbs
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.cache import baselines, lookup_time, near_misses
from benchmarks.cache.data import FOLDER, Turn, pairs, shuffled, turns
from benchmarks.cache.stream import Kept, Score, run
from cache.encoder import OnnxEncoder, open_encoder
from cache.errors import CacheError
from cache.learning import DEFAULT_BOUND
from cache.model_folder import DEFAULT_MODEL

EXPORTS = Path("var/models")
STREAMS = (
    ("banking77", Kept.ANSWERS, "at least 65 %, at most 1.0 %; second half 72 %, 0.9 %"),
    ("clinc150", Kept.ANSWERS, "none"),
    ("hwu64", Kept.PLANS, "none"),
    ("nlupp", Kept.STRICT, "at most 2 % wrong"),
    ("nlupp", Kept.PLANS, "at least 40 %"),
)


def main() -> int:
    """Run what was asked for and print a line for each; the exit code."""
    options = _options()
    try:
        encoder = open_encoder(EXPORTS, model=options.model)
    except CacheError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"encoder {encoder.name}, {encoder.dimension} numbers; seed {options.seed}", flush=True)
    if options.data:
        rows = shuffled(turns(options.data), options.seed)
        _tell(
            options.data.name, run(rows, encoder, options.seed, Kept.ANSWERS, options.bound), "none"
        )
        return 0
    for name, kept, target in STREAMS:
        if options.only in f"{name} {kept.value}":
            rows = shuffled(turns(FOLDER / f"{name}.jsonl.gz"), options.seed, options.most)
            _tell(
                f"{name} {kept.value}",
                run(rows, encoder, options.seed, kept, options.bound),
                target,
            )
    if options.only in "pairs":
        _pairs(encoder)
    if options.only in "baselines":
        rows = turns(FOLDER / "banking77.jsonl.gz")
        _baselines(shuffled(rows, options.seed, options.most), encoder, options.seed)
    if options.only in "latency":
        _latency(encoder, options.seed)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache", description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or folder of an encoder")
    parser.add_argument("--data", type=Path, help="your own turns: JSON lines with text and answer")
    parser.add_argument("--bound", type=float, default=DEFAULT_BOUND, help="error allowed, 0..1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, help="only so many turns of each set")
    parser.add_argument(
        "--only", default="", help="a word of what to run: banking77, pairs, latency"
    )
    return parser.parse_args()


def _tell(name: str, score: Score, target: str) -> None:
    why = ", ".join(f"{reason} {count}" for reason, count in score.why.most_common(8))
    print(f"{name}: {score}; target {target}\n    {score.checks} checks; {why}", flush=True)


def _pairs(encoder: OnnxEncoder) -> None:
    for name in ("minimal_pairs_a", "minimal_pairs_b"):
        rows = pairs(FOLDER / f"{name}.tsv")
        print(f"{name}: {near_misses.accepted(rows, encoder)}; target at most 2 %, at least 40 %")
        for threshold in (0.80, 0.85, 0.90):
            plain = near_misses.accepted_by_threshold(rows, encoder, threshold)
            print(f"    plain {threshold:.2f}: {plain}", flush=True)


def _baselines(rows: list[Turn], encoder: OnnxEncoder, seed: int) -> None:
    for threshold in (0.80, 0.85, 0.90, 0.95):
        print(
            f"banking77 plain {threshold:.2f}: {baselines.plain(rows, encoder, threshold)}",
            flush=True,
        )
    for bound in (0.02, 0.05):
        score = baselines.per_entry(rows, encoder, bound, seed)
        print(f"banking77 per-entry bound {bound:.2f}: {score}", flush=True)


def _latency(encoder: OnnxEncoder, seed: int) -> None:
    rows = shuffled(turns(FOLDER / "banking77.jsonl.gz"), seed)
    new = [row.text for row in rows[4_000:] if 8 <= len(row.text.split()) <= 28]
    for entries, target in ((10_000, "P50 6 ms, P99 12 ms"), (100_000, "P99 20 ms")):
        began_s = time.perf_counter()
        cache = lookup_time.filled(rows, encoder, entries)
        built_s = time.perf_counter() - began_s
        asked = new[: lookup_time.LOOKUPS] if entries == 10_000 else new[-lookup_time.LOOKUPS :]
        took = lookup_time.percentiles(lookup_time.semantic_ms(cache, asked, encoder))
        print(f"lookup, {entries} entries (built in {built_s:.0f} s): {took}; target {target}")
        took = lookup_time.percentiles(
            lookup_time.exact_ms(cache, [row.text for row in rows[:2_000]])
        )
        print(f"    exact tier: {took}; target P99 0.2 ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
