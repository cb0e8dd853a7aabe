from __future__ import annotations

import os
import time
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


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if not path.is_dir()}


def five(path: Path) -> tuple[ClipFolder, list[bytes], int]:
    """Five clips, used an hour apart, the first the longest ago; and the bytes of one."""
    folder, keys = ClipFolder(path), [bytes([number]) * 16 for number in (4, 1, 3, 0, 2)]
    for age, key in enumerate(reversed(keys)):
        folder.write(key, CLIP)
        used_at = time.time() - 3_600.0 * (age + 1)
        os.utime(path / key.hex()[:2] / f"{key.hex()}.clip", (used_at, used_at))
    return folder, keys, len(encode(KEY, CLIP))


def test_what_was_not_used_for_longest_is_removed_until_the_rest_fits(tmp_path: Path) -> None:
    folder, keys, one = five(tmp_path)
    assert folder.sweep(5 * one) == 0
    assert folder.sweep(3 * one) == 2
    assert [folder.read(key) is not None for key in keys] == [False, False, True, True, True]
    assert folder.sweep(3 * one) == 0


def test_a_clip_that_is_heard_again_stays(tmp_path: Path) -> None:
    folder, keys, one = five(tmp_path)
    assert folder.read(keys[0]) == CLIP
    folder.used([keys[1], KEY])
    assert folder.sweep(3 * one) == 2
    assert [folder.read(key) is not None for key in keys] == [True, True, False, False, True]


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    folder, keys, one = five(tmp_path)
    old, new = (tmp_path / keys[0].hex()[:2] / f"{name}.draft" for name in ("old", "new"))
    for draft in (old, new):
        draft.write_bytes(b"CCLP")
    os.utime(old, (time.time() - 7_200.0,) * 2)
    assert folder.sweep(5 * one) == 0
    assert names(tmp_path) == {*(f"{key.hex()}.clip" for key in keys), "new.draft"}


def test_what_vanishes_meanwhile_or_is_not_ours_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, keys, one = five(tmp_path)
    (tmp_path / "notes.txt").write_text("not a clip")
    gone = tmp_path / keys[4].hex()[:2] / "gone.clip"
    gone.symlink_to(tmp_path / "nowhere")  # listed, and not there when it is looked at
    oldest = tmp_path / keys[0].hex()[:2] / f"{keys[0].hex()}.clip"
    unlink = Path.unlink

    def after_another_sweep(path: Path, *, missing_ok: bool = False) -> None:
        if path == oldest:
            unlink(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", after_another_sweep)
    folder.sweep(3 * one)
    kept = {f"{key.hex()}.clip" for key in keys[2:]}
    assert names(tmp_path) == {*kept, "gone.clip", "notes.txt"}
    assert ClipFolder(tmp_path / "nothing").sweep(0) == 0


def test_a_draft_that_cannot_take_its_place_is_removed(tmp_path: Path) -> None:
    (tmp_path / KEY.hex()[:2] / f"{KEY.hex()}.clip").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        ClipFolder(tmp_path).write(KEY, CLIP)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
