"""A run that something breaks off tells what it has seen until then."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.errors import ClusterError, DemoFailed
from cluster.survival import act, run
from cluster.survival.act import Act, FaultRun, run_act
from cluster.survival.faults import BY_NAME, Fault
from cluster.survival.figures import CallStory, Strike
from cluster.survival.plan import SurvivalPlan
from cluster.survival.run import run_survival
from cluster.survival.stage import CALLS_PER_ACTOR, CALLS_PER_REPLICA
from simulation.carrier_ticker import Lateness
from tests.cluster.survival.test_figures import CALL, TURN
from tests.support import virtual_time

DEPLOY, CUT = BY_NAME["deploy"], BY_NAME["line-cut"]
PLAN = SurvivalPlan(calls=4, repeat=3, faults=(DEPLOY, CUT), usual_turns=4)
TROUBLE = DemoFailed("the release was not deployed")


@dataclass
class FakeStage:
    """A product all of whose parts are there; a deploy fails when it is told to.

    Attributes:
        deploys: What comes of one after the other; the last of them of all that follow.
        cut: Times that connections were looked for.
    """

    deploys: list[ClusterError | None]
    cut: int = 0
    logs: Path = Path("/nowhere")
    store_url: str = ""
    nodes: None = None
    database: None = None
    processes: Any = field(default_factory=lambda: SimpleNamespace(of=_processes))

    @property
    def exchange(self) -> Any:
        self.cut += 1
        return SimpleNamespace(log=())

    async def deploy(self) -> None:
        trouble = self.deploys.pop(0)
        if trouble is not None:
            raise trouble

    async def replicas(self) -> list[dict[str, object]]:
        seats = min(PLAN.call_actors * CALLS_PER_ACTOR, PLAN.replicas * CALLS_PER_REPLICA)
        report: dict[str, object] = {"pid": 1, "ready": True, "cluster_capacity": seats}
        return [report | {"active_calls": 2}] * PLAN.replicas


def _processes(_part: str) -> list[Any]:
    return [SimpleNamespace(pid=1)] * PLAN.call_actors


class FakeLines:
    """Callers who are at every moment at once.

    Attributes:
        hung_up: All of them, in order.
    """

    hung_up = 0

    def __init__(self, *_: object) -> None:
        self.over: list[Any] = []

    async def __aenter__(self) -> FakeLines:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def lateness(self) -> Lateness:
        return Lateness()

    def moments(self) -> Counter[str]:
        return Counter(listening=1, thinking=1, speaking=1)

    async def stop(self) -> None:
        type(self).hung_up += 1


@pytest.fixture
def _callers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def recorded(_store_url: str, _over: Sequence[Any]) -> list[Any]:
        return ["a call"]

    async def at_once(work: Callable[..., Any], *arguments: object) -> Any:
        return work(*arguments)  # a thread would not stop the clock of the test

    monkeypatch.setattr(FakeLines, "hung_up", 0)
    monkeypatch.setattr(act.asyncio, "to_thread", at_once)
    monkeypatch.setattr(act, "Lines", FakeLines)
    monkeypatch.setattr(act, "recorded", recorded)
    monkeypatch.setattr(act, "story_of", lambda _call: CALL)
    monkeypatch.setattr(act, "turns_of", lambda _calls: [TURN])


def played(stage: FakeStage) -> Act:
    at_once: Any = stage
    return virtual_time.run(run_act(at_once, PLAN, PLAN.faults, lambda _text: None))


@pytest.mark.usefixtures("_callers")
def test_an_act_ends_where_it_was_broken_off_and_keeps_what_came_before() -> None:
    stage = FakeStage([None, None, TROUBLE])
    found = played(stage)
    assert found.trouble is TROUBLE
    assert [(each.fault, len(each.strikes)) for each in found.runs] == [(DEPLOY, 2)]
    assert (found.stories, found.turns) == ([CALL], [TURN])
    assert FakeLines.hung_up == 1
    assert stage.cut == 1  # for the callers alone: what comes after it is not played


@pytest.mark.usefixtures("_callers")
def test_an_act_that_is_broken_off_at_once_shows_the_fault_not_at_all() -> None:
    found = played(FakeStage([TROUBLE]))
    assert found.trouble is TROUBLE
    assert found.runs == []
    assert found.judged() == []
    assert found.turns == [TURN]


@pytest.mark.usefixtures("_callers")
def test_an_act_that_nothing_breaks_off_has_no_trouble() -> None:
    found = played(FakeStage([None, None, None]))
    assert found.trouble is None
    assert [len(each.strikes) for each in found.runs] == [3, 3]


@pytest.fixture
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def survived(
    monkeypatch: pytest.MonkeyPatch, folder: Path, acts: Sequence[Act]
) -> tuple[int, list[tuple[Fault, ...]]]:
    """The exit code of a run of these acts, and what was played."""
    left, asked = list(acts), list[tuple[Fault, ...]]()

    @asynccontextmanager
    async def running_stage(*_: object, **__: object) -> AsyncIterator[FakeStage]:
        yield FakeStage([], logs=folder)

    async def run_act(_stage: object, _plan: object, faults: Any, _tell: object) -> Act:
        asked.append(tuple(faults))
        return left.pop(0)

    monkeypatch.setattr(run, "running_stage", running_stage)
    monkeypatch.setattr(run, "run_act", run_act)
    monkeypatch.setattr(run, "why_not", lambda _fault: "")
    monkeypatch.setattr(run, "be_first_served", lambda: True)  # of all tests after this one
    plan = replace(PLAN, faults=(CUT, DEPLOY, BY_NAME["scale-out"], BY_NAME["cache-kill"]))
    return run_survival(plan, folder, None), asked


def an_act(fault: Fault, trouble: ClusterError | None = None) -> Act:
    strike = Strike("listening", 30.0, 38.0, whole_s=1.0)
    stories: list[CallStory] = [CALL]
    return Act([FaultRun(fault, [strike])], (5.0, 20.0), stories, [TURN], trouble)


@pytest.mark.usefixtures("_unfrozen")
def test_a_run_that_is_broken_off_shows_and_writes_what_it_has_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, asked = survived(monkeypatch, tmp_path, [an_act(CUT), an_act(DEPLOY, TROUBLE)])
    assert code == 2
    assert [faults[0].name for faults in asked] == ["line-cut", "deploy"]  # and no act after it
    said = capsys.readouterr()
    assert CUT.title in said.out
    assert DEPLOY.title in said.out
    assert str(TROUBLE) in said.err
    written = json.loads((tmp_path / "survival.json").read_text("utf-8"))
    assert [each["fault"] for each in written["faults"]] == ["line-cut", "deploy"]


@pytest.mark.usefixtures("_unfrozen")
def test_a_run_that_is_broken_off_before_anything_was_struck_shows_no_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = Act([], (5.0, 20.0), [CALL], [TURN], TROUBLE)
    code, asked = survived(monkeypatch, tmp_path, [nothing])
    assert code == 2
    assert len(asked) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert str(TROUBLE) in said.err
