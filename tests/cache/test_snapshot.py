"""The file of the response cache: whole or set aside; a restart relearns nothing."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.deltas import FEATURES, Put
from cache.errors import SnapshotBroken
from cache.keeper import CacheKeeper, KeeperConfig
from cache.lookup import ask
from cache.outcomes import Hit, Tier
from cache.replica_reports import Batch, Checked
from cache.snapshot import Model, Snapshot, SnapshotFile, snapshot_of
from cache.snapshot_state import keeper_of, snapshot_of_keeper
from cache.store import Limits
from tests.cache.cache_world import (
    DIMENSION,
    FAQ,
    FREE,
    HOURS,
    SCOPE,
    Worker,
    keeper,
    learned,
    vector_of,
)
from tests.cache.test_deltas import seen_of

MODEL = Model("words-1", DIMENSION)
OPEN = "what time do you open"


def worked() -> CacheKeeper:
    """An owner that has learned something of everything."""
    owner = keeper(encoder="words-1")
    worker = Worker(owner, encoder="words-1")
    worker.tell(learned(OPEN, HOURS, "ann"), learned(OPEN, HOURS, "ben"))
    for number in range(450):
        is_right = number % 2 == 0
        features = (float(is_right),) * FEATURES
        nearest = f"a{number % 20}" if is_right else "other"
        answer = replace(HOURS, answer_id=f"a{number % 20}", text=f"answer {number % 20}")
        text = f"topic{number % 20} case{number}"
        worker.tell(learned(text, answer, f"c{number}", features=features, nearest=nearest))
    worker.tell(Checked(SCOPE, 1, "hours", Tier.SEMANTIC, is_right=False))
    owner.invalidate("shop", "prices", now_s=0.0)
    owner.done(owner.due().run())
    return owner


def restored(data: bytes, model: Model = MODEL) -> CacheKeeper:
    config = KeeperConfig(model.dimension, model.encoder, FREE)
    found = snapshot_of(data).of_model(model)
    return keeper_of(found, config, Limits(), bound=0.06, jitter=lambda: 0.0)


def test_a_restart_relearns_nothing() -> None:
    owner = worked()
    again = restored(snapshot_of_keeper(owner, MODEL).to_bytes())
    assert seen_of(again.cache) == seen_of(owner.cache)
    assert [entry.entry_id for entry in again.cache.store] == [
        entry.entry_id for entry in owner.cache.store
    ], "the least used goes first, as before"
    before, after = ([*one.cache.gates.lessons()] for one in (owner, again))
    assert [(family, seen, len(labels)) for family, seen, labels in before] == [
        (family, seen, len(labels)) for family, seen, labels in after
    ]
    assert again.cache.next_id == owner.cache.next_id
    assert not again.tell(Batch("w", 1, "", ()), now_s=0.0), "that batch was heard"
    assert not again.due(), "nothing has to be measured or fitted anew"


def test_counters_come_back() -> None:
    owner = keeper(encoder="words-1")
    Worker(owner).tell(learned(OPEN, FAQ, "ann", source="call-7"))
    (entry,) = owner.cache.store
    entry.counters.served = 5
    (again,) = restored(snapshot_of_keeper(owner, MODEL).to_bytes()).cache.store
    assert (again.counters.served, again.source) == (5, "call-7")


def small() -> bytes:
    owner = keeper(encoder="words-1")
    Worker(owner, encoder="words-1").tell(learned(OPEN, FAQ, "ann"))
    return snapshot_of_keeper(owner, MODEL, 3).to_bytes()


def test_it_says_how_far_its_owner_was() -> None:
    assert snapshot_of(small()).stamp == (3, 2)


@given(st.integers(0, len(small()) - 1), st.integers(1, 255))
def test_an_altered_file_is_not_believed(place: int, flip: int) -> None:
    data = bytearray(small())
    data[place] ^= flip
    try:
        found = snapshot_of(bytes(data))
    except SnapshotBroken:
        return
    # What the first line means may be written in two ways: white space.
    assert found.to_bytes() == small()


@given(st.integers(0, len(small()) - 1))
def test_a_file_that_was_cut_short_is_not_believed(size: int) -> None:
    with pytest.raises(SnapshotBroken):
        snapshot_of(small()[:size])


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    with pytest.raises(SnapshotBroken):
        snapshot_of(data)


def test_a_file_of_a_later_version_is_not_believed() -> None:
    with pytest.raises(SnapshotBroken, match="version 2"):
        snapshot_of(small().replace(b'"version": 1', b'"version": 2'))


def test_vectors_that_have_not_the_length_the_file_says_are_not_believed() -> None:
    found = snapshot_of(small())
    lying = replace(found, model=replace(MODEL, dimension=DIMENSION * 2)).to_bytes()
    with pytest.raises(SnapshotBroken, match="64"):
        snapshot_of(lying)


@pytest.mark.parametrize(
    "model",
    [Model("words-2", DIMENSION), Model("wide-1", 2 * DIMENSION), Model("words-1", DIMENSION, 2)],
)
def test_with_another_model_texts_stay_and_vectors_go(model: Model) -> None:
    again = restored(snapshot_of_keeper(worked(), MODEL).to_bytes(), model)
    store = again.cache.store
    assert len(store) == 451
    assert not any(store.has_vector(entry) for entry in store)
    assert list(again.cache.gates.lessons()) == []
    assert [*again.cache.gates.fitted()] == []
    assert again.cache.lookup_exact(ask("any case", SCOPE), now_s=1.0) is None


def test_in_the_same_words_it_is_found_with_another_model_too() -> None:
    again = restored(small(), Model("words-2", DIMENSION))
    assert isinstance(again.cache.lookup(ask(OPEN, SCOPE), None, now_s=1.0), Hit)
    (entry,) = again.cache.store
    again.encoded([(entry.entry_id, vector_of(OPEN).astype("<f2").tobytes())])
    assert again.cache.store.has_vector(entry)


# --- on disk --------------------------------------------------------------------------------------


def test_there_is_no_file_at_first(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "deep" / "responses.cache")
    assert (file.read("broken"), file.trouble) == (None, "")


def test_it_is_written_and_read(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "deep" / "responses.cache")
    for _ in range(2):
        file.write(small())
    found = file.read("broken")
    assert found is not None
    assert [type(one) for one in found.state][:1] == [Put]
    assert [path.name for path in file.path.parent.iterdir()] == ["responses.cache"]


@pytest.mark.parametrize("data", [b"", b"half", small()[:-1], small() + b"x"])
def test_a_broken_file_is_set_aside_and_said(tmp_path: Path, data: bytes) -> None:
    file = SnapshotFile(tmp_path / "responses.cache")
    file.path.write_bytes(data)
    assert file.read("broken-1") is None
    assert "set aside as broken-1" in file.trouble
    assert [path.name for path in tmp_path.iterdir()] == ["broken-1"]
    assert (tmp_path / "broken-1").read_bytes() == data
    assert file.read("broken-2") is None
    assert file.trouble == ""


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SnapshotFile(tmp_path / "responses.cache")
    file.write(small())

    def is_full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", is_full)
        with pytest.raises(OSError, match="No space"):
            file.write(b"new")
    assert file.path.read_bytes() == small()
    assert [path.name for path in tmp_path.iterdir()] == ["responses.cache"]


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "folder")
    file.path.mkdir()
    assert file.read("broken") is None
    assert "cannot be read" in file.trouble


def test_an_empty_snapshot_is_one_too() -> None:
    assert snapshot_of(Snapshot(MODEL, 5).to_bytes()).next_id == 5


def test_what_callers_were_told_is_nobody_elses(tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "responses.cache")
    file.path.write_bytes(b"of before, which everybody may read")
    file.path.chmod(0o644)
    file.write(b"new")
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.read_bytes() == b"new"
