"""A node that is asked to end: first its drain, at the second signal the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Self

import pytest

from cluster import run_node
from cluster.node_leave import AGAIN_AFTER_S, LATE_S, TRIED_FOR_S, NodeLeave, option_of
from cluster.run_node import Command, Node

RAYLET = ("/x/raylet", "--node_id=ab12", "--gcs-address=10.0.0.2:6379", "--resource=a,--node_id=no")


def test_cluster_and_node_are_read_off_the_raylet() -> None:
    assert option_of(RAYLET, "node_id") == "ab12"
    assert option_of(RAYLET, "gcs-address") == "10.0.0.2:6379"
    assert option_of(RAYLET, "nothing") == ""


def test_a_raylet_that_says_nothing_is_not_drained() -> None:
    with NodeLeave.begin(("/x/raylet",), 60.0) as leave:
        assert leave.is_over()


def test_a_drain_that_hangs_is_ended() -> None:
    now = 0.0
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with NodeLeave(lambda _within_s: process, 60.0, lambda: now) as leave:
        assert not leave.is_over()
        now = 60.0 + LATE_S
        assert leave.is_over()
    assert process.returncode == -signal.SIGKILL


class Ended:
    """A drain that has ended with this exit code; None while it runs."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -signal.SIGKILL

    def wait(self) -> int | None:
        return self.code


class Tries:
    """Drains that end as they are told; OSError: not even that."""

    def __init__(self, *codes: int | OSError | None) -> None:
        self.codes = list(codes)
        self.within_s: list[float] = []
        self.now = 0.0

    def start(self, within_s: float) -> Any:
        self.within_s.append(within_s)
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        if isinstance(code, OSError):
            raise code
        return Ended(code)

    def until_over(self, most_s: float = 400.0) -> bool:
        with NodeLeave(self.start, 300.0, lambda: self.now) as leave:
            while self.now < most_s:
                if leave.is_over():
                    return True
                self.now += 0.1
        return False


@pytest.mark.parametrize("away", [2, -9, OSError("no process is left")])
def test_a_drain_that_could_not_begin_is_begun_again(away: int | OSError) -> None:
    """The GCS may be away for a moment; a node that ends without a drain cuts its calls."""
    tries = Tries(away, away, 0)
    assert tries.until_over()
    assert [round(within_s) for within_s in tries.within_s] == [300, 295, 290]
    assert round(tries.now) == 2 * AGAIN_AFTER_S


def test_one_that_can_never_begin_keeps_nobody_for_long() -> None:
    tries = Tries(2)
    assert tries.until_over()
    assert TRIED_FOR_S <= tries.now < TRIED_FOR_S + 1.0


@pytest.mark.parametrize("code", [0, 1])
def test_one_that_has_said_how_it_ended_is_not_begun_again(code: int) -> None:
    tries = Tries(code)
    assert tries.until_over()
    assert (tries.now, len(tries.within_s)) == (0.0, 1)


class FakeLeave:
    """A drain that is over when the test says so."""

    def __init__(self, looks: Callable[[], bool]) -> None:
        self._looks = looks
        self.is_ended = False

    def is_over(self) -> bool:
        return self._looks()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_ended = True


class World:
    """A node without Ray, and what was asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, drain_s: float = 60.0) -> None:
        self.said: list[str] = []
        self.asked: list[tuple[tuple[str, ...], float]] = []
        self.looks = 0
        self.programs = {"raylet": 7}
        self.on_look: Callable[[], bool] = lambda: False
        self.leave = FakeLeave(self._look)
        self.node = Node((), self.said.append, drain_s)
        monkeypatch.setattr(run_node, "LOOK_EVERY_S", 0.0)
        monkeypatch.setattr(run_node, "adopt_orphans", lambda: None)
        monkeypatch.setattr(run_node, "_reap", lambda: None)
        monkeypatch.setattr(run_node, "command_of", lambda _process: Command(RAYLET, {}, "/"))
        monkeypatch.setattr(NodeLeave, "begin", self._begin)
        for name, act in (("_start", self.node.signalled), ("end", lambda: None)):
            monkeypatch.setattr(self.node, name, act)
        monkeypatch.setattr(self.node, "find", self._find)

    def _find(self, name: str) -> Any:
        return self.programs.get(name)

    def _begin(self, raylet: Sequence[str], drain_s: float) -> FakeLeave:
        self.asked.append((tuple(raylet), drain_s))
        return self.leave

    def _look(self) -> bool:
        self.looks += 1
        return self.on_look()


def test_the_first_signal_drains_and_then_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    world.on_look = lambda: world.looks == 5
    assert world.node.run() == 0
    assert (world.asked, world.looks, world.leave.is_ended) == ([(RAYLET, 60.0)], 5, True)


def test_the_second_signal_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)

    def look() -> bool:
        world.node.signalled()
        return False

    world.on_look = look
    assert world.node.run() == 0
    assert (world.looks, world.leave.is_ended) == (1, True)
    assert "at once" in world.said[-1]


def test_a_raylet_that_ends_by_itself_was_drained(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)

    def look() -> bool:
        world.programs.clear()
        return False

    world.on_look = look
    assert world.node.run() == 0
    assert world.leave.is_ended


@pytest.mark.parametrize(
    ("programs", "drain_s"),
    [({"raylet": 7, "gcs_server": 8}, 60.0), ({"raylet": 7}, 0.0), ({}, 60.0)],
)
def test_a_head_and_a_node_that_has_no_time_end_at_once(
    programs: dict[str, int], drain_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(monkeypatch, drain_s)
    world.programs = programs
    assert world.node.run() == 0
    assert world.asked == []
