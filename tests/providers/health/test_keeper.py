"""The keeper: what any worker saw, all know; one probes; a restart forgets nothing that matters."""

from __future__ import annotations

import pytest

from providers.health.board import Board, Entry
from providers.health.keeper import IDLE_PROBE_S, REPORTER_KEPT_S, BoardKeeper, Probe
from providers.health.local import LocalHealth
from providers.health.policy import HealthPolicy
from providers.health.signals import Sign, Signal
from tests.providers.health.clockwork import DOWN, GOOD, OTHER, SILENT, START_S, UNIT, never, worker

POLICY = HealthPolicy()


class Cluster:
    """A keeper and workers, messages without delay."""

    def __init__(self, *names: str, term: int = 1) -> None:
        self.now = START_S
        self.enlisted: dict[str, tuple[str, ...]] = {}
        self.workers = {name: worker(name) for name in names}
        self.restart(term)

    def restart(self, term: int) -> None:
        self.enlisted.clear()
        self.keeper = BoardKeeper(term, never)
        self.keeper.probes_idle = False

    def enlist(self, *names: str, units: tuple[str, ...] = (UNIT,)) -> None:
        """As every poll does."""
        self.enlisted |= dict.fromkeys(names, units)
        for name in names:
            self.keeper.enlist(name, units, now=self.now)

    def saw(self, name: str, signal: Signal, unit: str = UNIT) -> None:
        self.workers[name].saw(unit, signal, now=self.now)

    def exchange(self) -> None:
        for local in self.workers.values():
            if report := local.report(now=self.now):
                self.keeper.receive(report, now=self.now)
        due = self.keeper.next_deadline()
        if due is not None and due <= self.now:
            self.keeper.handle_deadline(now=self.now)
        for local in self.workers.values():
            local.receive_board(self.keeper.board.since(local.board.stamp), now=self.now)

    def wait(self, seconds: float, step_s: float = 0.1) -> list[Probe]:
        found, until = [], self.now + seconds
        while self.now < until - 1e-9:
            self.now += step_s
            for name, units in self.enlisted.items():
                self.keeper.enlist(name, units, now=self.now)
            found += self.keeper.probes(now=self.now)
            self.exchange()
        return found

    def state(self, name: str) -> str:
        return self.workers[name].verdict(UNIT, now=self.now).state

    def local(self, name: str) -> LocalHealth:
        return self.workers[name]


def broken(*names: str) -> Cluster:
    cluster = Cluster(*names)
    cluster.enlist(*names)
    for _ in range(POLICY.run_opens):
        cluster.saw(names[0], DOWN)
        cluster.exchange()
    return cluster


def test_seen_by_one_known_by_all_at_once() -> None:
    cluster = broken("ann", "bob")
    assert cluster.state("bob") == "open"


def test_failures_of_many_add_up() -> None:
    cluster = Cluster("ann", "bob", "cid", "dan")
    for name in cluster.workers:
        cluster.saw(name, DOWN)
        assert cluster.state(name) == "suspect"
        cluster.exchange()
    assert {cluster.state(name) for name in cluster.workers} == {"open"}


def test_one_silence_somewhere_is_no_news() -> None:
    cluster = Cluster("ann", "bob")
    cluster.saw("ann", SILENT)
    cluster.wait(0.3)
    assert (cluster.state("ann"), cluster.state("bob")) == ("suspect", "closed")


def test_a_stream_that_heard_nothing_where_another_one_did_is_news_to_all() -> None:
    cluster, words = Cluster("ann", "bob"), "azure/stt.first_partial///"
    cluster.enlist("ann", "bob", units=(words,))
    cluster.saw("ann", Signal(Sign.NO_CONTENT), words)
    cluster.wait(0.3)
    assert cluster.local("bob").verdict(words, now=cluster.now).state == "suspect"


def test_one_probes_another_one_after_a_failure_and_three_good_ones_close() -> None:
    cluster = broken("ann", "bob")
    probers = []
    for ok in (False, True, True, True):
        (probe,) = cluster.wait(1.0 if ok else 1.1)
        probers.append(probe.reporter)
        cluster.keeper.probe_answered(probe.unit, probe.number, ok=ok, now=cluster.now)
        cluster.exchange()
    assert probers == ["ann", "bob", "ann", "bob"]
    assert {cluster.state(name) for name in cluster.workers} == {"closed"}
    assert cluster.local("bob").verdict(UNIT, now=cluster.now).new_call_share == 0.1


def test_who_cannot_probe_is_not_asked() -> None:
    cluster = broken("ann", "bob")
    cluster.restart(2)
    cluster.enlist("bob")
    cluster.saw("ann", Signal(Sign.BUSY, retry_after_s=1.0))
    cluster.exchange()
    assert [probe.reporter for probe in cluster.wait(1.5)] == ["bob"]


def test_an_open_unit_without_a_prober_waits_and_nobody_spins() -> None:
    cluster = Cluster("ann")
    for _ in range(POLICY.run_opens):
        cluster.saw("ann", DOWN)
    cluster.exchange()
    assert cluster.wait(3.0) == []
    due = cluster.keeper.next_deadline()
    assert due is not None
    assert due > cluster.now
    cluster.enlist("ann")
    assert len(cluster.wait(0.2)) == 1


def test_a_prober_that_dies_is_replaced() -> None:
    cluster = broken("ann", "bob")
    (first,) = cluster.wait(1.1)
    (second,) = cluster.wait(POLICY.probe_timeout_s + POLICY.probe_gaps_s[1] + 0.2)
    assert first.reporter != second.reporter


def test_retry_after_is_heard_by_all_and_extended() -> None:
    cluster = Cluster("ann", "bob")
    cluster.enlist("ann")
    cluster.saw("ann", Signal(Sign.BUSY, retry_after_s=1.0))
    cluster.exchange()
    assert cluster.state("bob") == "open"
    cluster.saw("bob", Signal(Sign.BUSY, retry_after_s=60.0))
    cluster.wait(0.6)  # in no hurry, since the board has it open
    assert cluster.wait(55.0) == []
    assert len(cluster.wait(6.0)) >= 1


def test_a_restarted_keeper_takes_over_what_was_open() -> None:
    cluster = broken("ann", "bob")
    cluster.wait(0.5)
    cluster.restart(2)
    cluster.wait(0.1)
    for name, local in cluster.workers.items():
        cluster.enlist(name)
        cluster.keeper.adopt(local.held(), now=cluster.now)
    cluster.exchange()
    assert {cluster.state(name) for name in cluster.workers} == {"open"}
    for _ in range(POLICY.good_probes):
        (probe,) = cluster.wait(1.0)
        cluster.keeper.probe_answered(probe.unit, probe.number, ok=True, now=cluster.now)
    cluster.exchange()
    assert {cluster.state(name) for name in cluster.workers} == {"closed"}


def test_what_a_keeper_judged_itself_is_not_overruled() -> None:
    cluster = broken("ann")
    old = Board((0, 9), {UNIT: Entry((0, 9), "closed"), OTHER: Entry((0, 9), "suspect")})
    before = cluster.keeper.board
    cluster.keeper.adopt(old, now=cluster.now)
    assert cluster.keeper.board == before


def test_a_unit_that_nobody_calls_is_probed_and_opened_before_it_is_needed() -> None:
    cluster = Cluster("ann", "bob")
    cluster.keeper.probes_idle = True
    cluster.enlist("ann", "bob")
    for _ in range(POLICY.good_probes):
        probes = cluster.wait(1.2)
        assert len(probes) == 1
        cluster.keeper.probe_answered(UNIT, probes[0].number, ok=False, now=cluster.now)
    cluster.exchange()
    assert cluster.state("ann") == "open"


def test_an_idle_unit_that_is_well_is_left_alone_for_long() -> None:
    cluster = Cluster("ann")
    cluster.keeper.probes_idle = True
    cluster.enlist("ann")
    (probe,) = cluster.wait(0.2)
    cluster.keeper.probe_answered(UNIT, probe.number, ok=True, now=cluster.now)
    assert cluster.wait(IDLE_PROBE_S - 1.0) == []


def test_live_requests_spare_the_idle_probe() -> None:
    cluster = Cluster("ann")
    cluster.keeper.probes_idle = True
    cluster.enlist("ann")
    cluster.wait(0.1)
    for _ in range(5):
        cluster.saw("ann", GOOD)
        assert cluster.wait(IDLE_PROBE_S / 2) == []


def test_the_baseline_of_all_workers_is_published() -> None:
    cluster = Cluster("ann", "bob")
    for _ in range(20):
        for name in cluster.workers:  # neither has enough of its own
            cluster.saw(name, GOOD)
    cluster.wait(6.0)
    quantiles = cluster.local("bob").verdict(UNIT, now=cluster.now).quantiles
    assert quantiles is not None
    assert quantiles.p50_s == pytest.approx(0.2, rel=0.03)


def test_who_is_silent_is_forgotten_and_units_that_nobody_names() -> None:
    cluster = broken("ann")
    assert cluster.keeper.reporters == 1
    cluster.workers.clear()
    cluster.enlisted.clear()
    cluster.wait(REPORTER_KEPT_S + 6.0, step_s=0.5)
    assert cluster.keeper.reporters == 0
    assert dict(cluster.keeper.board.entries) == {}


def test_a_unit_that_was_forgotten_while_it_was_open_is_probed_again_and_closes() -> None:
    """Everybody who can probe it was cut off for a while, and still holds that it is open."""
    cluster = broken("ann")
    ann = cluster.workers.pop("ann")
    cluster.enlisted.clear()
    cluster.wait(REPORTER_KEPT_S + 6.0, step_s=0.5)
    cluster.workers["ann"] = ann
    cluster.enlist("ann")
    cluster.keeper.adopt(ann.held(), now=cluster.now)
    for _ in range(100):
        for probe in cluster.wait(0.1):
            cluster.keeper.probe_answered(probe.unit, probe.number, ok=True, now=cluster.now)
    assert cluster.state("ann") == "closed"
    before = cluster.keeper.board
    cluster.keeper.adopt(Board((1, 1), {UNIT: Entry((1, 1), "open", "run")}), now=cluster.now)
    assert cluster.keeper.board == before, "what it has closed since stays closed"


def test_what_nobody_names_is_not_adopted_after_it_was_forgotten() -> None:
    cluster = broken("ann")
    held = cluster.local("ann").held()
    cluster.workers.clear()
    cluster.enlisted.clear()
    cluster.wait(REPORTER_KEPT_S + 6.0, step_s=0.5)
    cluster.keeper.adopt(held, now=cluster.now)
    assert dict(cluster.keeper.board.entries) == {}
