"""What dead processes have counted, from one MetricsActor by way of a replica to the next."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from actors.metrics_driver import SETTLE_S as SHOWS_AFTER_S
from actors.metrics_driver import MetricsDriver
from actors.metrics_estate import HOLDERS, SETTLE_S, Estate, EstateCopy, EstateMaker
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics

FIRST, SECOND = 1_000, 1_000_000


def counted(merged: MergedMetrics) -> float:
    return merged.counters().get((c.UNDERRUNS.name, ()), 0)


def report(name: str, count: int, **more: Any) -> dict[str, Any]:
    ledger = MetricsLedger(name, 1)
    ledger.count(c.UNDERRUNS, by=count)
    return {"v": 1, "snapshot": ledger.snapshot(), "view": -1, **more}


def told() -> MergedMetrics:
    merged = MergedMetrics()
    merged.merge(report("dead", 5)["snapshot"])
    merged.merge(report("alive", 7)["snapshot"])
    merged.leave("dead")
    return merged


def made(actor: int = FIRST, doubtful: tuple[str, ...] = ()) -> Estate:
    maker = EstateMaker(told(), actor)
    maker.update(doubtful, now=0.0)
    maker.update(doubtful, now=SETTLE_S)
    estate = maker.copy_for("replica", 0)
    assert estate is not None
    return estate


def test_nothing_is_handed_out_while_older_copies_may_still_come() -> None:
    maker = EstateMaker(told(), FIRST)
    for now in (100.0, 99.9 + SETTLE_S):
        maker.update((), now=now)
        assert maker.copy_for("replica", 0) is None
    maker.update((), now=100.0 + SETTLE_S)
    assert maker.copy_for("replica", 0) is not None


def test_without_the_dead_there_is_none() -> None:
    maker = EstateMaker(MergedMetrics(), FIRST)
    maker.update((), now=0.0)
    maker.update((), now=SETTLE_S)
    assert maker.copy_for("replica", 0) is None


def test_it_is_made_anew_only_when_its_contents_change() -> None:
    merged = told()
    maker = EstateMaker(merged, FIRST)
    maker.update((), now=0.0)
    numbers = []
    for now, change in enumerate((None, None, merged.leave, merged.forget), start=1):
        if change is not None:
            change("alive")
        maker.update((), now=SETTLE_S + now)
        found = maker.copy_for("replica", 0)
        assert found is not None
        numbers.append(found.number)
    assert numbers == [FIRST + 1, FIRST + 1, FIRST + 2, FIRST + 3]


def test_a_few_replicas_keep_it_and_others_take_the_place_of_those_that_go() -> None:
    maker = EstateMaker(told(), FIRST)
    maker.update((), now=0.0)
    maker.update((), now=SETTLE_S)
    names = [f"replica-{number}" for number in range(HOLDERS + 2)]
    given = [name for name in names if maker.copy_for(name, 0) is not None]
    assert given == names[:HOLDERS]
    assert maker.copy_for(names[0], FIRST + 1) is None, "it has it"
    maker.left(names[0])
    maker.update((names[1],), now=SETTLE_S + 1)
    assert maker.copy_for(names[-1], 0) is not None
    assert maker.copy_for(names[-2], 0) is not None
    assert maker.copy_for(names[0], 0) is None, "there are enough of them again"


def test_a_successor_adds_it_once_and_never_an_older_one_after() -> None:
    merged = MergedMetrics()
    maker = EstateMaker(merged, SECOND)
    assert maker.inherit(made(doubtful=("alive",)).to_plain()) == ("dead", "alive")
    assert counted(merged) == 12
    assert maker.inherit(made().to_plain()) == ()
    older = Estate(FIRST, FIRST, b"").to_plain()
    assert maker.inherit(older) == ()
    assert counted(merged) == 12


def test_its_own_or_one_of_the_future_is_not_taken() -> None:
    merged = MergedMetrics()
    maker = EstateMaker(merged, FIRST)
    assert maker.inherit(made(SECOND).to_plain()) == ()
    assert maker.inherit(made(FIRST).to_plain()) == ()
    assert counted(merged) == 0


@pytest.mark.parametrize(
    "plain",
    [
        None,
        "text",
        {},
        {"number": 5, "actor": 1, "blob": "text"},
        {"number": "5", "actor": 1, "blob": b""},
        {"number": 5, "actor": 1, "blob": b"no zlib"},
        {"number": 5, "actor": 1, "blob": zlib.compress(b"no json")},
        {"number": 5, "actor": 1, "blob": zlib.compress(b'{"former": []}')},
    ],
)
def test_nonsense_is_passed_over(plain: object) -> None:
    merged = MergedMetrics()
    assert EstateMaker(merged, FIRST).inherit(plain) == ()
    assert EstateMaker(merged, FIRST).inherit(made(1).to_plain()) == ("dead",)


def test_too_late_it_is_said_and_not_added(caplog: pytest.LogCaptureFixture) -> None:
    merged = told()
    merged.forget("dead")
    assert EstateMaker(merged, SECOND).inherit(made().to_plain()) == ()
    assert "too late" in caplog.text
    assert counted(merged) == 12


# --- the copy of a replica ------------------------------------------------------------------------


def test_a_copy_is_offered_once_to_each_actor_that_did_not_make_it() -> None:
    copy = EstateCopy()
    assert (copy.number, copy.offer(SECOND)) == (0, None)
    copy.take(made().to_plain(), FIRST)
    assert copy.number == FIRST + 1
    assert copy.offer(0) is None, "whoever has not answered yet"
    assert copy.offer(FIRST) is None
    assert copy.offer(SECOND) == made().to_plain()
    copy.offered(SECOND)
    assert copy.offer(SECOND) is None
    assert copy.offer(SECOND + 1) is not None


def test_ours_is_offered_before_it_is_replaced() -> None:
    copy = EstateCopy()
    copy.take(made().to_plain(), FIRST)
    successors = made(SECOND).to_plain()
    copy.take(successors, SECOND)
    assert copy.number == FIRST + 1
    copy.offered(SECOND)
    copy.take(successors, SECOND)
    assert copy.number == SECOND + 1
    copy.take(made().to_plain(), SECOND)
    copy.take(None, SECOND)
    assert copy.number == SECOND + 1, "never an older one"


# --- the driver -----------------------------------------------------------------------------------


def test_a_successor_shows_nothing_until_everybody_has_told_it_everything() -> None:
    driver = MetricsDriver(SECOND)
    assert "view" not in driver.report(report("a", 1, view=FIRST + 5), now=0.0)
    assert "view" not in driver.report(report("b", 1, view=0), now=0.1)
    late = driver.report(report("c", 1, view=FIRST + 5), now=SHOWS_AFTER_S)
    assert "view" in late


def test_who_is_told_only_what_is_new_knows_of_a_predecessor_too() -> None:
    driver = MetricsDriver(SECOND)
    ledger = MetricsLedger("a", 1)
    ledger.count(c.UNDERRUNS)
    since = ledger.snapshot()["version"]
    partial = {"v": 1, "snapshot": ledger.snapshot(since), "view": -1}
    assert driver.report(partial, now=0.0)["fate"] == "incomplete"
    assert "view" not in driver.report(report("b", 1, view=0), now=0.1)
    assert "view" in MetricsDriver(SECOND).report(report("b", 1, view=0), now=0.1), "the first one"
    known = MetricsDriver(SECOND, is_successor=True)
    assert "view" not in known.report(report("b", 1, view=0), now=0.1)


def test_who_has_not_been_heard_for_three_reports_is_handed_out_as_well() -> None:
    driver = MetricsDriver(FIRST)
    driver.sweep(now=0.0)
    driver.report(report("quiet", 5), now=SETTLE_S - 3.1)
    driver.report(report("replica", 1, view=0), now=SETTLE_S)
    driver.sweep(now=SETTLE_S)
    answer = driver.report(report("replica", 1, view=0, estate=0), now=SETTLE_S)
    successor = MetricsDriver(SECOND)
    successor.report(report("replica", 1, view=0, inheritance=answer["estate"]), now=0.0)
    assert counted(successor.merged) == 6
    held = answer["estate"]["number"]
    again = driver.report(report("replica", 1, view=0, estate=held), now=SETTLE_S)
    assert "estate" not in again


def test_who_said_goodbye_is_a_part_of_the_sum_once_nothing_can_be_inherited_any_more() -> None:
    driver = MetricsDriver(FIRST)
    driver.sweep(now=0.0)
    driver.report(report("a", 5, leaving=True), now=1.0)
    driver.report(report("b", 7), now=1.0)
    driver.sweep(now=2.0)
    assert driver.merged.forgotten == 0
    driver.report(report("b", 7), now=SETTLE_S)
    driver.sweep(now=SETTLE_S)
    assert (driver.merged.forgotten, driver.merged.sources) == (1, ("b",))
    assert counted(driver.merged) == 12
    driver.report(report("a", 5), now=SETTLE_S)  # late, and counted already
    assert counted(driver.merged) == 12


def test_who_bears_the_name_of_one_that_said_goodbye_lives() -> None:
    driver = MetricsDriver(FIRST)
    driver.sweep(now=0.0)
    driver.report(report("a", 5, leaving=True), now=SETTLE_S)
    successor = MetricsLedger("a", 2)
    successor.count(c.UNDERRUNS, by=2)
    driver.report({"v": 1, "snapshot": successor.snapshot(), "view": -1}, now=SETTLE_S)
    driver.sweep(now=SETTLE_S)
    assert driver.merged.sources == ("a",)
    assert driver.merged.known_version("a", 2) == 1
    assert counted(driver.merged) == 7


def test_the_inherited_are_forgotten_in_time() -> None:
    successor = MetricsDriver(SECOND)
    successor.report(report("replica", 1, inheritance=made().to_plain()), now=0.0)
    successor.sweep(now=3_601.0)
    assert successor.merged.sources == ()
    assert counted(successor.merged) == 6
