"""One owner, many copies: what one process learns all know, and a dead owner changes nothing."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from actors.cache_driver import TEND_EVERY_S
from actors.cache_polls import POLL_S
from actors.cache_replica_driver import FLUSH_AFTER_S
from actors.cache_saver import SAVE_EVERY_S
from cache.deltas import Delta
from cache.errors import DeltasInvalid
from cache.outcomes import Hit, Outcome, RefusalReason, Tier
from cache.ports import Complaint
from cache.replica_reports import Checked
from tests.actors.cache_cluster import Cluster, Disk, asked, cluster, teach
from tests.cache.cache_world import FAQ, HOURS, SCOPE, WordEncoder, turn_encoder
from tests.support.virtual_time import run

OPEN = "what time do you open"
SOON_S = FLUSH_AFTER_S + 0.5


def entries(world: Cluster) -> int:
    assert world.owner is not None
    return len(world.owner.keeper.cache.store)


def reason(outcome: Outcome) -> object:
    return None if isinstance(outcome, Hit) else outcome.reason


def test_what_two_processes_learn_all_know_at_once() -> None:
    async def story() -> None:
        async with cluster() as world:
            one, two, three = (world.process(name) for name in ("one", "two", "three"))
            await teach(one, OPEN, HOURS, "ann")
            await teach(two, OPEN, HOURS, "ben")
            await asyncio.sleep(SOON_S)
            for process in (one, two, three):
                found = await asked(process, OPEN)
                assert isinstance(found, Hit)
                assert found.entry_id == 1
                near = await asked(process, "what time do you open there")
                assert isinstance(near, Hit)
                assert near.tier is Tier.SEMANTIC

    run(story())


def test_what_calls_tell_gathers_in_few_messages() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            for number in range(50):
                await teach(one, f"about thing {number}", HOURS, "ann")
                await asyncio.sleep(0.01)
            await asyncio.sleep(SOON_S)
            assert entries(world) == 50
            assert world.tells <= 6

    run(story())


def test_while_the_owner_is_away_lookups_go_on_and_nothing_is_lost() -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            one, two = world.process("one"), world.process("two")
            await teach(one, OPEN, HOURS, "ann", "ben")
            await asyncio.sleep(SAVE_EVERY_S + 2 * TEND_EVERY_S)
            world.kill_owner()
            await asyncio.sleep(5.0)
            assert one.is_away
            assert isinstance(await asked(two, OPEN), Hit)
            await teach(one, "is there parking", FAQ, "ann")
            await asyncio.sleep(5.0)
            await world.start_owner()
            await asyncio.sleep(POLL_S + 5.0)
            assert not one.is_away
            assert entries(world) == 2
            assert isinstance(await asked(two, "is there parking"), Hit)
            assert isinstance(await asked(two, OPEN), Hit)

    run(story())


def test_answers_that_get_lost_teach_nothing_twice() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            world.loses_answers = 3
            for _ in range(2):
                found = await asked(one, OPEN)
                assert isinstance(found, Hit)
                one.answers.served(found, SCOPE)
            assert isinstance(await asked(one, OPEN), Hit), "a guess that is not spoken"
            await asyncio.sleep(10.0)
            assert world.owner is not None
            (entry,) = world.owner.keeper.cache.store
            assert entry.counters.served == 2

    run(story())


def test_an_owner_without_a_file_takes_over_the_copy_of_a_worker() -> None:
    async def story() -> None:
        async with cluster() as world:
            one, two = world.process("one"), world.process("two")
            await teach(one, OPEN, HOURS, "ann", "ben")
            await asyncio.sleep(SOON_S)
            world.kill_owner()
            await asyncio.sleep(2.0)
            await world.start_owner()
            three = world.process("three")
            await asyncio.sleep(POLL_S * 3)
            for process in (one, two, three):
                assert isinstance(await asked(process, OPEN), Hit)
            assert entries(world) == 1
            await teach(one, "is there parking", FAQ, "ann")
            await asyncio.sleep(SOON_S)
            assert world.owner is not None
            ids = sorted(entry.entry_id for entry in world.owner.keeper.cache.store)
            assert ids[0] == 1
            assert ids[1] > 1_000, "no id is used twice, whatever the dead owner gave away"

    run(story())


def test_a_file_that_is_older_than_a_copy_gives_way_to_it() -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            one = world.process("one")
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SAVE_EVERY_S + 2 * TEND_EVERY_S)
            disk.is_full = True
            await teach(one, "is there parking", FAQ, "ann")
            await asyncio.sleep(SOON_S)
            world.kill_owner()
            disk.is_full = False
            await world.start_owner()
            await asyncio.sleep(POLL_S * 3)
            assert entries(world) == 2

    run(story())


def test_a_broken_file_is_said_in_one_line_without_words(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            await teach(world.process("one"), OPEN, FAQ, "ann")
            await asyncio.sleep(SAVE_EVERY_S + 2 * TEND_EVERY_S)
        assert disk.data is not None
        disk.data = disk.data[:-20]
        with caplog.at_level(logging.WARNING):
            async with cluster(disk) as world:
                assert entries(world) == 0
        assert len(disk.set_aside) == 1

    run(story())
    (line,) = [one.getMessage() for one in caplog.records if "begins with nothing" in one.message]
    assert "open" not in line
    assert "nine" not in line


def test_another_model_has_the_questions_encoded_anew() -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            await teach(world.process("one"), OPEN, FAQ, "ann")
            await asyncio.sleep(SAVE_EVERY_S + 2 * TEND_EVERY_S)
            world.kill_owner()
            words = WordEncoder("words-2")
            await world.start_owner(turn_encoder(words))
            await asyncio.sleep(POLL_S * 3)
            assert words.encoded == [OPEN]
            old, new = world.process("old"), world.process("new", turn_encoder(words))
            await asyncio.sleep(POLL_S)
            near = await asked(new, "what time do you open shop")
            assert isinstance(near, Hit)
            assert not isinstance(await asked(old, "what time do you open shop"), Hit)
            assert isinstance(await asked(old, OPEN), Hit), "in the same words it is found"

    run(story())


def test_without_an_encoder_questions_in_the_same_words_are_answered() -> None:
    async def story() -> None:
        async with cluster() as world:
            blind = world.process("blind", turn_encoder(reads="fr"))
            await teach(blind, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S + 2 * TEND_EVERY_S)
            assert isinstance(await asked(blind, OPEN), Hit)
            assert not isinstance(await asked(blind, "what time do you open shop"), Hit)
            seeing = world.process("seeing")
            await asyncio.sleep(SOON_S)
            near = await asked(seeing, "what time do you open shop")
            assert isinstance(near, Hit), "the owner has encoded it"

    run(story())


def test_an_error_silences_an_entry_here_at_once_and_soon_everywhere() -> None:
    async def story() -> None:
        async with cluster() as world:
            one, two = world.process("one"), world.process("two")
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            hit = await asked(one, OPEN)
            assert isinstance(hit, Hit)
            one.answers.complained(hit, SCOPE, Complaint.REPEAT)
            one.answers.checked(hit, SCOPE, is_right=False)
            assert reason(await asked(one, OPEN)) == RefusalReason.QUARANTINED
            await asyncio.sleep(SOON_S)
            assert reason(await asked(two, OPEN)) == RefusalReason.QUARANTINED
            assert world.owner is not None
            (entry,) = world.owner.keeper.cache.store
            assert (entry.counters.wrong, entry.counters.repeats) == (1, 1)

    run(story())


def test_words_of_what_may_not_be_kept_stay_in_the_process() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            secret = replace(
                HOURS, text="Your PIN is 4711.", storage_class=HOURS.storage_class.NEVER
            )
            sent: list[dict[str, Any]] = []
            tell = world.tell

            async def heard(plain: dict[str, Any]) -> dict[str, Any]:
                sent.append(plain)
                return await tell(plain)

            world.tell = heard  # type: ignore[method-assign]
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            await teach(one, "tell me the number of my pin", secret, "ann")
            await asyncio.sleep(SOON_S)
            assert len(sent) == 2
            assert b"4711" not in sent[1]["reports"]
            assert b"pin" not in sent[1]["reports"]
            assert b"learned" in sent[1]["reports"], "the gate learns from it all the same"

    run(story())


def test_a_process_that_ends_tells_what_is_left() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            await teach(one, OPEN, FAQ, "ann")
            await one.aclose()
            assert entries(world) == 1

    run(story())


def test_many_processes_that_begin_together_share_one_snapshot() -> None:
    async def story() -> None:
        async with cluster() as world:
            await teach(world.process("one"), OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            assert world.owner is not None
            made = []
            state = world.owner.keeper.state

            def counted() -> list[Delta]:
                made.append(1)
                return state()

            world.owner.keeper.state = counted  # type: ignore[method-assign]
            more = [world.process(f"more-{number}") for number in range(20)]
            await asyncio.sleep(1.0)
            assert [len(one.replica.cache.store) for one in more] == [1] * 20
            assert len(made) <= 1

    run(story())


def test_a_full_disk_is_said_once_and_saved_later(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            disk.is_full = True
            await teach(world.process("one"), OPEN, FAQ, "ann")
            await asyncio.sleep(5 * SAVE_EVERY_S)
            assert world.owner is not None
            assert world.owner.status()["trouble"] == "No space left on device"
            disk.is_full, before = False, disk.writes
            await asyncio.sleep(2 * SAVE_EVERY_S)
            assert disk.writes == before + 1
            assert world.owner.status()["trouble"] == ""

    run(story())
    assert sum("cannot be saved" in one.getMessage() for one in caplog.records) == 1


def test_what_nobody_changed_is_not_written_again() -> None:
    async def story() -> None:
        disk = Disk()
        async with cluster(disk) as world:
            await teach(world.process("one"), OPEN, FAQ, "ann")
            await asyncio.sleep(100.0)
            writes = disk.writes
            await asyncio.sleep(100.0)
            assert disk.writes == writes

    run(story())


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"writer": "w", "number": "1", "encoder": "", "reports": b""},
        {"writer": "w", "number": 1, "encoder": "", "reports": "text"},
        {"writer": "w", "number": 1, "encoder": "", "reports": b"half a li"},
    ],
)
def test_a_message_that_cannot_be_read_is_refused(plain: Any) -> None:
    async def story() -> None:
        async with cluster() as world:
            assert world.owner is not None
            with pytest.raises(DeltasInvalid):
                await world.owner.tell(plain)
            for poll in (plain, {"reader": "r", "seen": [1]}, {"reader": "r", "seen": ["1", 2]}):
                with pytest.raises(DeltasInvalid):
                    await world.owner.watch(poll)

    run(story())


def test_a_batch_that_the_owner_cannot_read_is_dropped_and_the_next_goes() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            nonsense: Any = "perhaps"
            one.replica.tell(Checked(SCOPE, 1, "a", Tier.EXACT, is_right=nonsense), now=0.0)
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            assert one.replica.lost == 2
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            assert entries(world) == 1

    run(story())


def test_a_report_that_cannot_be_written_is_dropped_too() -> None:
    async def story() -> None:
        async with cluster() as world:
            one = world.process("one")
            nonsense: Any = object()
            one.replica.tell(nonsense, now=0.0)
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            await teach(one, OPEN, FAQ, "ann")
            await asyncio.sleep(SOON_S)
            assert entries(world) == 1

    run(story())
