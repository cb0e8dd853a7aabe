"""One fault of each kind on the whole product, as ``callcluster chaos cluster`` plays them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cluster.demo_stage import Progress
from cluster.survival.act import run_act
from cluster.survival.database import postgres_folder
from cluster.survival.faults import BY_NAME, Fault
from cluster.survival.figures import Judged
from cluster.survival.plan import SurvivalPlan
from cluster.survival.run import nodes_of, why_not
from cluster.survival.stage import running_stage
from tests.support.ray_phone import note

pytestmark = pytest.mark.cluster

CALLS = 4
PLAIN = (
    "call-actor-kill",
    "call-actor-hang",
    "ingress-kill",
    "ingress-hang",
    "haproxy-kill",
    "haproxy-hang",
    "line-cut",
    "directory-kill",
    "health-kill",
    "metrics-kill",
    "office-kill",
    "controller-kill",
    "gcs-hang",
)


class Quiet(Progress):
    """Nobody looks."""

    def started(self, what: str) -> None:
        """Nothing."""

    def done(self, what: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def played(names: tuple[str, ...], folder: Path) -> list[Judged]:
    faults: tuple[Fault, ...] = tuple(BY_NAME[name] for name in names)
    parts = {fault.part for fault in faults}
    plan = SurvivalPlan(calls=CALLS, repeat=1, faults=faults, usual_turns=12)

    async def story() -> list[Judged]:
        async with running_stage(
            plan,
            folder,
            Quiet(),
            cache="cache" in parts,
            postgres="database" in parts,
            nodes=nodes_of(faults),
        ) as stage:
            act = await run_act(stage, plan, faults, lambda _text: None)
        assert act.usual.turns, "nobody was answered while all was well"
        assert not act.usual.calls_lost
        return act.judged()

    found = asyncio.run(story())
    for each in found:
        note(each.fault.name, each.total)
    return found


def require_survived(found: list[Judged]) -> None:
    """No call was lost or refused, and everything came back; how long it took is a benchmark."""
    lost = {each.fault.name: each.total for each in found if each.total.calls_lost}
    refused = {each.fault.name: each.total for each in found if each.total.calls_refused}
    gone = [s for each in found for s, _ in each.strikes if s.whole_s == float("inf")]
    assert not lost
    assert not refused
    assert not gone


def test_calls_outlive_every_process_of_one_machine(tmp_path: Path) -> None:
    require_survived(played(PLAIN, tmp_path))


def test_calls_outlive_the_response_cache(tmp_path: Path) -> None:
    require_survived(played(("cache-kill", "cache-hang"), tmp_path))


def test_calls_outlive_a_database_that_is_stopped_for_a_minute(tmp_path: Path) -> None:
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is not installed")
    require_survived(played(("database-stop",), tmp_path))


@pytest.mark.parametrize("name", ["node-kill", "node-loss", "node-drain", "gcs-kill"])
def test_calls_outlive_a_node_and_the_gcs(name: str, tmp_path: Path) -> None:
    if why := why_not(BY_NAME[name]):
        pytest.skip(why)
    require_survived(played((name,), tmp_path))


@pytest.mark.parametrize("name", ["deploy", "scale-out", "scale-in"])
def test_calls_outlive_a_deploy_and_replicas_that_come_and_go(name: str, tmp_path: Path) -> None:
    if why := why_not(BY_NAME[name]):
        pytest.skip(why)
    require_survived(played((name,), tmp_path))
