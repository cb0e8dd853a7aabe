"""Make the weights: ``python -m benchmarks.completeness.train SOURCES --exclude MANIFEST``."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

from benchmarks.completeness.examples import Example, Shared, cuts, fragment, is_fit, is_judged
from benchmarks.completeness.fit import as_bytes, chances, fit, tabulate
from benchmarks.completeness.judge import judge
from benchmarks.completeness.sources import SOURCES
from voice.completeness import UNSPACED
from voice.words import normalise

SEED = 1
PENALTY = 1e-4
FEWEST = 3_000
_OUT = Path(__file__).parents[2] / "voice" / "completeness_weights"

Texts = dict[str, dict[str, list[str]]]


def gather(folder: Path, shared: Shared, wanted: set[str]) -> Texts:
    """Utterances by language and data set, of the ``wanted`` languages or of all."""
    found: Texts = defaultdict(lambda: defaultdict(list))
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for source in SOURCES:
        place = folder / source.folder
        if not place.is_dir():
            sys.stderr.write(f"{place} is missing: weights will be others\n")
            continue
        for language, text in source.read(place):
            if (wanted and language not in wanted) or not is_fit(text):
                continue
            words = normalise(text)
            if (language, words) in seen or shared.holds(words):
                continue
            seen.add((language, words))
            found[language][source.folder].append(text.strip())
    for texts in found.values():
        for name, each in texts.items():
            most = next(source.most for source in SOURCES if source.folder == name)
            each.sort(key=_hash)
            del each[most:]
    return found


def examples_of(texts: list[str], random: Random) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those to judge by."""
    train: list[Example] = []
    judged: list[Example] = []
    for text in texts:
        found = list(cuts(text, random))
        if found and is_judged(found[0].words):
            judged += found
        elif found:
            train += [*found, *fragment(text, random)]
    return train, judged


def main() -> None:
    """Train, write, say how good it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, help="folder with one folder for each data set")
    parser.add_argument(
        "--exclude", type=Path, nargs="*", default=[], help="manifests of recordings"
    )
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--languages", default="", help="such as en,de; all when empty")
    parser.add_argument("--penalty", type=float, default=PENALTY)
    asked = parser.parse_args()
    entries = [entry for path in asked.exclude for entry in json.loads(path.read_text("utf-8"))]
    shared = Shared(entry["transcript"] for entry in entries if entry.get("transcript"))
    wanted = {name for name in asked.languages.split(",") if name}
    say = sys.stdout.write
    say("language  source  utterances judged  AUC  held at 5 %  sure at 5 %  bits\n")
    for language, texts in sorted(gather(asked.sources, shared, wanted).items()):
        if sum(map(len, texts.values())) < FEWEST:
            continue
        train: list[Example] = []
        judged: dict[str, list[Example]] = {}
        for name, each in texts.items():
            ours, judged[name] = examples_of(each, Random(f"{SEED}/{language}/{name}"))
            train += ours
        is_unspaced = language in UNSPACED
        weights = as_bytes(
            fit(tabulate(train, is_unspaced=is_unspaced), penalty=asked.penalty, seed=SEED)
        )
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / f"{language}.bin").write_bytes(weights)
        judged["all"] = [example for each in judged.values() for example in each]
        for name, examples in judged.items():
            if not examples:
                continue
            table = tabulate(examples, is_unspaced=is_unspaced)
            found = judge(chances(table, weights), table.is_whole, table.weight)
            say(
                f"{language}  {name}  {found.utterances}  {found.auc:.3f}"
                f"  {found.held:.1%}  {found.sure:.1%}  {found.log_loss:.3f}\n"
            )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


if __name__ == "__main__":
    main()
