"""Text to learn from: readers for the published layout of each data set.

Every reader yields ``(language, utterance)`` as one would write it. Nothing is downloaded: each
data set is looked for in a folder of its own, named ``owner+name`` after its repository.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Utterances = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Source:
    """One data set.

    Attributes:
        folder: ``owner+name`` of its repository.
        licence: Of its text.
        most: Utterances that are taken of it at most, of each language.
        read: Reads it.
    """

    folder: str
    licence: str
    most: int
    read: Callable[[Path], Utterances]


def _common_voice(folder: Path) -> Utterances:
    """Sentences that people gave to be read aloud; chats and stories among them."""
    names = {"zh-CN": "zh", "zh-TW": "zh", "zh-HK": "yue"}
    for path in sorted((folder / "server" / "data").glob("*/*.txt")):
        tag = path.parent.name
        language = names.get(tag, tag.split("-")[0])
        for line in path.read_text(encoding="utf-8").splitlines():
            yield language, line


def _tatoeba(path: str, language: str) -> Callable[[Path], Utterances]:
    """Pairs of an English sentence and a translation."""

    def read(folder: Path) -> Utterances:
        for line in (folder / path).read_text(encoding="utf-8-sig").splitlines():
            english, *others = line.split("\t")
            if others:
                yield "en", english
                yield language, others[0]

    return read


def _banking(folder: Path) -> Utterances:
    for name in ("train.csv", "test.csv"):
        with (folder / "banking_data" / name).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield "en", row["text"]


def _clinc(folder: Path) -> Utterances:
    for pairs in _json(folder / "data" / "data_full.json").values():
        for text, _ in pairs:
            yield "en", text


def _slurp(folder: Path) -> Utterances:
    for name in ("devel", "test"):
        path = folder / "dataset" / "slurp" / f"{name}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            yield "en", json.loads(line)["sentence"]


def _snips(folder: Path) -> Utterances:
    for path in sorted(folder.glob("2017-06-custom-intent-engines/*/train_*_full.json")):
        for intents in json.loads(path.read_text(encoding="utf-8", errors="replace")).values():
            for each in intents:
                yield "en", "".join(part["text"] for part in each["data"])


def _taskmaster(folder: Path) -> Utterances:
    for path in sorted(folder.glob("TM-4-2024/data/data_*.json")):
        for dialogue in _json(path):
            for turn in dialogue["utterances"]:
                if turn["speaker"].lower() == "user":
                    yield "en", turn["text"]


def _crosswoz(folder: Path) -> Utterances:
    for path in sorted(folder.glob("data/crosswoz/*.json.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.endswith(".json") or name.startswith("__"):
                    continue
                for dialogue in json.loads(archive.read(name)).values():
                    for message in dialogue["messages"]:
                        if message["role"] == "usr":
                            yield "zh", message["content"]


def _kdconv(folder: Path) -> Utterances:
    for path in sorted(folder.glob("data/*/*.json")):
        for dialogue in _json(path):
            for message in dialogue["messages"]:
                yield "zh", message["message"]


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


_TATOEBA = "CC BY 2.0 FR"
SOURCES: tuple[Source, ...] = (
    Source("mozilla+voice-web", "CC0 1.0", 40_000, _common_voice),
    Source("DarrenCarvalho+Language-Translation", _TATOEBA, 30_000, _tatoeba("data/deu.txt", "de")),
    Source("13luoyu+Transformer-machine-translation", _TATOEBA, 30_000, _tatoeba("cmn.txt", "zh")),
    Source("PolyAI-LDN+task-specific-datasets", "CC BY 4.0", 15_000, _banking),
    Source("clinc+oos-eval", "CC BY 3.0", 25_000, _clinc),
    Source("pswietojanski+slurp", "CC BY 4.0", 15_000, _slurp),
    Source("sonos+nlu-benchmark", "CC0 1.0", 8_000, _snips),
    Source("google-research-datasets+Taskmaster", "CC BY 4.0", 25_000, _taskmaster),
    Source("thu-coai+CrossWOZ", "Apache-2.0", 20_000, _crosswoz),
    Source("thu-coai+KdConv", "Apache-2.0", 20_000, _kdconv),
)
