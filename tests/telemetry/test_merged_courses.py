"""Whatever happens to reports, to processes and to whoever adds them up: the sum is exact."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from telemetry.catalog import UNDERRUNS
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics

WHO = st.integers(0, 2)


class Cluster(RuleBasedStateMachine):
    """Three living processes, any number of dead ones, and a reader that may have a successor."""

    def __init__(self) -> None:
        super().__init__()
        self.merged = MergedMetrics()
        self.ledgers = [MetricsLedger(name, 1) for name in "abc"]
        self.truth = 0
        self.sent: list[dict[str, Any]] = []
        self.copies: list[Any] = []

    def snapshot(self, who: int) -> dict[str, Any]:
        ledger = self.ledgers[who]
        known = self.merged.known_version(ledger.source, ledger.incarnation)
        return ledger.snapshot(since=known)

    @rule(who=WHO, by=st.integers(1, 3))
    def count(self, who: int, by: int) -> None:
        self.ledgers[who].count(UNDERRUNS, by=by)
        self.truth += by

    @rule(who=WHO, arrives=st.booleans())
    def report(self, who: int, arrives: bool) -> None:
        self.sent.append(self.snapshot(who))
        if arrives:
            self.merged.merge(self.sent[-1])

    @rule(data=st.data())
    def late_or_again(self, data: st.DataObject) -> None:
        if self.sent:
            self.merged.merge(data.draw(st.sampled_from(self.sent)))

    @rule(who=WHO)
    def restart(self, who: int) -> None:
        """Of a process; what it had to say last has arrived."""
        self.merged.merge(self.snapshot(who))
        ledger = self.ledgers[who]
        self.ledgers[who] = MetricsLedger(ledger.source, ledger.incarnation + 1)

    @rule(who=WHO)
    def die(self, who: int) -> None:
        self.merged.merge(self.snapshot(who))
        name = self.ledgers[who].source
        self.merged.leave(name)
        self.ledgers[who] = MetricsLedger(f"{name}+", 1)

    @rule(who=WHO)
    def say_goodbye(self, who: int) -> None:
        ledger = self.ledgers[who]
        self.merged.merge(self.snapshot(who))
        self.merged.fold(ledger.source, ledger.incarnation)
        self.ledgers[who] = MetricsLedger(ledger.source, ledger.incarnation + 1)

    @rule(who=WHO)
    def forget(self, who: int) -> None:
        ledger = self.ledgers[who]
        self.merged.merge(self.snapshot(who))
        self.merged.forget(ledger.source)
        ledger.begin_anew(ledger.incarnation + 1)

    @rule()
    def copy_estate(self) -> None:
        self.copies.append(json.loads(json.dumps(self.merged.estate())))

    @rule(early=st.sets(WHO), data=st.data())
    def succeed(self, early: set[int], data: st.DataObject) -> None:
        """The reader is restarted; some tell it before it has the estate, older copies come first.

        Whoever has restarted without a word since counts as doubtful, as a silent process does.
        """
        doubtful = {ledger.source for ledger in self.ledgers if ledger.incarnation > 1}
        newest = json.loads(json.dumps(self.merged.estate(doubtful)))
        older = data.draw(st.lists(st.sampled_from(self.copies), max_size=2)) if self.copies else []
        self.merged = MergedMetrics()
        for who in early:
            self.merged.merge(self.ledgers[who].snapshot())
        for estate in [*older, newest]:
            self.merged.inherit(estate)
        self.copies = [newest]

    @invariant()
    def never_too_much(self) -> None:
        assert sum(self.merged.counters().values()) <= self.truth

    def teardown(self) -> None:
        """Once everybody alive has reported, nothing is missing."""
        for who in range(len(self.ledgers)):
            self.merged.merge(self.snapshot(who))
        assert sum(self.merged.counters().values()) == self.truth


TestCluster = Cluster.TestCase
TestCluster.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
