"""Several owners: each agent has one, ids are never given twice, files follow their number."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cache.entry import Answer
from cache.keeper import CacheKeeper, KeeperConfig
from cache.lookup import ask
from cache.outcomes import Hit
from cache.scope import Scope
from cache.shard_files import ShardFile, file_name
from cache.sharded_answers import ShardedAnswers
from cache.shards import MOST_SHARDS, first_id, shard_of
from cache.snapshot import Model, Snapshot
from cache.snapshot_state import keeper_of, snapshot_of_keeper
from cache.store import Limits
from tests.cache.cache_world import DIMENSION, FAQ, FREE, SCOPE, Worker, keeper, learned
from tests.support.fake_answers import FakeAnswers, hit
from tests.support.virtual_time import run

AGENTS = [(f"tenant-{number % 40}", f"agent-{number}") for number in range(2_000)]
MODEL = Model("words-1", DIMENSION)


def test_agents_are_spread_evenly_and_only_a_part_moves() -> None:
    before = {agent: shard_of(*agent, 4) for agent in AGENTS}
    assert all(count > 400 for count in Counter(before.values()).values())
    after = {agent: shard_of(*agent, 5) for agent in AGENTS}
    moved = [agent for agent in AGENTS if before[agent] != after[agent]]
    assert all(after[agent] == 4 for agent in moved), "to the new one, and nowhere else"
    assert 300 < len(moved) < 500
    assert shard_of("a", "b", 1) == 0


def test_ids_of_two_owners_never_meet() -> None:
    firsts = [first_id(shard) for shard in range(MOST_SHARDS)]
    assert firsts == sorted(set(firsts))
    assert firsts[0] == 1
    used = first_id(3) + 17
    assert min(first_id(shard, after=used) for shard in range(MOST_SHARDS)) > used
    assert first_id(MOST_SHARDS - 1, after=first_id(MOST_SHARDS)) < 1 << 53, "JSON holds it"


def owner(agents: list[str], first: int = 1) -> CacheKeeper:
    made = keeper(encoder="words-1")
    made.cache.resume(first)
    worker = Worker(made, encoder="words-1")
    for agent_id in agents:
        worker.tell(learned("when do you open", FAQ, "ann", replace(SCOPE, agent_id=agent_id)))
    return made


def written(folder: Path, shard: int, shards: int, made: CacheKeeper, at_s: float) -> None:
    file = ShardFile(folder, shard, shards)
    file.write(snapshot_of_keeper(made, MODEL).to_bytes())
    os.utime(file.path, (at_s, at_s))


def agents_of(found: Snapshot | None) -> set[str]:
    return {entry.scope.agent_id for entry in found.entries} if found else set()


def test_one_owner_has_the_file_that_it_always_had(tmp_path: Path) -> None:
    assert file_name(0, 1) == "responses.cache"
    written(tmp_path, 0, 1, owner(["anna"]), 100.0)
    assert agents_of(ShardFile(tmp_path).read("aside")) == {"anna"}
    assert ShardFile(tmp_path / "nowhere", 1, 3).read("aside") is None


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 4)])
def test_when_their_number_changes_each_takes_what_is_its_own(
    tmp_path: Path, before: int, after: int
) -> None:
    names = [f"agent-{number}" for number in range(20)]
    greatest = 0
    for shard in range(before):
        own = [name for name in names if shard_of(SCOPE.tenant_id, name, before) == shard]
        made = owner(own, first_id(shard))
        greatest = max(greatest, *(entry.entry_id for entry in made.cache.store), 0)
        written(tmp_path, shard, before, made, 100.0)
    found = [ShardFile(tmp_path, shard, after).read("aside") for shard in range(after)]
    assert [agents_of(one) for one in found] == [
        {name for name in names if shard_of(SCOPE.tenant_id, name, after) == shard}
        for shard in range(after)
    ]
    for shard, one in enumerate(found):
        assert one is not None
        config = KeeperConfig(DIMENSION, "words-1", FREE)
        again = keeper_of(one, config, Limits(), bound=0.06, jitter=lambda: 0.0)
        worker = Worker(again, encoder="words-1")
        worker.tell(learned("is there parking", FAQ, "ann"))
        newest = max(entry.entry_id for entry in again.cache.store)
        assert newest >= first_id(shard, after=greatest) > greatest


def test_what_was_written_since_is_read_and_not_the_layout_of_before(tmp_path: Path) -> None:
    written(tmp_path, 0, 1, owner(["old"]), 100.0)
    written(tmp_path, 0, 2, owner(["new"]), 200.0)
    assert agents_of(ShardFile(tmp_path, 0, 2).read("aside")) == {"new"}
    # The other one of two has not written yet: its part is in the file of before.
    other = ShardFile(tmp_path, 1, 2).read("aside")
    assert other is not None
    assert agents_of(other) <= {"old"}


def test_a_broken_file_of_before_is_said(tmp_path: Path) -> None:
    written(tmp_path, 0, 1, owner(["anna"]), 100.0)
    path = tmp_path / "responses.cache"
    path.write_bytes(path.read_bytes()[:-7])
    file = ShardFile(tmp_path, 0, 2)
    assert file.read("aside") is None
    assert "responses.cache of before" in file.trouble
    assert path.exists()


def test_everything_of_an_agent_goes_to_its_owner() -> None:
    async def story() -> None:
        shards = [FakeAnswers(hit(f"of {number}")) for number in range(3)]
        answers = ShardedAnswers(shards)
        for name in ("one", "two", "three", "four"):
            scope = Scope("t", name, "", "", "", "en-US")
            number = shard_of("t", name, 3)
            found = await answers.lookup(ask("when do you open", scope))
            assert isinstance(found, Hit)
            assert found.answer.text == f"of {number}"
            answers.served(found, scope)
            answers.learned(ask("x y", scope), None, Answer("a", "b"), caller=b"c")
            answers.checked(found, scope, is_right=False)
            answers.went_on(scope, found.answer, None)
        for number, shard in enumerate(shards):
            mine = sum(shard_of("t", name, 3) == number for name in ("one", "two", "three", "four"))
            assert [len(told) for told in (shard.spoken, shard.told, shard.wrong, shard.steps)] == [
                mine
            ] * 4

    run(story())
