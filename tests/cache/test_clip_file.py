from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.clip_file import ClipFolder, decode, encode
from cache.clips import Clip
from cache.errors import ClipFileBroken

KEY = bytes(range(16))
CLIP = Clip(b"\xff" * 160, ((2, 0.01), (5, 0.02)))
MARKS = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 100)), max_size=3)


@settings(max_examples=25)
@given(st.binary(max_size=50), MARKS)
def test_a_clip_survives_the_way_to_bytes_and_back(
    ulaw: bytes, marks: list[tuple[int, float]]
) -> None:
    clip = Clip(ulaw, tuple(marks))
    assert decode(KEY, encode(KEY, clip)) == clip


@settings(max_examples=25)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_cleanly(data: bytes) -> None:
    with suppress(ClipFileBroken):
        decode(KEY, data)


@pytest.mark.parametrize("position", [0, 4, 10, 25, 40, -1])
def test_one_altered_byte_is_found_out(position: int) -> None:
    data = bytearray(encode(KEY, CLIP))
    data[position] ^= 1
    with pytest.raises(ClipFileBroken):
        decode(KEY, bytes(data))


def test_a_file_cut_short_or_of_another_clip_is_found_out() -> None:
    for key, data in ((KEY, encode(KEY, CLIP)[:-1]), (b"x" * 16, encode(KEY, CLIP))):
        with pytest.raises(ClipFileBroken):
            decode(key, data)


def test_a_folder_keeps_clips_and_no_drafts(tmp_path: Path) -> None:
    folder = ClipFolder(tmp_path / "clips")
    assert folder.read(KEY) is None
    folder.write(KEY, CLIP)
    folder.write(KEY, CLIP)
    assert ClipFolder(tmp_path / "clips").read(KEY) == CLIP
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".clip"]


def test_a_draft_that_cannot_take_its_place_is_removed(tmp_path: Path) -> None:
    (tmp_path / KEY.hex()[:2] / f"{KEY.hex()}.clip").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        ClipFolder(tmp_path).write(KEY, CLIP)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
