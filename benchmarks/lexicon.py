"""What the lexicon says about sentences that are cut off, and about whole ones.

``python -m benchmarks.lexicon [MANIFEST ...] [--utterances TAG=FILE ...] [--show N]``

A manifest is a list of recordings with ``language``, ``transcript`` and perhaps ``words``
(``simulation.corpus_manifest`` says more; a folder stands for the one in it). When none is named,
the clips that ship are taken. A file of utterances has one on each line, with blanks between its
words, also in scripts without spaces.

Every text is judged as a recogniser without punctuation would write it: whole, and cut at the end
of every word but the last. A *false hold* costs a whole turn its pause; a *false done* cuts a
caller off. Cuts after a full stop, a question mark or an exclamation mark are left out: nobody is
in the middle of a sentence there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from voice.lexicon import Cue, end_cue
from voice.words import join_words

SHIPPED = Path(__file__).parent.parent / "simulation" / "clips"
_NAMES = ("manifest.json", "clips.json")
_SENTENCE_ENDS = ".?!。？！"
_PUNCTUATION = _SENTENCE_ENDS + ',;:，；：、…"“”«»()[]¿¡—–-'


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words of one whole utterance, as written, with their punctuation."""

    group: str
    language: str
    words: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What was said about one group of utterances."""

    whole: Counter[Cue] = field(default_factory=Counter)
    cuts: Counter[Cue] = field(default_factory=Counter)
    false_holds: list[str] = field(default_factory=list)
    false_dones: list[str] = field(default_factory=list)
    spent_s: float = 0.0


def of_manifest(path: Path) -> Iterator[Utterance]:
    """The transcribed recordings of one manifest, or of the one in a folder."""
    if path.is_dir():
        path = next(path / name for name in _NAMES if (path / name).exists())
    for entry in json.loads(path.read_text("utf-8")):
        transcript = entry.get("transcript")
        if not transcript:
            continue
        written = transcript.split()
        timed = [str(word[0]) for word in entry.get("words") or ()]
        kind = str(entry.get("kind", "human")).split()[0]
        words = timed if len(timed) > len(written) else written
        yield Utterance(f"{entry['language']} {kind}", entry["language"], tuple(words))


def of_file(argument: str) -> Iterator[Utterance]:
    """The utterances of ``TAG=FILE``."""
    language, _, name = argument.partition("=")
    path = Path(name)
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield Utterance(f"{language} {path.stem}", language, tuple(line.split()))


def judge(utterance: Utterance, tally: Tally) -> None:
    """Add one utterance, whole and cut."""
    bare = [word.strip(_PUNCTUATION) for word in utterance.words]
    end_cue("", utterance.language)  # its table is made ready on first use
    began_s = time.perf_counter()
    for count in range(1, len(bare) + 1):
        text = join_words(bare[:count])
        if not text or (not bare[count - 1] and count < len(bare)):
            continue
        found = end_cue(text, utterance.language)
        if count == len(bare):
            tally.whole[found.cue] += 1
            if found.cue is Cue.HOLD:
                tally.false_holds.append(f"{text}  ({found.why})")
        elif not utterance.words[count - 1].endswith(tuple(_SENTENCE_ENDS)):
            tally.cuts[found.cue] += 1
            if found.cue is Cue.DONE:
                tally.false_dones.append(f"{text} | {utterance.words[count]}  ({found.why})")
    tally.spent_s += time.perf_counter() - began_s


def share(counts: Counter[Cue], cue: Cue) -> str:
    """A percentage, or a dash when there was nothing to count."""
    total = sum(counts.values())
    return f"{100 * counts[cue] / total:5.1f} %" if total else "      -"


def report(tallies: dict[str, Tally], *, show: int) -> None:
    """Print a line for each group, and the mistakes if wanted."""
    print(f"{'':28}{'cuts':>7}{'hold':>9}{'done':>9}{'whole':>8}{'hold':>9}{'done':>9}{'us':>7}")
    for group, tally in tallies.items():
        cuts, whole = sum(tally.cuts.values()), sum(tally.whole.values())
        print(
            f"{group:28}{cuts:7}  {share(tally.cuts, Cue.HOLD)}  {share(tally.cuts, Cue.DONE)}"
            f"{whole:8}  {share(tally.whole, Cue.HOLD)}  {share(tally.whole, Cue.DONE)}"
            f"{1e6 * tally.spent_s / max(cuts + whole, 1):7.1f}"
        )
        for title, texts in (("hold", tally.false_holds), ("done", tally.false_dones)):
            for text in texts[:show]:
                print(f"    false {title}: {text[-90:]}")


def main() -> None:
    """Judge what was named."""
    parser = argparse.ArgumentParser(description="Holds and dones of the lexicon.")
    parser.add_argument("manifests", nargs="*", type=Path, metavar="MANIFEST")
    parser.add_argument("--utterances", action="append", default=[], metavar="TAG=FILE")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="mistakes to print")
    options = parser.parse_args()
    manifests = options.manifests or ([] if options.utterances else [SHIPPED])
    tallies: dict[str, Tally] = defaultdict(Tally)
    for path in manifests:
        for utterance in of_manifest(path):
            judge(utterance, tallies[utterance.group])
    for argument in options.utterances:
        for utterance in of_file(argument):
            judge(utterance, tallies[utterance.group])
    report(tallies, show=options.show)


if __name__ == "__main__":
    main()
