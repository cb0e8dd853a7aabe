from __future__ import annotations

import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.catalog import ACTIVE_CALLS, MEMORY, TURN_STAGE, UNDERRUNS
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import MetricsLedger
from telemetry.merged import MAX_INCARNATIONS, MergedMetrics
from tests.telemetry.test_sketch import JSON

INS = (UNDERRUNS.name, ())
EAGER = ("eager", "t1", "ann", "en-US")


def snapshots(source: str, incarnation: int, *counts: int) -> list[dict[str, Any]]:
    ledger = MetricsLedger(source, incarnation)
    taken = []
    for count in counts:
        ledger.count(UNDERRUNS, by=count)
        ledger.observe(TURN_STAGE, count, *EAGER)
        ledger.gauge(ACTIVE_CALLS, count, "ingress")
        ledger.gauge(MEMORY, count, "ingress")
        taken.append(ledger.snapshot())
    return taken


def stages(merged: MergedMetrics) -> int:
    return merged.sketches()[TURN_STAGE.name, EAGER].count


def test_sources_add_up() -> None:
    merged = MergedMetrics()
    for snapshot in [*snapshots("a", 1, 2, 3), *snapshots("b", 1, 4)]:
        assert merged.merge(snapshot)
    assert merged.counters()[INS] == 9
    assert stages(merged) == 3
    assert merged.gauges()[ACTIVE_CALLS.name, ("ingress",)] == 7
    assert merged.gauges()[MEMORY.name, ("ingress",)] == 4


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_order_and_repetition_change_nothing(order: tuple[int, ...]) -> None:
    merged = MergedMetrics()
    taken = snapshots("a", 1, 1, 1, 1)
    for index in (*order, *order):
        merged.merge(taken[index])
    assert (merged.counters()[INS], stages(merged)) == (3, 3)


def test_a_restarted_source_keeps_its_sum_and_loses_its_gauges() -> None:
    merged = MergedMetrics()
    old, new = snapshots("a", 1, 5), snapshots("a", 2, 1)
    merged.merge(old[0])
    assert merged.merge(new[0])
    assert not merged.merge(old[0])
    assert not merged.merge(new[0])
    assert (merged.counters()[INS], stages(merged)) == (6, 2)
    assert merged.gauges()[ACTIVE_CALLS.name, ("ingress",)] == 1
    assert merged.sources == ("a",)


def test_a_source_that_left_keeps_its_counts_and_may_come_back() -> None:
    merged = MergedMetrics()
    taken = snapshots("a", 1, 5, 5)
    merged.merge(taken[0])
    merged.leave("a")
    merged.leave("never seen")
    assert merged.gauges() == {}
    assert merged.counters()[INS] == 5
    merged.merge(taken[1])
    assert merged.gauges()[ACTIVE_CALLS.name, ("ingress",)] == 5
    assert merged.counters()[INS] == 10


def test_looking_changes_nothing() -> None:
    merged = MergedMetrics()
    merged.merge(snapshots("a", 1, 5)[0])
    assert [stages(merged) for _ in range(3)] == [1, 1, 1]


def test_unknown_metrics_of_a_newer_process_are_passed_over() -> None:
    merged = MergedMetrics()
    snapshot = snapshots("a", 1, 5)[0]
    snapshot["counters"] += [["callcluster_new_total", [], 1], [UNDERRUNS.name, ["new label"], 1]]
    snapshot |= {"v": 2, "later": True}
    assert merged.merge(snapshot)
    assert merged.counters() == {INS: 5}


@settings(max_examples=25)
@given(JSON, st.sampled_from(["v", "source", "incarnation", "version", "counters", "sketches"]))
def test_any_input_is_taken_or_refused(value: object, field: str) -> None:
    merged = MergedMetrics()
    for candidate in (value, snapshots("a", 1, 1)[0] | {field: value}):
        with suppress(SnapshotInvalid):
            merged.merge(candidate)
    merged.sketches()


@pytest.mark.parametrize("entry", [["name"], ["x", {}, 1], [1, [], 1], "text", None])
def test_a_broken_entry_refuses_the_whole_snapshot(entry: object) -> None:
    merged = MergedMetrics()
    snapshot = snapshots("a", 1, 1)[0]
    snapshot["counters"].append(entry)
    with pytest.raises(SnapshotInvalid):
        merged.merge(snapshot)
    assert merged.counters() == {}


def test_what_a_snapshot_leaves_out_as_unchanged_stands() -> None:
    merged, ledger = MergedMetrics(), MetricsLedger("a", 1)
    ledger.count(UNDERRUNS, by=5)
    ledger.gauge(ACTIVE_CALLS, 2, "ingress")
    merged.merge(ledger.snapshot())
    known = merged.known_version("a", 1)
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")
    lost = ledger.snapshot(known)
    ledger.count(UNDERRUNS)
    assert merged.merge(ledger.snapshot(known))
    assert not merged.merge(lost)
    assert merged.counters() == {INS: 6}
    assert merged.gauges() == {(ACTIVE_CALLS.name, ("ingress",)): 3}


def test_whoever_knows_too_little_takes_no_part_of_a_whole() -> None:
    ledger, restarted = MetricsLedger("a", 1), MergedMetrics()
    ledger.count(UNDERRUNS, by=5)
    known = ledger.snapshot()["version"]
    ledger.count(UNDERRUNS)
    assert not restarted.merge(ledger.snapshot(known))
    assert restarted.counters() == {}
    assert restarted.known_version("a", 1) == 0
    assert restarted.merge(ledger.snapshot(restarted.known_version("a", 1)))
    assert restarted.counters() == {INS: 6}
    ledger.count(UNDERRUNS)
    ahead = ledger.snapshot(since=ledger.snapshot()["version"])
    assert not restarted.merge(ahead), "it leaves out what came between"


def test_a_forgotten_source_leaves_its_counts_and_is_not_counted_twice() -> None:
    merged = MergedMetrics()
    first, second = snapshots("a", 1, 5, 1)
    merged.merge(first)
    merged.forget("a")
    merged.forget("a")
    assert merged.sources == ()
    assert merged.is_forgotten("a", 1)
    assert not merged.merge(second)
    assert merged.counters()[INS] == 5
    assert stages(merged) == 1
    assert merged.gauges() == {}
    assert merged.merge(snapshots("a", 2, 3)[0]), "a new incarnation is another one"
    assert merged.counters()[INS] == 8


def counted(merged: MergedMetrics) -> tuple[float, int]:
    return merged.counters().get(INS, 0), stages(merged)


def crossed(plain: Any) -> Any:
    return json.loads(json.dumps(plain))


def test_a_late_report_of_a_predecessor_still_counts() -> None:
    merged = MergedMetrics()
    first, late = snapshots("a", 1, 5, 1)
    merged.merge(first)
    merged.merge(snapshots("a", 2, 2)[0])
    assert merged.merge(late)
    assert counted(merged) == (8, 3)
    assert merged.gauges()[ACTIVE_CALLS.name, ("ingress",)] == 2
    assert merged.merge(snapshots("a", 0, 1)[0]), "one that nobody has heard of before"
    assert counted(merged) == (9, 4)


def test_many_incarnations_of_a_name_become_a_sum() -> None:
    merged = MergedMetrics()
    for incarnation in range(1, 12):
        merged.merge(snapshots("a", incarnation, 1)[0])
    assert counted(merged) == (11, 11)
    assert merged.forgotten == 11 - MAX_INCARNATIONS
    assert not merged.merge(snapshots("a", 1, 1, 1)[1])


def dead_and_alive() -> MergedMetrics:
    """``gone`` has left, ``late`` may have, ``here`` is well, ``past`` is forgotten."""
    merged = MergedMetrics()
    for name, count in (("gone", 1), ("late", 2), ("here", 4), ("past", 8)):
        merged.merge(snapshots(name, 1, count)[0])
    merged.merge(snapshots("gone", 2, 16)[0])
    merged.leave("gone")
    merged.forget("past")
    return merged


@pytest.mark.parametrize("first", ["the living", "the estate"])
def test_a_successor_learns_of_the_dead_from_the_estate_and_of_the_living_from_them(
    first: str,
) -> None:
    old, new = dead_and_alive(), MergedMetrics()
    estate = crossed(old.estate({"late"}))
    assert {item["source"] for item in estate["sources"]} == {"gone", "late"}
    if first == "the estate":
        assert new.inherit(estate) == ("gone", "late")
    for name, count in (("late", 2), ("here", 4)):
        merged = new.merge(snapshots(name, 1, count)[0])
        assert merged == (first == "the living" or name == "here")
    new.inherit(estate)
    new.inherit(estate)
    assert counted(new) == counted(old) == (31, 5)
    assert not new.merge(snapshots("past", 1, 8, 8)[1]), "counted once already"
    assert new.merge(snapshots("late", 1, 2, 1)[1]), "it lives after all"
    assert counted(new) == (32, 6)
    assert crossed(new.estate()) == estate | {"sources": new.estate()["sources"]}


def test_a_newer_estate_takes_the_place_of_an_older_one() -> None:
    old, new = dead_and_alive(), MergedMetrics()
    earlier = crossed(old.estate())
    old.forget("gone")
    later = crossed(old.estate())
    new.inherit(earlier)
    new.inherit(later)
    assert counted(new) == (31 - 6, 3), "here and late have not said anything yet"


@settings(max_examples=25)
@given(JSON, st.sampled_from(["former", "forgotten", "sources", ""]))
def test_any_estate_is_taken_or_refused(value: object, field: str) -> None:
    merged = MergedMetrics()
    for candidate in (value, dead_and_alive().estate() | {field: value}):
        with suppress(SnapshotInvalid):
            merged.inherit(candidate)
    merged.sketches()
