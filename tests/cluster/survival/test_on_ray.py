"""One fault of each kind on the whole product, as ``callcluster chaos cluster`` plays them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.demo_stage import Progress
from cluster.survival.act import Act, run_act
from cluster.survival.database import postgres_folder
from cluster.survival.faults import BY_NAME, Fault
from cluster.survival.plan import SurvivalPlan
from cluster.survival.run import nodes_of, why_not
from cluster.survival.stage import running_stage
from tests.support.survived import require_survived

pytestmark = pytest.mark.cluster

CALLS = 4
PLAIN = (
    "call-actor-kill",
    "call-actor-hang",
    "ingress-kill",
    "ingress-hang",
    "haproxy-kill",
    "haproxy-hang",
    "haproxy-manager-kill",
    "line-cut",
    "directory-kill",
    "health-kill",
    "metrics-kill",
    "office-kill",
    "controller-kill",
    "gcs-hang",
)

_SECONDS_LEFT = re.compile(r",? \d+ s$|: \d+ of \d+, \d+ s$")


class Quiet(Progress):
    """Nobody looks."""

    def started(self, what: str) -> None:
        """Nothing."""

    def done(self, what: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class Told(Progress):
    """A line in the terminal as each step begins: these tests take minutes.

    Args:
        write: Shows a line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last = ""

    def started(self, what: str) -> None:
        """What is being waited for."""
        self.tell(what)

    def done(self, what: str) -> None:
        """Nothing: the next step is told."""

    def note(self, text: str) -> None:
        """Something a person should know."""
        self.tell(text)

    def tell(self, text: str) -> None:
        """A step, perhaps with the seconds that are left of it, which are not shown."""
        step = _SECONDS_LEFT.sub("", text)
        if step != self._last:
            self._last = step
            self._write(f"  {step}")


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """Writes past what pytest captures."""
    plugins = request.config.pluginmanager
    capture, terminal = (plugins.getplugin(n) for n in ("capturemanager", "terminalreporter"))

    def write(line: str) -> None:
        if terminal is not None and request.config.get_verbosity() > 0:
            with capture.global_and_fixture_disabled():
                terminal.ensure_newline()
                terminal.write_line(line)

    return Told(write)


def require_outlived(names: tuple[str, ...], folder: Path, told: Told) -> None:
    """Play these faults, one after the other, and hold what callers noticed against what we say."""
    faults: tuple[Fault, ...] = tuple(BY_NAME[name] for name in names)
    parts = {fault.part for fault in faults}
    plan = SurvivalPlan(calls=CALLS, repeat=1, faults=faults, usual_turns=12)

    async def story() -> Act:
        async with running_stage(
            plan,
            folder,
            told,
            cache="cache" in parts,
            postgres="database" in parts,
            nodes=nodes_of(faults),
        ) as stage:
            return await run_act(stage, plan, faults, told.tell)

    require_survived(asyncio.run(story()), faults)


def test_calls_outlive_every_process_of_one_machine(tmp_path: Path, told: Told) -> None:
    require_outlived(PLAIN, tmp_path, told)


def test_calls_outlive_the_response_cache(tmp_path: Path, told: Told) -> None:
    require_outlived(("cache-kill", "cache-hang"), tmp_path, told)


def test_calls_outlive_a_database_that_is_stopped_for_a_minute(tmp_path: Path, told: Told) -> None:
    if postgres_folder() is None:
        pytest.skip("PostgreSQL is not installed")
    require_outlived(("database-stop",), tmp_path, told)


@pytest.mark.parametrize("name", ["node-kill", "node-loss", "node-drain", "gcs-kill"])
def test_calls_outlive_a_node_and_the_gcs(name: str, tmp_path: Path, told: Told) -> None:
    if why := why_not(BY_NAME[name]):
        pytest.skip(why)
    require_outlived((name,), tmp_path, told)


@pytest.mark.parametrize("name", ["deploy", "scale-out", "scale-in"])
def test_calls_outlive_a_deploy_and_replicas_that_come_and_go(
    name: str, tmp_path: Path, told: Told
) -> None:
    if why := why_not(BY_NAME[name]):
        pytest.skip(why)
    require_outlived((name,), tmp_path, told)
