from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.catalog import ACTIVE_CALLS, BARGE_INS, MEMORY, TURN_STAGE
from telemetry.errors import SnapshotInvalid
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from tests.telemetry.test_sketch import JSON

INS = (BARGE_INS.name, ())


def snapshots(source: str, incarnation: int, *counts: int) -> list[dict[str, Any]]:
    ledger = MetricsLedger(source, incarnation)
    taken = []
    for count in counts:
        ledger.count(BARGE_INS, by=count)
        ledger.observe(TURN_STAGE, count, "eager")
        ledger.gauge(ACTIVE_CALLS, count, "ingress")
        ledger.gauge(MEMORY, count, "ingress")
        taken.append(ledger.snapshot())
    return taken


def stages(merged: MergedMetrics) -> int:
    return merged.sketches()[TURN_STAGE.name, ("eager",)].count


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
    snapshot["counters"] += [["callcluster_new_total", [], 1], [BARGE_INS.name, ["new label"], 1]]
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
