"""The sets of ``benchmarks/data/cache``, or files of the same form from anywhere."""

from __future__ import annotations

import csv
import gzip
import json
import random
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "data" / "cache"


class TurnsInvalid(Exception):
    """A file of turns cannot be read; says which line, and nothing of its words."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that a caller asked.

    Attributes:
        answer: Equal where one answer is right for both.
        slots: Values that the answer depends on, as text.
    """

    text: str
    answer: str
    slots: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Which agent answers, empty in sets of one: NLU++ has a bank and a hotel."""
        return self.answer.partition(":")[0] if ":" in self.answer else ""

    @property
    def strict(self) -> str:
        """Equal where the same words may be said: intent and values."""
        return "|".join((self.answer, *self.slots))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two turns that differ by little."""

    category: str
    is_same: bool
    one: str
    other: str


def turns(file: Path) -> list[Turn]:
    """All rows of a ``.jsonl`` or ``.jsonl.gz`` file.

    Raises:
        TurnsInvalid: It cannot be read, or a line has no text or no answer.
    """
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TurnsInvalid(f"{file} cannot be read: {type(error).__name__}") from None
    found = []
    for number, line in enumerate(text.splitlines()):
        if line.strip():
            try:
                found.append(_turn(number, json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                raise TurnsInvalid(
                    f'{file}:{number + 1}: one {{"text": ..., "answer": ...}} a line is wanted'
                ) from None
    if not found:
        raise TurnsInvalid(f"{file} holds no turn")
    return found


def _turn(number: int, row: Any) -> Turn:
    slots = tuple(f"{k}={json.dumps(v)}" for k, v in sorted(row.get("slots", {}).items()))
    text, answer = row["text"], row["answer"]
    if not isinstance(text, str) or not isinstance(answer, str):
        raise TypeError
    if not answer or answer.endswith(":"):  # out of scope: an answer that nobody else gets
        answer += f"alone-{number}"
    return Turn(text, answer, slots)


def shuffled(rows: list[Turn], seed: int, most: int | None = None) -> list[Turn]:
    """In an order that the seed decides."""
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)
    return mixed[:most]


def pairs(file: Path) -> list[Pair]:
    """The English pairs of a table with a header."""
    with file.open(encoding="utf-8", newline="") as opened:
        return [
            Pair(row["category"], row["same_answer"] == "1", row["text_a"], row["text_b"])
            for row in csv.DictReader(opened, delimiter="\t")
            if row.get("lang", "en").startswith("en")
        ]
