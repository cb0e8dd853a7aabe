"""``ray start`` in our words: nothing of its advice, all of its trouble."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from cluster import ray_start
from cluster.errors import ClusterError
from cluster.ray_start import RUNS, require_port, say_start, start_ray, warnings_of, welcome

# As Ray 2.60 writes it with --log-style=record --log-color=false.
SAID = """\
2026-11-23 03:17:43,567\tINFO usage_lib.py:448 -- Usage stats collection is disabled.
[2026-11-23 03:17:43,568 W 5 5] network_util.cc:330: Failed to determine local IP
2026-11-23 03:17:43,569\tWARNING authentication_token_setup.py:85 -- Token authentication is \
enabled for this Ray cluster. Set RAY_AUTH_MODE=disabled to opt out.
2026-11-23 03:17:44,001\tWARNING services.py:2104 -- WARNING: The object store is using /tmp
2026-11-23 03:17:52,197\tSUCC scripts.py:1085 -- Ray runtime started.
2026-11-23 03:17:52,199\tINFO scripts.py:1143 --   ray stop
"""
RAYLET = ("raylet", "--node_ip_address=10.0.0.7", "--gcs-address=10.0.0.5:6379", "--x")


@pytest.fixture
def ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Ray's place; what it was given lies beside it."""
    program = tmp_path / "ray"
    program.write_text(f'#!/bin/sh\ncd {tmp_path}\necho "$@" > given\ncat said\nexit $(cat code)\n')
    program.chmod(0o755)
    (tmp_path / "said").write_text(SAID)
    (tmp_path / "code").write_text("0")
    monkeypatch.setattr(ray_start.sys, "executable", str(program))
    return tmp_path


def test_only_warnings_are_shown_of_a_start(ray: Path) -> None:
    said: list[str] = []
    start_ray(("--head", "--port=6379"), threading.Event(), said.append)
    assert said == [
        "starting Ray",
        "Ray: [2026-11-23 03:17:43,568 W 5 5] network_util.cc:330: Failed to determine local IP",
        "Ray: WARNING: The object store is using /tmp",
    ]
    assert (ray / "given").read_text().endswith("--log-color=false --head --port=6379\n")


def test_all_is_shown_of_one_that_fails(ray: Path) -> None:
    (ray / "code").write_text("1")
    said: list[str] = []
    with pytest.raises(ClusterError, match=r"'ray start --head' ended with exit code 1"):
        start_ray(("--head",), threading.Event(), said.append)
    assert said == ["starting Ray", SAID.strip()]


@pytest.mark.parametrize(
    "given", [("--redis-password=sesame",), ("--redis-password", "sesame"), ("--redis-password",)]
)
def test_a_password_is_not_told_with_the_command(ray: Path, given: tuple[str, ...]) -> None:
    (ray / "code").write_text("1")
    with pytest.raises(ClusterError, match="--redis-password") as failed:
        start_ray(("--head", *given, "--port=6379"), threading.Event(), lambda _text: None)
    assert "sesame" not in str(failed.value)
    if len(given) == 1 and "=" not in given[0]:
        return  # what follows it would be the password
    assert "--head" in str(failed.value)
    assert "--port=6379" in str(failed.value)


def test_one_that_was_ended_by_a_signal_is_no_failure(ray: Path) -> None:
    (ray / "ray").write_text("#!/bin/sh\nexec sleep 60\n")
    stopping = threading.Event()
    stopping.set()
    said: list[str] = []
    start_ray(("--head",), stopping, said.append)
    assert said == ["starting Ray"]


def test_what_starts_outlives_it_and_nobody_waits_for_that(ray: Path) -> None:
    (ray / "ray").write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {ray}/pid\n")
    start_ray((), threading.Event(), lambda _text: None)
    os.kill(int((ray / "pid").read_text()), signal.SIGKILL)  # it was there


@pytest.mark.parametrize(
    "said", ["", "\n\n", "what?", "2026-11-23 WARNING", SAID.splitlines()[0], SAID.splitlines()[2]]
)
def test_what_is_no_warning_or_an_expected_one_is_not_shown(said: str) -> None:
    assert warnings_of(said) == []


def test_a_head_says_how_other_nodes_join_it() -> None:
    assert welcome(RAYLET, is_head=True) == (
        f"{RUNS}: node 10.0.0.7, the head of a cluster. On each other machine: 'callcluster node "
        "-- --address=10.0.0.5:6379'. Then, here: 'callcluster deploy'"
    )
    assert (
        welcome(RAYLET, is_head=False) == f"{RUNS}: node 10.0.0.7 of the cluster at 10.0.0.5:6379"
    )
    assert welcome((), is_head=False) == RUNS


def test_a_head_whose_port_is_taken_is_told_by_whom() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=rf"port {port}, .*process {os.getpid()}\)"):
            require_port(("--head", f"--port={port}"))
        with pytest.raises(ClusterError, match=rf"choose another port with --port={port + 1}"):
            require_port(("--head", "--port", str(port)))
        require_port((f"--address=127.0.0.1:{port}",))  # a head is to be there
    require_port(("--head", f"--port={port}"))
    require_port(("--head", "--port=0"))  # Ray chooses one


@pytest.mark.parametrize("port", ["99999", "x", "-1", "65536"])
def test_what_is_no_port_is_said(port: str) -> None:
    with pytest.raises(ClusterError, match="is no port"):
        require_port(("--head", f"--port={port}"))


def test_who_joins_is_told_whether_the_head_answers() -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        say_start((f"--address={address}",), said.append)
    say_start(("--address", address), said.append)
    say_start(("--address=127.0.0.1:99999",), said.append)
    assert said[0] == f"starting Ray: a node of the cluster at {address}"
    assert said[1].startswith(f"starting Ray: nobody answers at {address} yet (")
    assert said[2].startswith("starting Ray: nobody answers at 127.0.0.1:99999 yet (")
