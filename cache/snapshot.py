"""The response cache on disk: one file, replaced whole, believed only when its checksum holds.

    {"format": "callcluster-cache", "version": 1, "encoder": ..., "dimension": ...,
     "normaliser": 1, "next_id": ..., "lines": ..., "bytes": ..., "blake2b": "..."}
    ["put", [...]]
    ...

The first line describes the rest, which is the state of the cache as deltas, the labels of its
gates and the batches that were heard: an owner that loads it relearns nothing. The file is written
beside the old one, flushed to disk and renamed over it, so that there is always a whole one.

A file that is cut short or altered is set aside under another name. When only the model changed,
questions and answers stay and their vectors are made anew; what was learned about the old vectors
goes. No line of a log says what was asked or answered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.deltas import BoundIs, Delta, Gate, Put, Space
from cache.deltas_codec import LineCodec
from cache.entry import Entry
from cache.errors import DeltasInvalid, SnapshotBroken
from cache.gate import Label, tabulated
from cache.learning import Family
from cache.normalise import NORMALISER_VERSION, canonical
from cache.replica_reports import DELTA_WORDS

FORMAT: Final = "callcluster-cache"
VERSION: Final = 1
_MOST_HEADER_BYTES: Final = 4_096
_NUMBERS: Final = ("version", "dimension", "normaliser", "next_id", "term", "number", "bytes")


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """The labels behind a gate.

    Attributes:
        seen: How many there have been in all.
        table: One row a label: its features, whether it was right, its weight.
    """

    family: Family
    seen: int
    table: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """The last batch that a worker had delivered."""

    writer: str
    number: int


_LINES: Final = LineCodec({**DELTA_WORDS, "lessons": Lessons, "heard": Heard})


@dataclass(frozen=True, slots=True)
class Model:
    """What the vectors of a cache were made by.

    Attributes:
        encoder: ``Encoder.name``; empty when there was none.
        dimension: Of the vectors.
        normaliser: ``cache.normalise.NORMALISER_VERSION``.
    """

    encoder: str
    dimension: int
    normaliser: int = NORMALISER_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that an owner has to remember.

    Attributes:
        model: Of its vectors.
        next_id: No entry has, or had, this id or a greater one.
        stamp: Term and number of the owner when it was made (``cache.replica.Stamp``).
        state: As ``cache.deltas.state_of`` gives it.
        lessons: Of the gates.
        heard: Batches.
    """

    model: Model
    next_id: int
    state: tuple[Delta, ...] = ()
    lessons: tuple[Lessons, ...] = ()
    heard: tuple[Heard, ...] = ()
    stamp: tuple[int, int] = (0, 0)

    @property
    def entries(self) -> list[Entry]:
        """What is kept, the least recently used first."""
        return [delta.entry for delta in self.state if isinstance(delta, Put)]

    def to_bytes(self) -> bytes:
        """The file. Some 100 ms for 10,000 entries: off the event loop."""
        body = _LINES.lines([*self.state, *self.lessons, *self.heard])
        header = {
            "format": FORMAT,
            "version": VERSION,
            "encoder": self.model.encoder,
            "dimension": self.model.dimension,
            "normaliser": self.model.normaliser,
            "next_id": self.next_id,
            "term": self.stamp[0],
            "number": self.stamp[1],
            "bytes": len(body),
        }
        header["blake2b"] = _digest(header, body)
        return json.dumps(header).encode("ascii") + b"\n" + body

    def of_model(self, model: Model) -> Snapshot:
        """The same for another model: texts stay, what was made from vectors goes."""
        if model == self.model:
            return self
        state: list[Delta] = []
        for delta in self.state:
            if isinstance(delta, Put):
                question = canonical(delta.entry.question, delta.entry.scope.language)
                if question:
                    state.append(Put(replace(delta.entry, question=question), b""))
            elif not isinstance(delta, Gate | Space | BoundIs):
                state.append(delta)
        return replace(self, model=model, state=tuple(state), lessons=())


def snapshot_of(data: bytes) -> Snapshot:
    """Read a file.

    Raises:
        SnapshotBroken: It is cut short, altered, of a later version, or its vectors have another
            dimension than it says. The message holds nothing of what the file says.
    """
    line, _, body = data.partition(b"\n")
    header = _header(line)
    if len(body) != header["bytes"]:
        raise SnapshotBroken(f"it has {len(body)} bytes of {header['bytes']}")
    if header.pop("blake2b", "") != _digest(header, body):
        raise SnapshotBroken("its checksum is wrong")
    try:
        values = _LINES.read(body)
    except DeltasInvalid as error:
        raise SnapshotBroken(error.message) from None
    model = Model(header["encoder"], header["dimension"], header["normaliser"])
    sizes = {len(value.vector) for value in values if isinstance(value, Put)} - {0}
    if not sizes <= {2 * model.dimension}:
        raise SnapshotBroken(f"its vectors have not the {model.dimension} numbers that it says")
    return Snapshot(
        model,
        header["next_id"],
        tuple(value for value in values if not isinstance(value, Lessons | Heard)),
        tuple(value for value in values if isinstance(value, Lessons)),
        tuple(value for value in values if isinstance(value, Heard)),
        (header["term"], header["number"]),
    )


def _digest(header: dict[str, Any], body: bytes) -> str:
    first = json.dumps(header, sort_keys=True).encode("ascii")
    return blake2b(first + b"\n" + body, digest_size=32).hexdigest()


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line[:_MOST_HEADER_BYTES])
        is_ours = header["format"] == FORMAT
        for name in _NUMBERS:
            if type(header[name]) is not int or header[name] < 0:
                raise SnapshotBroken("its first line is not that of a snapshot")
        is_ours = is_ours and isinstance(header["encoder"], str)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SnapshotBroken("its first line is not that of a snapshot") from None
    if not is_ours:
        raise SnapshotBroken("its first line is not that of a snapshot")
    if header["version"] != VERSION:
        raise SnapshotBroken(f"it is of version {header['version']}, and this is {VERSION}")
    found: dict[str, Any] = header
    return found


def lessons_of(learned: Iterable[tuple[Family, int, list[Label]]]) -> tuple[Lessons, ...]:
    """Labels as tables."""
    return tuple(
        Lessons(
            family,
            seen,
            tabulated(
                [(*label.features, float(label.is_right), label.weight) for label in labels]
            ).astype(np.float32),
        )
        for family, seen, labels in learned
    )


def labels_of(lessons: Lessons, features: int) -> list[Label]:
    """And back; none when they are of another version's features."""
    if lessons.table.ndim != 2 or lessons.table.shape[1] != features + 2:
        return []
    return [Label(tuple(row[:-2]), bool(row[-2]), row[-1]) for row in lessons.table.tolist()]


def _for_us_alone(path: str, flags: int) -> int:
    """What callers were told is nobody else's."""
    return os.open(path, flags, 0o600)


@dataclass(slots=True)
class SnapshotFile:
    """Where a snapshot is kept. All methods block: off the event loop.

    Attributes:
        path: Of the file; its folder is made when it is written.
        trouble: What was wrong with the file that was read last; empty when nothing was.
    """

    path: Path
    trouble: str = field(default="", init=False)

    def write(self, data: bytes) -> None:
        """Replace the file. Raises ``OSError``; the old one is whole then."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            with open(beside, "wb", opener=_for_us_alone) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _sync_folder(self.path.parent)

    def read(self, aside_name: str) -> Snapshot | None:
        """The snapshot; None when there is none, or none that can be believed.

        Args:
            aside_name: Under which name a broken file is set aside, in the same folder; a broken
                one of that name is replaced.
        """
        self.trouble = ""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.trouble = f"it cannot be read: {error.strerror}"
            return None
        try:
            return snapshot_of(data)
        except SnapshotBroken as error:
            self.trouble = error.message
            aside = self.path.with_name(aside_name)
            try:
                self.path.replace(aside)
                self.trouble += f"; it is set aside as {aside.name}"
            except OSError:
                self.trouble += "; it could not be set aside"
            return None


def _sync_folder(folder: Path) -> None:
    """Make the renaming last; systems that cannot open a folder do without."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
