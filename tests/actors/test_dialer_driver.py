"""The dialer at work, on virtual time: what it promises while everything around it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.carrier_questions import WRONG_KEY
from actors.dialer import DialerConfig
from actors.dialer_driver import DIALING_LOST_AFTER_S, DUE_AT_ONCE, HOLDS, DialerDriver, Room
from actors.dialer_events import OUTCOME_UNKNOWN, THROTTLED, UNREACHABLE
from actors.request_marks import HANG_UP
from records.edge_rows import CallRequestRow
from telephony.errors import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    InvalidCall,
)
from telephony.rest import CreateCall
from tests.support import virtual_time
from tests.support.phone_company import PhoneCompany, RequestTable, loop_clock_us, phone

CONFIG = DialerConfig()


def order(row: CallRequestRow) -> CreateCall:
    return CreateCall(to=row.to_number, from_=row.from_number, url="https://x.example/voice")


class Office:
    """A dialer that can be killed and replaced; the table and the phones stay.

    Attributes:
        free: What it is told of the cluster's free slots.
        on_asked: What happens once, after the slots were counted and before they are told.
    """

    def __init__(self) -> None:
        self.table = RequestTable()
        self.carrier = PhoneCompany()
        self.free: int | None = 100
        self.by_tenant: dict[str, int] = {}
        self.on_asked: Callable[[], Awaitable[None]] | None = None
        self._working: list[tuple[DialerDriver, asyncio.Task[None]]] = []

    def begin(self, config: DialerConfig = CONFIG) -> DialerDriver:
        driver = DialerDriver(
            self.table,
            self.carrier,
            order,
            self._room,
            loop_clock_us,
            lambda: 0.5,
            config,
        )
        self._working.append((driver, asyncio.get_running_loop().create_task(driver.run())))
        return driver

    def kill(self) -> None:
        """As a SIGKILL: nothing is finished."""
        for driver, task in self._working:
            task.cancel()
            for work in driver._tasks:
                work.cancel()
        self._working.clear()

    async def _room(self) -> Room | None:
        free, happens, self.on_asked = self.free, self.on_asked, None
        if happens is not None:
            await happens()
        return None if free is None else Room(free, self.by_tenant)

    async def until(self, done: Callable[[], bool], within_s: float = 1_000.0) -> float:
        """Wait until it is so; how long that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(within_s):
            while not done():
                await asyncio.sleep(0.02)
        return loop.time() - began

    async def until_status(self, **counts: int) -> float:
        wanted = {status.replace("_", "-"): count for status, count in counts.items()}
        return await self.until(lambda: dict(self.table.statuses()) == wanted)

    def gaps(self) -> list[float]:
        """Seconds between two questions to the carrier."""
        return [b - a for (a, _), (b, _) in pairwise(self.carrier.asked)]


Scene = Callable[[Office], Awaitable[None]]


def play(scene: Scene) -> None:
    async def main() -> None:
        office = Office()
        try:
            await scene(office)
        finally:
            office.kill()

    virtual_time.run(main(), limit_s=100_000)


def test_one_call_a_second_in_the_order_they_were_asked_for() -> None:
    async def scene(office: Office) -> None:
        for number in range(5):
            office.table.add(number)
            await asyncio.sleep(0.001)
        office.begin()
        took_s = await office.until_status(placed=5)
        assert [to for _, to in office.carrier.asked] == [phone(number) for number in range(5)]
        assert min(office.gaps()) >= 1.0 - 1e-6
        assert took_s < 4.5

    play(scene)


def test_a_long_queue_of_a_tenant_at_its_limit_keeps_nobody_else_waiting() -> None:
    async def scene(office: Office) -> None:
        for number in range(DUE_AT_ONCE + 20):
            office.table.add(number, tenant_id="busy")
        await asyncio.sleep(0.001)
        other = office.table.add(9_000, tenant_id="other")
        office.by_tenant = {"busy": 1}
        limits = {"busy": 3}
        office.begin(
            DialerConfig(
                calls_per_s=10,
                tenant_room=lambda tenant, calls: (
                    limits[tenant] - calls if tenant in limits else None
                ),
            )
        )
        await office.until(
            lambda: office.table.rows["other", other.call_id].status == "placed", within_s=5.0
        )
        await asyncio.sleep(10.0)
        placed = [key[0] for key, row in office.table.rows.items() if row.status == "placed"]
        assert sorted(placed) == ["busy", "busy", "other"], "those that ring are counted"
        limits["busy"] = 4
        await office.until_status(placed=4, queued=DUE_AT_ONCE + 17)

    play(scene)


def test_calls_that_are_tried_again_keep_to_the_limit_of_their_tenant() -> None:
    async def scene(office: Office) -> None:
        for number in range(6):
            office.table.add(number, tenant_id="busy")
        office.carrier.takes_s = 0.001
        office.carrier.script = [CarrierUnreachable("no connection", False)] * 6
        limited = DialerConfig(
            calls_per_s=100, first_backoff_s=8.0, tenant_room=lambda _tenant, calls: 1 - calls
        )
        office.begin(limited)
        await asyncio.sleep(30.0)
        assert len(office.carrier.asked) == 7
        assert dict(office.table.statuses()) == {"placed": 1, "queued": 5}

    play(scene)


def test_the_rate_is_a_setting() -> None:
    async def scene(office: Office) -> None:
        for number in range(20):
            office.table.add(number)
        office.begin(DialerConfig(calls_per_s=10))
        assert await office.until_status(placed=20) < 2.5
        assert min(office.gaps()) >= 0.1 - 1e-6

    play(scene)


def test_a_nudge_is_quicker_than_the_next_look() -> None:
    async def scene(office: Office) -> None:
        driver = office.begin()
        await asyncio.sleep(10.05)
        office.table.add(1)
        driver.nudge()
        assert await office.until(lambda: bool(office.carrier.asked)) < 0.1

    play(scene)


def test_retry_after_holds_everybody_and_costs_no_attempt() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.table.add(2)
        office.carrier.script = [CarrierThrottled("429", 7.0)]
        office.begin()
        await office.until(lambda: office.table.of(1).error == THROTTLED)
        assert office.table.of(1).attempts == 0
        await office.until_status(placed=2)
        first, *others = [at for at, _ in office.carrier.asked]
        assert 7.0 <= others[0] - first <= 7.0 * 1.2 + 0.2
        assert [to for _, to in office.carrier.asked] == [phone(1), phone(1), phone(2)]
        assert [office.table.of(n).attempts for n in (1, 2)] == [1, 1]
        assert office.table.of(1).error == ""

    play(scene)


def test_throttling_without_a_time_waits_ever_longer() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.script = [CarrierThrottled("429")] * 4
        office.begin()
        await office.until_status(placed=1)
        assert [round(gap) for gap in office.gaps()] == [1, 2, 4, 8]
        assert office.carrier.rung[phone(1)] == 1

    play(scene)


def test_a_throttled_queue_is_explained_to_the_first_in_line() -> None:
    async def scene(office: Office) -> None:
        office.carrier.always = CarrierThrottled("429", 300.0)
        office.table.add(1)
        driver = office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        office.table.add(2)
        await office.until(lambda: office.table.of(2).error == HOLDS["throttled"])
        assert driver.status["held_up_by"] == "throttled"

    play(scene)


def test_a_wrong_key_loses_no_call() -> None:
    async def scene(office: Office) -> None:
        office.carrier.always = CarrierRefused("Authenticate", 20003, 401)
        for number in range(3):
            office.table.add(number)
        office.begin()
        await office.until(lambda: office.table.of(0).error == WRONG_KEY)
        await asyncio.sleep(600)
        assert office.table.statuses()["failed"] == 0
        office.carrier.always = None
        await office.until_status(placed=3)

    play(scene)


def test_a_call_that_is_refused_has_failed_with_the_carrier_s_code() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.table.add(2)
        office.carrier.script = [CarrierRefused("no such number", 21211, 400)]
        office.begin()
        await office.until_status(failed=1, placed=1)
        failed = office.table.of(1)
        assert (failed.error_code, failed.error) == (21211, "no such number")

    play(scene)


def test_what_we_may_not_ask_for_fails_without_a_question() -> None:
    async def scene(office: Office) -> None:
        def refuse(_row: CallRequestRow) -> CreateCall:
            raise InvalidCall("timeout_s: 1 to 600 seconds", "timeout_s")

        office.table.add(1)
        driver = office.begin()
        driver._carrier._new_call = refuse
        await office.until_status(failed=1)
        assert office.table.of(1).error == "timeout_s: 1 to 600 seconds"
        assert office.carrier.asked == []

    play(scene)


def test_an_answer_that_is_lost_never_rings_twice() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.script = [CarrierUnreachable("no answer in 10 s", True)]
        office.begin()
        await office.until_status(failed=1)
        assert office.table.of(1).error.startswith(OUTCOME_UNKNOWN)
        office.kill()
        office.begin()
        await asyncio.sleep(3_600)
        assert office.carrier.rung == {phone(1): 1}
        assert len(office.carrier.asked) == 1

    play(scene)


def test_a_client_that_fails_in_an_unknown_way_rings_nobody_twice() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.script = [KeyError("sid")]
        office.begin()
        await office.until_status(failed=1)
        await asyncio.sleep(600)
        assert len(office.carrier.asked) == 1

    play(scene)


def test_a_carrier_that_cannot_be_reached_is_asked_again_and_then_given_up() -> None:
    async def scene(office: Office) -> None:
        away = CarrierUnreachable("no connection", False)
        office.table.add(1)
        office.carrier.script = [away] * 3
        office.begin()
        await office.until(lambda: office.table.of(1).error.startswith(UNREACHABLE))
        await office.until_status(placed=1)
        assert office.table.of(1).attempts == 4
        office.carrier.always = away
        office.table.add(2)
        took_s = await office.until_status(placed=1, failed=1)
        assert took_s > 120  # minutes of an outage cost no call
        assert office.table.of(2).attempts == CONFIG.max_attempts
        assert office.carrier.rung == {phone(1): 1}

    play(scene)


def test_a_crash_between_the_mark_and_the_answer_rings_once() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.takes_s = 4.0
        office.carrier.on_ring = lambda _number: office.kill()
        office.begin()
        await office.until(lambda: bool(office.carrier.rung))
        assert office.table.of(1).status == "dialing"
        office.carrier.on_ring = lambda _number: None
        office.begin()
        took_s = await office.until_status(failed=1)
        assert DIALING_LOST_AFTER_S - 5 < took_s < DIALING_LOST_AFTER_S + 5
        assert office.table.of(1).error.startswith(OUTCOME_UNKNOWN)
        await asyncio.sleep(3_600)
        assert office.carrier.rung == {phone(1): 1}

    play(scene)


@settings(max_examples=25, deadline=None)
@given(
    crashes_s=st.lists(st.floats(0.001, 3.0), min_size=1, max_size=8),
    script=st.lists(
        st.sampled_from(
            [
                None,
                CarrierThrottled("429", 2.0),
                CarrierUnreachable("lost", True),
                CarrierUnreachable("away", False),
                CarrierRefused("no", 21211, 400),
            ]
        ),
        max_size=8,
    ),
)
def test_whenever_it_dies_no_phone_rings_twice_and_every_call_comes_to_an_end(
    crashes_s: list[float], script: list[Exception | None]
) -> None:
    async def scene(office: Office) -> None:
        for number in range(6):
            office.table.add(number)
        office.carrier.takes_s = 0.4
        office.carrier.script = list(script)
        for crash_s in crashes_s:
            office.begin(DialerConfig(calls_per_s=4))
            await asyncio.sleep(crash_s)
            office.kill()
        office.begin(DialerConfig(calls_per_s=4))
        open_ones = ("queued", "dialing")
        await office.until(lambda: not any(office.table.statuses()[each] for each in open_ones))
        assert max(office.carrier.rung.values(), default=0) <= 1
        for row in office.table.rows.values():
            if row.status == "placed":
                assert office.carrier.rung[row.to_number] == 1
            else:
                assert row.error

    play(scene)


def test_two_dialers_at_once_ring_each_phone_once() -> None:
    async def scene(office: Office) -> None:
        for number in range(10):
            office.table.add(number)
        office.begin()
        office.begin()
        await office.until_status(placed=10)
        assert set(office.carrier.rung.values()) == {1}

    play(scene)


def test_a_table_that_is_away_when_the_carrier_answers_is_waited_for() -> None:
    async def scene(office: Office) -> None:
        def lose_table(_number: str) -> None:
            office.table.is_away = True

        office.table.add(1)
        office.carrier.on_ring = lose_table
        driver = office.begin()
        await office.until(lambda: bool(office.carrier.rung))
        await asyncio.sleep(30)
        assert driver.trouble == "the database is away"
        office.table.is_away = False
        await office.until_status(placed=1)
        assert office.table.of(1).call_sid
        assert len(office.carrier.asked) == 1
        await office.until(lambda: driver.trouble == "")

    play(scene)


def test_a_table_that_is_away_loses_no_request() -> None:
    async def scene(office: Office) -> None:
        for number in range(3):
            office.table.add(number)
        driver = office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        office.table.is_away = True
        await asyncio.sleep(300)
        asked = len(office.carrier.asked)
        assert asked <= 2  # one that was claimed already
        office.table.is_away = False
        await office.until_status(placed=3)
        assert set(office.carrier.rung.values()) == {1}
        assert driver.status["trouble"] == ""

    play(scene)


def test_a_claim_whose_answer_was_lost_is_given_back_and_dialled_once() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.table.lose_answers = 1
        office.begin()
        took_s = await office.until_status(placed=1)
        assert took_s < 5
        assert office.table.of(1).attempts == 1
        assert office.carrier.rung == {phone(1): 1}

    play(scene)


def test_the_claim_of_another_is_never_given_back() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        driver = office.begin()
        office.table.is_away = True
        claim = asyncio.create_task(driver._marks.claim(("default", "call-1"), 1))
        await asyncio.sleep(1)
        row = office.table.of(1)
        office.table.add(1, status="dialing", created_at_us=row.created_at_us)
        office.table.is_away = False
        assert await claim is None
        await asyncio.sleep(10)
        assert office.table.of(1).status == "dialing"
        assert office.carrier.asked == []

    play(scene)


def test_a_full_cluster_is_waited_for_and_said() -> None:
    async def scene(office: Office) -> None:
        office.free = 0
        office.table.add(1)
        driver = office.begin()
        await office.until(lambda: office.table.of(1).error == HOLDS["capacity"])
        assert driver.status["held_up_by"] == "capacity"
        office.free = 1
        await office.until_status(placed=1)
        assert office.table.of(1).error == ""

    play(scene)


def test_a_call_is_not_dialled_by_what_was_free_before_it_was_asked_for() -> None:
    async def scene(office: Office) -> None:
        driver = office.begin()
        await asyncio.sleep(2.5)  # it has looked, and knows of a hundred free slots
        office.free = 0
        office.table.add(1)
        driver.nudge()
        await office.until(lambda: office.table.of(1).error == HOLDS["capacity"])
        assert office.carrier.asked == []

    play(scene)


def test_a_phone_that_is_answered_while_the_capacity_is_asked_is_not_overlooked() -> None:
    async def scene(office: Office) -> None:
        async def answered() -> None:
            assert await office.table.change("default", "call-0", {"placed"}, status="answered")
            office.free = 0

        office.free = 1
        office.table.add(0)
        office.begin(DialerConfig(calls_per_s=100))
        await office.until_status(placed=1)
        office.table.add(1)
        office.on_asked = answered
        await office.until_status(answered=1, queued=1)
        await asyncio.sleep(60)
        assert len(office.carrier.asked) == 1

    play(scene)


def test_a_phone_that_was_just_answered_is_counted_before_the_directory_counts_it() -> None:
    """A replica tells of the slots that it has spent with its next sync."""

    async def scene(office: Office) -> None:
        office.table.add(0)
        config = DialerConfig(calls_per_s=100, tenant_room=lambda _tenant, calls: 1 - calls)
        driver = office.begin(config)
        await office.until_status(placed=1)
        office.table.add(1)
        await office.table.change(
            "default", "call-0", {"placed"}, status="answered", updated_at_us=loop_clock_us()
        )
        driver.nudge()
        await asyncio.sleep(1.0)
        office.by_tenant = {"default": 1}
        await asyncio.sleep(60)
        assert len(office.carrier.asked) == 1
        office.by_tenant = {}
        await office.until_status(answered=1, placed=1)

    play(scene)


def test_a_claim_is_not_undone_by_what_came_of_the_one_before() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        driver = office.begin(DialerConfig(calls_per_s=0.001))
        await office.until_status(placed=1)  # its pace keeps the dialer itself away from here
        key, marks = ("default", "call-2"), driver._marks
        office.table.add(2, not_before_us=loop_clock_us() + 10**12)
        assert await marks.claim(key, 1) is not None
        office.table.lose_answers = 1  # it was written, and nobody says so
        waits = asyncio.create_task(marks.waits(key, 0.0, 1, "busy"))
        await asyncio.sleep(0.1)
        assert office.table.of(2).status == "queued"
        assert await marks.claim(key, 2) is not None
        await waits
        assert (office.table.of(2).status, office.table.of(2).attempts) == ("dialing", 2)
        await marks.failed(key, 0, "busy")
        assert marks._claimed_us == {}

    play(scene)


@pytest.mark.parametrize("free", [None, 0, -3])
def test_without_room_nobody_is_called(free: int | None) -> None:
    async def scene(office: Office) -> None:
        office.free = free
        office.table.add(1)
        office.begin()
        await asyncio.sleep(60)
        assert office.carrier.asked == []

    play(scene)


def test_a_phone_that_rings_has_its_room_already() -> None:
    async def scene(office: Office) -> None:
        office.free = 2
        for number in range(5):
            office.table.add(number)
        office.begin(DialerConfig(calls_per_s=100))
        await asyncio.sleep(60)
        assert dict(office.table.statuses()) == {"placed": 2, "queued": 3}
        await office.table.change("default", "call-0", {"placed"}, status="busy")
        await office.until(lambda: len(office.carrier.asked) == 3)
        await asyncio.sleep(60)
        assert len(office.carrier.asked) == 3

    play(scene)


def test_a_canceled_call_costs_the_others_no_time() -> None:
    async def scene(office: Office) -> None:
        for number in range(50):
            office.table.add(number)
        office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        for number in range(1, 49):
            await office.table.change("default", f"call-{number}", {"queued"}, status="canceled")
        took_s = await office.until(lambda: len(office.carrier.asked) == 2)
        assert took_s < 3
        assert office.carrier.asked[1][1] == phone(49)

    play(scene)


async def wish_end(office: Office, number: int) -> None:
    row = office.table.of(number)
    assert await office.table.change(
        "default",
        row.call_id,
        {"dialing"},
        options={HANG_UP: True},
        updated_at_us=loop_clock_us(),
    )


def test_a_call_that_is_not_wanted_any_more_is_ended_as_soon_as_it_has_a_sid() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.takes_s = 3
        office.carrier.ending = [CarrierUnreachable("no answer", True), CarrierThrottled("429")]
        office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        await wish_end(office, 1)
        await office.until(lambda: bool(office.carrier.ended))
        assert office.carrier.ended == [office.table.of(1).call_sid]

    play(scene)


def test_a_throttled_call_that_is_not_wanted_any_more_never_rings() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        office.carrier.takes_s = 3
        office.carrier.script = [CarrierThrottled("429", 1.0)]
        office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        await wish_end(office, 1)
        await office.until_status(canceled=1)
        await asyncio.sleep(600)
        assert not office.carrier.rung

    play(scene)


def test_at_a_planned_end_open_questions_are_finished() -> None:
    async def scene(office: Office) -> None:
        office.table.add(1)
        driver = office.begin()
        await office.until(lambda: bool(office.carrier.asked))
        ((_, task),) = office._working
        task.cancel()
        await driver.aclose(within_s=5)
        assert office.table.of(1).status == "placed"

    play(scene)
