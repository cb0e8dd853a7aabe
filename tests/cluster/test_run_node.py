"""The GCS of a head is started again as it was, and only where that helps."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster import detached_node, node_start, run_node
from cluster.errors import ClusterError
from cluster.gcs_pulse import GcsPulse
from cluster.run_node import Command, GcsKeeper, Node, command_of, has_redis
from cluster.run_node import run_node as start


class Processes:
    """What runs, as the keeper finds it."""

    def __init__(self) -> None:
        self.gcs: Any = None

    def find(self, _name: str) -> Any:
        return self.gcs


class Gcs:
    def __init__(self, pid: int, *arguments: str) -> None:
        self.pid = pid
        self._arguments = arguments

    def cmdline(self) -> list[str]:
        return ["gcs_server", *self._arguments] if self._arguments else []

    def environ(self) -> dict[str, str]:
        return {"RAY_X": "1"}

    def cwd(self) -> str:
        return "/"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    found: list[Command] = []

    def start_again(command: Command) -> int:
        found.append(command)
        return 1_000 + len(found)

    monkeypatch.setattr(Command, "start", start_again)
    return found


REDIS = "--redis_address=10.0.0.1"


def test_a_gcs_that_dies_is_started_again_each_time(started: list[Command]) -> None:
    processes, said = Processes(), list[str]()
    keeper = GcsKeeper(processes.find, said.append)
    keeper.look()
    assert started == []  # there was none yet
    processes.gcs = Gcs(7, REDIS)
    keeper.look()
    processes.gcs = None
    keeper.look()
    assert started == [Command(("gcs_server", REDIS), {"RAY_X": "1"}, "/")]
    processes.gcs = Gcs(1_001, REDIS)
    keeper.look()
    processes.gcs = None
    keeper.look()
    assert (len(started), keeper.restarts) == (2, 2)
    assert "process 7" in said[0]
    assert run_node.IN_MEMORY not in said


def test_one_that_dies_before_it_was_seen_is_started_again(started: list[Command]) -> None:
    processes = Processes()
    keeper = GcsKeeper(processes.find, lambda _text: None)
    processes.gcs = Gcs(7, REDIS)
    keeper.look()
    processes.gcs = None
    keeper.look()
    keeper.look()
    assert len(started) == 2


def test_one_that_does_not_say_yet_how_it_was_started_is_asked_again(
    started: list[Command],
) -> None:
    """Between its name and its arguments lies a moment in which it has none."""
    processes, said = Processes(), list[str]()
    keeper = GcsKeeper(processes.find, said.append)
    processes.gcs = Gcs(7)
    keeper.look()
    assert said == []
    processes.gcs = Gcs(7, REDIS)
    keeper.look()
    processes.gcs = None
    keeper.look()
    assert len(started) == 1


class Blind(Node):
    """Cannot look at any process for a while."""

    is_blind = True

    def find(self, name: str) -> psutil.Process | None:
        if self.is_blind:
            raise OSError(errno.ENFILE, "Too many open files in system")
        return None


def test_who_cannot_look_does_not_end_the_node(started: list[Command]) -> None:
    said: list[str] = []
    node = Blind((), said.append)
    keeper = GcsKeeper(node.find, said.append)
    assert not any(node.has_ended(keeper) for _ in range(3))
    assert len(said) == 1
    node.is_blind = False
    assert node.has_ended(keeper)
    assert started == []


@pytest.mark.parametrize(("arguments", "finds"), [((), 1), (("--head",), 2)])
def test_only_a_head_looks_for_its_gcs(
    arguments: tuple[str, ...], finds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has none would look at every process of the machine, ten times a second."""
    asked: list[str] = []
    node = run_node.Node(arguments, lambda _text: None)

    def find(name: str) -> Any:
        asked.append(name)
        return psutil.Process() if name == "raylet" else None

    monkeypatch.setattr(node, "find", find)
    assert not node.has_ended(GcsKeeper(find, lambda _text: None))
    assert len(asked) == finds


def test_a_terminal_that_is_closed_is_a_first_signal_however_often_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes: list[run_node.Node] = []

    def run(node: run_node.Node) -> int:
        for _ in range(2):  # of the shell, and of the system
            os.kill(os.getpid(), signal.SIGHUP)
        nodes.append(node)
        return 0

    for name in ("require_port", "require_redis", "prepare_node"):
        monkeypatch.setattr(run_node, name, lambda *_: None)
    monkeypatch.setattr(run_node.Node, "run", run)
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert start(["--address=10.0.0.5:6379"], port=8_000, say=lambda _text: None) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert nodes[0].stopping.is_set()
    assert not nodes[0].at_once.is_set()


def test_without_redis_it_is_said_once_and_left(started: list[Command]) -> None:
    processes, said = Processes(), list[str]()
    keeper = GcsKeeper(processes.find, said.append)
    processes.gcs = Gcs(7, "--gcs_server_port=6379")
    keeper.look()
    processes.gcs = None
    for _ in range(3):
        keeper.look()
    assert started == []
    at_start, when_it_died = said
    assert at_start == run_node.IN_MEMORY
    assert "RAY_REDIS_ADDRESS" in when_it_died


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_that_dies_after_each_start_gets_ever_longer_pauses_and_a_word_why(
    started: list[Command],
) -> None:
    processes, said, clock = Processes(), list[str](), Clock()
    keeper = GcsKeeper(processes.find, said.append, clock)
    processes.gcs = Gcs(7, REDIS)
    keeper.look()
    processes.gcs = None
    for _ in range(600):  # a minute, in which it never lives long enough to be seen
        keeper.look()
        clock.now += 0.1
    assert 10 <= len(started) <= 20
    assert len([line for line in said if node_start.REDIS_SWITCH in line and "port" in line]) == 1

    processes.gcs = Gcs(1_000 + len(started), REDIS)
    for _ in range(200):  # now it lives
        keeper.look()
        clock.now += 0.1
    before = len(started)
    processes.gcs = None
    keeper.look()
    assert len(started) == before + 1, "the next death is the first of a row"


def test_one_that_hangs_is_killed_and_started_again(
    started: list[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    hung: set[tuple[str, int]] = set()

    class Pulse(GcsPulse):
        def hangs(self, *, now: float) -> bool:
            return self._address in hung

    monkeypatch.setattr(run_node, "GcsPulse", Pulse)
    processes, said = Processes(), list[str]()
    arguments = (REDIS, "--gcs_server_port=6379", "--node-ip-address=10.0.0.7")

    class Killable(Gcs):
        def kill(self) -> None:
            processes.gcs = None

    keeper = GcsKeeper(processes.find, said.append)
    for pid in (7, 1_001):  # the one that was started again is watched as well
        processes.gcs = Killable(pid, *arguments)
        hung.clear()
        keeper.look()
        assert processes.gcs is not None
        hung.add(("10.0.0.7", 6379))
        keeper.look()
        assert processes.gcs is None
        keeper.look()
    assert len(started) == 2
    assert "hangs" in said[0]


def test_a_gcs_that_could_not_come_back_is_not_killed(started: list[Command]) -> None:
    assert run_node.pulse_of(Command(("gcs_server", "--gcs_server_port=6379"), {}, "/")) is None
    assert run_node.pulse_of(Command(("gcs_server", REDIS, "--gcs_server_port=0"), {}, "/")) is None
    assert run_node.pulse_of(None) is None
    assert started == []


@pytest.mark.parametrize(
    ("nodes", "arguments", "is_said"),
    [
        (2, ("gcs_server",), True),
        (2, ("gcs_server", REDIS), False),
        (1, ("gcs_server",), False),  # a laptop
        (2, None, False),  # it runs on another machine: nobody knows from here
    ],
)
def test_several_nodes_on_the_memory_of_one_process_are_said_at_a_deploy(
    nodes: int, arguments: tuple[str, ...] | None, is_said: bool
) -> None:
    said: list[str] = []
    gcs = None if arguments is None else Command(arguments, {}, "/")
    run_node.say_in_memory(nodes, gcs, said.append)
    assert said == ([f"{nodes} nodes: {run_node.IN_MEMORY}"] if is_said else [])


def test_a_command_is_read_off_a_living_process() -> None:
    found = command_of(psutil.Process())
    assert found is not None
    assert Path(found.cwd) == Path.cwd()
    assert found.arguments
    assert not has_redis(found)


@pytest.mark.parametrize("arguments", [["--head", "--block"], ["start", "--head"]])
def test_what_it_does_by_itself_is_not_asked_for(arguments: list[str]) -> None:
    with pytest.raises(ClusterError):
        start(arguments, port=8_000, say=lambda _text: None)


def test_only_a_head_asks_for_redis_and_only_when_it_is_named() -> None:
    nowhere = {"RAY_REDIS_ADDRESS": ":"}
    node_start.require_redis(["--address=10.0.0.5:6379"], nowhere)
    node_start.require_redis(["--head"], {})
    with pytest.raises(ClusterError, match="RAY_REDIS_ADDRESS is no address"):
        node_start.require_redis(["--head"], nowhere)


@pytest.mark.e2e
def test_a_head_does_not_start_without_its_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_REDIS_ADDRESS", f"127.0.0.1:{held.getsockname()[1]},10.0.0.1:6379")
        with pytest.raises(ClusterError, match=r"does not answer: .*the head does not start"):
            start(["--head", "--port=6379"], port=8_000, say=lambda _text: None)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "arguments", [["--head", "--redis-password=sesame"], ["--head", "--redis-password", "sesame"]]
)
def test_its_redis_is_asked_with_the_password_of_ray_start(arguments: list[str]) -> None:
    heard = b""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            nonlocal heard
            taken, _ = server.accept()
            with taken:
                heard = taken.recv(1_000)
                taken.sendall(b"-WRONGPASS invalid username-password pair\r\n")

        answering = threading.Thread(target=refuse)
        answering.start()
        environment = {"RAY_REDIS_ADDRESS": f"127.0.0.1:{server.getsockname()[1]}"}
        with pytest.raises(ClusterError, match="wants a password") as caught:
            node_start.require_redis(arguments, environment)
        answering.join()
    assert b"sesame" in heard
    assert "sesame" not in str(caught.value)


def test_a_node_that_does_not_start_in_the_background_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho '  at somewhere'; echo 'ConnectionError: in use'; echo end\n")
    node.chmod(0o755)
    log = tmp_path / "node.log"
    log.write_text("ValueError: of an earlier run\n")
    monkeypatch.setattr(sys, "executable", str(node))
    with pytest.raises(
        ClusterError, match=r"start: ConnectionError: in use \(all of it: .*node.log"
    ):
        detached_node.detach(("--", "--head"), log, within_s=5.0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ClusterError, match=r"node.log"):
        detached_node.detach(("--", "--head"), log, within_s=5.0)
    assert detached_node.why_not("one\n\ntwo\n") == "one\ntwo"


def test_a_node_that_takes_too_long_in_the_background_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, log = tmp_path / "node", tmp_path / "node.log"
    node.write_text("#!/bin/sh\necho $$\nexec sleep 60\n")
    node.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(node))
    with pytest.raises(ClusterError, match="had not started after"):
        detached_node.detach(("--", "--head"), log, within_s=0.5)
    assert not psutil.pid_exists(int(log.read_text().split()[0]))
