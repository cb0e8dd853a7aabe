from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.catalog import ACTIVE_CALLS, MEMORY, TURN_STAGE, UNDERRUNS
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from tests.telemetry.test_sketch import JSON

INS = (UNDERRUNS.name, ())


def snapshots(source: str, incarnation: int, *counts: int) -> list[dict[str, Any]]:
    ledger = MetricsLedger(source, incarnation)
    taken = []
    for count in counts:
        ledger.count(UNDERRUNS, by=count)
        ledger.observe(TURN_STAGE, count, "eager", "en")
        ledger.gauge(ACTIVE_CALLS, count, "ingress")
        ledger.gauge(MEMORY, count, "ingress")
        taken.append(ledger.snapshot())
    return taken


def stages(merged: MergedMetrics) -> int:
    return merged.sketches()[TURN_STAGE.name, ("eager", "en")].count


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


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_course_of_reports_adds_up(data: st.DataObject) -> None:
    """Lost, repeated, reordered and partial reports, restarts of both sides: the end is exact."""
    merged, ledgers, sent = MergedMetrics(), {}, []
    for name in "abc":
        ledgers[name] = MetricsLedger(name, 1)
    truth = 0
    for _ in range(data.draw(st.integers(1, 30))):
        ledger = ledgers[data.draw(st.sampled_from("abc"))]
        step = data.draw(
            st.sampled_from(["count", "send", "lose", "late", "repeat", "restart", "forget"])
        )
        known = merged.known_version(ledger.source, ledger.incarnation)
        if step == "count":
            ledger.count(UNDERRUNS)
            truth += 1
        elif step in {"send", "lose"}:
            snapshot = ledger.snapshot(since=known)
            sent.append(snapshot)
            if step == "send":
                merged.merge(snapshot)
        elif step in {"late", "repeat"} and sent:
            merged.merge(data.draw(st.sampled_from(sent)))
        elif step == "restart":
            merged.merge(ledger.snapshot(since=known))  # what it had to say last has arrived
            ledgers[ledger.source] = MetricsLedger(ledger.source, ledger.incarnation + 1)
        elif step == "forget":
            merged.merge(ledger.snapshot(since=known))
            merged.forget(ledger.source)
            ledger.begin_anew(ledger.incarnation + 1)
    for ledger in ledgers.values():
        since = merged.known_version(ledger.source, ledger.incarnation)
        merged.merge(ledger.snapshot(since))
    assert merged.counters().get(INS, 0) == truth
