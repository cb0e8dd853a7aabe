"""The whole product over HTTP, asked whatever its own description allows, and much that it forbids.

The short run asks a few hundred questions, the same every time. For five minutes of others:
``CALLCLUSTER_TEST_FUZZ_S=300 pytest --log-cli-level=INFO -m e2e tests/cluster/api/test_fuzz.py``.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema

from simulation.callee_book import Callee
from tests.support.calling_stage import CallingStage
from tests.support.edge_stage import EdgeStage

pytestmark = pytest.mark.e2e

logger = logging.getLogger(__name__)
FUZZ_S = int(os.environ.get("CALLCLUSTER_TEST_FUZZ_S", "0"))
BOUNDS: dict[str, Any] = (
    {"max-time": FUZZ_S} if FUZZ_S else {"seed": 1, "generation": {"max-examples": 5}}
)
OPERATIONS = {
    "POST /v1/calls",
    "GET /v1/calls",
    "GET /v1/calls/{call_id}",
    "DELETE /v1/calls/{call_id}",
    "POST /v1/calls/{call_id}/mode",
    "POST /v1/calls/{call_id}/erase",
    "GET /v1/agents",
}


@dataclass
class Report:
    """What came back.

    Attributes:
        statuses: How often each status was answered.
        done: The operations that were answered with 2xx.
        failures: What a check had against an answer, with the request.
        errors: What went wrong in the fuzzer itself.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def take(self, event: events.EngineEvent) -> None:
        """Count one event of the engine."""
        if isinstance(event, events.FatalError | events.NonFatalError):
            self.errors.append(repr(event))
        if not isinstance(event, events.ScenarioFinished | events.FuzzScenarioFinished):
            return
        recorder = event.recorder
        for case_id, interaction in recorder.interactions.items():
            answer = interaction.response
            assert answer is not None, "a request without an answer"
            self.statuses[answer.status_code] += 1
            if answer.status_code < 300 and case_id in recorder.cases:
                self.done.add(recorder.cases[case_id].value.operation.label)
        for checks in recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info
                    title = f"{check.name}: {failure.failure.title}"
                    self.failures.append(
                        f"{title}\n{failure.code_sample}\n{failure.failure.message}"
                    )


def config(url: str, key: str) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "base-url": url,
            "headers": {"Authorization": f"Bearer {key}"},
            "continue-on-failure": True,
            "color": False,
            **BOUNDS,
            "checks": {
                # What a description cannot say: such an agent, number or cursor may not be there.
                "positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 422]},
                # DELETE ends a call; what is known of it stays until it is erased.
                "use_after_free": {"enabled": False},
            },
        }
    )


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage().running() as running:
        yield running


# The fuzzer's own strategies draw from the random module.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
def test_whatever_is_asked_is_answered_as_the_description_says(
    stage: EdgeStage, tmp_path: Path
) -> None:
    async def begin() -> tuple[CallingStage, str]:
        busy = Callee(outcome="busy", after_s=0.0)
        calling = await CallingStage.open(
            stage, tmp_path, busy, mode="production", calls_per_second=5
        )
        return calling, await calling.stores.keys.create("default", "fuzz", at_us=1)

    async def end(calling: CallingStage) -> Counter[str]:
        rows = await calling.stores.requests.list(None, (), 1_000_000)
        await calling.aclose()
        return Counter(row.status for row in rows)

    calling, key = stage.play(begin())
    report = Report()
    try:
        url = calling.door.url
        schema: Any = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config(url, key))
        for event in from_schema(schema).execute():
            report.take(event)
    finally:
        calls = stage.play(end(calling))
    total = sum(report.statuses.values())
    answers = dict(sorted(report.statuses.items()))
    logger.info("%d requests: %s; calls: %s", total, answers, dict(calls))
    assert report.errors == []
    assert not report.failures, "\n\n".join(report.failures[:5])
    assert not [status for status in report.statuses if status >= 500]
    assert report.done == OPERATIONS - {"POST /v1/calls/{call_id}/mode"}  # nobody speaks
    assert total > 100
