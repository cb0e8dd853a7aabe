"""Clips as files, one each: they outlive the process, and a broken one is found out.

Layout, big endian: magic ``CCLP``, version 1 (1 byte), 16 bytes BLAKE2b over key and body, then the
body: number of marks (4 bytes), each mark as chars (4 bytes) and at_s (8-byte float), mu-law audio.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import struct
import tempfile
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from cache.clips import Clip
from cache.errors import ClipFileBroken

_MAGIC = b"CCLP\x01"
_SUM_BYTES = 16
_COUNT = struct.Struct(">I")
_MARK = struct.Struct(">Id")
_CLIP, _DRAFT = ".clip", ".draft"
_DRAFT_S = 3_600.0  # who has not finished one after that has died


def _checksum(key: bytes, body: bytes) -> bytes:
    return blake2b(key + body, digest_size=_SUM_BYTES, person=b"cc-clip-file").digest()


def encode(key: bytes, clip: Clip) -> bytes:
    """The file of a clip."""
    marks = b"".join(_MARK.pack(chars, at_s) for chars, at_s in clip.marks)
    body = _COUNT.pack(len(clip.marks)) + marks + clip.ulaw
    return _MAGIC + _checksum(key, body) + body


def decode(key: bytes, data: bytes) -> Clip:
    """Read the file of a clip.

    Raises:
        ClipFileBroken: Cut short, altered, or the file of another clip.
    """
    start = len(_MAGIC) + _SUM_BYTES
    body = data[start:]
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != _checksum(key, body):
        raise ClipFileBroken("checksum or version of a clip file is wrong")
    try:
        (count,) = _COUNT.unpack_from(body)
        end = _COUNT.size + count * _MARK.size
        marks = tuple(_MARK.iter_unpack(body[_COUNT.size : end]))
    except struct.error:
        raise ClipFileBroken("a clip file is too short") from None
    if len(marks) != count or not all(math.isfinite(at_s) for _, at_s in marks):
        raise ClipFileBroken("the marks of a clip file are wrong")
    return Clip(ulaw=body[end:], marks=marks)


class ClipFolder:
    """A directory of clip files; several processes may share it. Blocking: call it in a thread.

    The time of a file is that of its last use, which ``sweep`` goes by.

    Args:
        path: Made when the first clip is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, key: bytes) -> Clip | None:
        """The clip, or None when there is no such file.

        Raises:
            ClipFileBroken: There is one, but it is not sound.
            OSError: It cannot be read.
        """
        try:
            data = self._place(key).read_bytes()
        except FileNotFoundError:
            return None
        self.used([key])
        return decode(key, data)

    def used(self, keys: Iterable[bytes]) -> None:
        """These clips are in use; those that have no file, or may not be touched, do not matter."""
        for key in keys:
            with contextlib.suppress(OSError):
                os.utime(self._place(key))

    def write(self, key: bytes, clip: Clip) -> None:
        """Write the clip whole or not at all: a reader never sees half a file.

        Raises:
            OSError: The disk is full or may not be written.
        """
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=place.parent, suffix=_DRAFT)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encode(key, clip))
            Path(draft).replace(place)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    def sweep(self, most_bytes: int) -> int:
        """Remove what was not used for longest until the rest fits, and drafts of the dead.

        Others may read, write and sweep meanwhile.

        Args:
            most_bytes: That all clips may have together.

        Returns:
            How many clips were removed.

        Raises:
            OSError: The folder cannot be read.
        """
        if not self._path.is_dir():
            return 0
        # Sorted folder by folder: one long sort would hold up the loop, which has the same lock.
        folders = [_files(Path(folder)) for folder in os.scandir(self._path) if folder.is_dir()]
        held_bytes = sum(size_bytes for folder in folders for _, size_bytes, _ in folder)
        removed = 0
        for _, size_bytes, place in heapq.merge(*folders):
            if held_bytes <= most_bytes:
                break
            with contextlib.suppress(OSError):
                Path(place).unlink(missing_ok=True)
                held_bytes -= size_bytes
                removed += 1
        return removed

    def _place(self, key: bytes) -> Path:
        # Two letters of folder keep directories small with many thousand clips.
        name = key.hex()
        return self._path / name[:2] / f"{name}{_CLIP}"


def _files(folder: Path) -> list[tuple[float, int, str]]:
    """When each clip was used last, its bytes, its path; drafts of the dead are removed."""
    found: list[tuple[float, int, str]] = []
    for file in os.scandir(folder):
        with contextlib.suppress(OSError):  # it may be gone by now
            state = file.stat()
            if file.name.endswith(_CLIP):
                found.append((state.st_mtime, state.st_size, file.path))
            elif file.name.endswith(_DRAFT) and time.time() - state.st_mtime >= _DRAFT_S:
                Path(file.path).unlink(missing_ok=True)
    return sorted(found)
