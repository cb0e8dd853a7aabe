"""Clips as files, one each: they outlive the process, and a broken one is found out.

Layout, big endian: magic ``CCLP``, version 1 (1 byte), 16 bytes BLAKE2b over key and body, then the
body: number of marks (4 bytes), each mark as chars (4 bytes) and at_s (8-byte float), mu-law audio.
"""

from __future__ import annotations

import math
import os
import struct
import tempfile
from hashlib import blake2b
from pathlib import Path

from cache.clips import Clip
from cache.errors import ClipFileBroken

_MAGIC = b"CCLP\x01"
_SUM_BYTES = 16
_COUNT = struct.Struct(">I")
_MARK = struct.Struct(">Id")


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
        return decode(key, data)

    def write(self, key: bytes, clip: Clip) -> None:
        """Write the clip whole or not at all: a reader never sees half a file.

        Raises:
            OSError: The disk is full or may not be written.
        """
        place = self._place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=place.parent, suffix=".draft")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encode(key, clip))
            Path(draft).replace(place)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise

    def _place(self, key: bytes) -> Path:
        # Two letters of folder keep directories small with many thousand clips.
        name = key.hex()
        return self._path / name[:2] / f"{name}.clip"
