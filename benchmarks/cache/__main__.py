"""``make bench-cache``, or ``python -m benchmarks.cache [--data FILE.jsonl] [--only WORD]``.

Fixed seeds, an empty cache, one pass. What the product does by default was chosen on CLINC150,
HWU64 and the pairs A, B and C; BANKING77, NLU++ and the pairs D are played as they come.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: a second thread only disturbs
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.cache import baselines, crowd, gptcache_stream, lookup_time, near_misses, parity
from benchmarks.cache.data import FOLDER, Turn, TurnsInvalid, pairs, shuffled, turns
from benchmarks.cache.stream import Kept, Remembering, Score, run
from cache.encoder import Encoder, open_encoder
from cache.errors import CacheError
from cache.learning import DEFAULT_BOUND
from cache.model_folder import DEFAULT_MODEL
from cache.normalise import canonical

EXPORTS = Path("var/models")
STREAMS = (
    ("banking77", Kept.ANSWERS, "at least 65 %, at most 1.0 %; second half 72 %, 0.9 %"),
    ("clinc150", Kept.ANSWERS, "none"),
    ("hwu64", Kept.PLANS, "none"),
    ("nlupp", Kept.STRICT, "at most 2 % wrong"),
    ("nlupp", Kept.PLANS, "at least 40 %"),
)
PAIRS = {
    "minimal_pairs_a": "the veto was written without it",
    "minimal_pairs_b": "the veto was written beside it",
    "minimal_pairs_c": "the veto was mended after its first run",
    "minimal_pairs_d": "run as it is; two rules were added after it",
    "minimal_pairs_e": "roles and modality only, written before those two rules",
}


def main() -> int:
    """Run what was asked for and print a line for each; the exit code."""
    options = _options()
    try:
        rows = turns(options.data) if options.data else []
        encoder = open_encoder(EXPORTS, model=options.model)
    except (CacheError, TurnsInvalid) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"encoder {encoder.name}, {encoder.dimension} numbers", flush=True)
    if options.data:
        _stream(rows, options.data.name, Kept.ANSWERS, "none", encoder, options)
        return 0
    for name, part in PARTS.items():
        if not options.only or options.only in name or name == "streams":
            part(encoder, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache", description=__doc__)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name or folder of an encoder")
    parser.add_argument("--data", type=Path, help="your own turns: JSON lines with text and answer")
    parser.add_argument("--bound", type=float, default=DEFAULT_BOUND, help="error allowed, 0..1")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="orders of the turns of a stream"
    )
    parser.add_argument("--most", type=int, help="only so many turns of each set")
    parser.add_argument(
        "--only",
        default="",
        help="a word of what to run: banking77, clinc150, hwu64, nlupp, pairs, baselines, latency, "
        "parity",
    )
    options = parser.parse_args()
    known = (*PARTS, *(_title(name, kept) for name, kept, _ in STREAMS))
    if not any(options.only in name for name in known):
        parser.error(f"--only {options.only}: a word of one of {', '.join(known)}")
    return options


def _title(name: str, kept: Kept) -> str:
    return f"{name} {kept.value}"


def _streams(encoder: Encoder, options: argparse.Namespace) -> None:
    for name, kept, target in STREAMS:
        if options.only in _title(name, kept):
            rows = turns(FOLDER / f"{name}.jsonl.gz")
            _stream(rows, _title(name, kept), kept, target, encoder, options)


def _stream(
    rows: list[Turn],
    name: str,
    kept: Kept,
    target: str,
    encoder: Encoder,
    options: argparse.Namespace,
) -> None:
    known, total = Remembering(encoder), Score()
    for seed in options.seeds:
        score = run(shuffled(rows, seed, options.most), known, seed, kept, options.bound)
        print(f"{name}, seed {seed}: {score}", flush=True)
        total += score
    why = ", ".join(f"{reason} {count}" for reason, count in total.why.most_common(8))
    print(f"{name}, all seeds: {total}; target {target}")
    print(f"    {total.turns} turns, {total.checks} checks; {why}", flush=True)


def _pairs(encoder: Encoder, _: argparse.Namespace) -> None:
    for name, note in PAIRS.items():
        rows = pairs(FOLDER / f"{name}.tsv")
        accepted = near_misses.accepted(rows, encoder)
        print(f"{name} ({note}): {accepted}; target at most 2 %, at least 40 %")
        print(f"    {near_misses.by_category(accepted)}")
        for threshold in (0.80, 0.85, 0.90, 0.95):
            plain = near_misses.accepted_by_threshold(rows, encoder, threshold)
            print(f"    plain {threshold:.2f}: {plain}", flush=True)


def _baselines(encoder: Encoder, options: argparse.Namespace) -> None:
    seed = options.seeds[0]
    rows = shuffled(turns(FOLDER / "banking77.jsonl.gz"), seed, options.most)
    known = Remembering(encoder)
    name = f"banking77, seed {seed},"
    for threshold in (0.80, 0.85, 0.90, 0.95):
        score = baselines.plain(rows, known, threshold)
        print(f"{name} plain {threshold:.2f}: {score}", flush=True)
    for bound in (0.02, 0.05):
        score = baselines.per_entry(rows, known, bound, seed)
        print(f"{name} per-entry bound {bound:.2f}: {score}", flush=True)
    if not gptcache_stream.is_installed():
        print("GPTCache is not installed: make bench-cache does it")
        return
    for threshold in (0.80, 0.90, 0.95):
        began_s = time.perf_counter()
        score = gptcache_stream.run(rows, known, threshold)
        each_ms = (time.perf_counter() - began_s) * 1e3 / len(rows)
        cosine = gptcache_stream.cosine_of(threshold)
        print(
            f"{name} GPTCache {threshold:.2f} (cosine {cosine:.2f}): {score}, "
            f"{each_ms:.1f} ms a turn besides encoding",
            flush=True,
        )


def _latency(encoder: Encoder, options: argparse.Namespace) -> None:
    rows = shuffled(turns(FOLDER / "banking77.jsonl.gz"), options.seeds[0])
    new = [row.text for row in rows[4_000:] if 8 <= len(row.text.split()) <= 28]
    for entries, target in ((10_000, "P50 6 ms, P99 12 ms"), (100_000, "P99 20 ms")):
        began_s = time.perf_counter()
        cache = lookup_time.filled(rows, encoder, entries)
        built_s = time.perf_counter() - began_s
        asked, new = new[: lookup_time.LOOKUPS], new[lookup_time.LOOKUPS :]
        took, worked = lookup_time.semantic_ms(cache, asked, encoder)
        print(
            f"lookup, {entries} entries (built in {built_s:.0f} s): "
            f"{lookup_time.percentiles(took)}; of the processor "
            f"{lookup_time.percentiles(worked)}; target {target}"
        )
        exact = lookup_time.exact_ms(cache, [row.text for row in rows[:2_000]])
        print(f"    exact tier: {lookup_time.percentiles(exact)}; target P99 0.2 ms")
        for within_s, what in ((None, "as in the product"), (crowd.FOREVER_S, "with patience")):
            many = crowd.ASKERS * crowd.ROUNDS
            asked, new = new[:many], new[many:]
            said = crowd.measure(cache, encoder, asked, within_s=within_s)
            print(
                f"    {crowd.ASKERS} at the same instant, {what}: {said}; target P99 150 ms, 5 ms",
                flush=True,
            )


def _parity(_: Encoder, options: argparse.Namespace) -> None:
    if not parity.is_installed():
        print("sentence-transformers is not installed: make bench-cache does it")
        return
    rows = shuffled(turns(FOLDER / "clinc150.jsonl.gz"), options.seeds[0], parity.TEXTS)
    texts = [canonical(row.text, "en-US") for row in rows]
    for line in parity.compare(options.model, EXPORTS, texts):
        print(f"parity, {len(texts)} texts: {line}", flush=True)


PARTS: Mapping[str, Callable[[Encoder, argparse.Namespace], None]] = {
    "streams": _streams,
    "pairs": _pairs,
    "baselines": _baselines,
    "latency": _latency,
    "parity": _parity,
}

if __name__ == "__main__":
    sys.exit(main())
