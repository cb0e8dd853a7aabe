"""Runs one command and leaves nothing of it, whatever ends first: the command or who asked for it.

``python -m cluster.demo_guard SPEC``, in a session of its own, SPEC as JSON (see ``Guarded``).

Rules
1. The command lives until standard input closes (whoever holds the other end is gone, even by
   SIGKILL), SIGTERM comes, or it ends by itself.
2. Then it gets SIGTERM and ``grace_s``; what is left of it is killed, all its descendants too. On
   Linux orphans come to the guard, so that no daemon can slip away.
3. Then the folders of the run are removed. The guard ends with the command's exit code.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psutil

from cluster import ports

USUAL_NICENESS = os.nice(0)
"""Of this process when it began: callers that ask to be served first do not ask for the product."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_EVERY_S = 0.05
_KILL_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a guard is asked to run.

    Attributes:
        command: Program and arguments.
        grace_s: How long it may take to end after SIGTERM.
        folders: Removed at the end; a HAProxy configured below one of them is ended first.
        niceness: Of the command, should the process that asks be served before others.
    """

    command: tuple[str, ...]
    grace_s: float = 6.0
    folders: tuple[str, ...] = ()
    niceness: int = USUAL_NICENESS

    def spec(self) -> str:
        """As the guard's argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_spec(cls, spec: str) -> Guarded:
        """Read back what ``spec`` wrote."""
        wire = json.loads(spec)
        return cls(
            tuple(wire["command"]),
            float(wire["grace_s"]),
            tuple(wire["folders"]),
            int(wire["niceness"]),
        )


class Guard:
    """One command and all that comes of it.

    Args:
        guarded: What to run.
        lifeline: File descriptor that is closed at the other end when it is time to stop.
    """

    def __init__(self, guarded: Guarded, lifeline: int) -> None:
        self._guarded = guarded
        self._lifeline = lifeline
        self._stopping = False
        self._exit_code: int | None = None
        self._pid = 0

    def run(self) -> int:
        """Run it to its end; returns its exit code (128 + N for signal N)."""
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._stop)
        if os.nice(0) < self._guarded.niceness:
            os.setpriority(os.PRIO_PROCESS, 0, self._guarded.niceness)
        try:
            self._pid = subprocess.Popen(  # noqa: S603 - the command comes from our own demo
                self._guarded.command, stdin=subprocess.DEVNULL, preexec_fn=_as_child
            ).pid
            self._wait_until(lambda: self._stopping or self._exit_code is not None, None)
            if self._exit_code is None:
                os.kill(self._pid, signal.SIGTERM)
                self._wait_until(lambda: self._exit_code is not None, self._guarded.grace_s)
        finally:
            self._sweep()
        return 1 if self._exit_code is None else self._exit_code

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _wait_until(self, done: Callable[[], bool], within_s: float | None) -> None:
        deadline = None if within_s is None else time.monotonic() + within_s
        while not done() and (deadline is None or time.monotonic() < deadline):
            self._reap()
            watched = [] if self._stopping else [self._lifeline]
            readable, _, _ = select.select(watched, [], [], _LOOK_EVERY_S)
            if readable and not os.read(self._lifeline, 4_096):
                self._stopping = True

    def _reap(self) -> None:
        """Take the exit codes of children, our own and adopted ones."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                self._exit_code = code if code >= 0 else 128 - code

    def _sweep(self) -> None:
        """Kill every descendant, then remove the folders."""
        deadline = time.monotonic() + _KILL_WITHIN_S
        while time.monotonic() < deadline:
            self._reap()
            descendants = psutil.Process().children(recursive=True)
            if not descendants:
                break
            for process in descendants:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            self._wait_until(lambda: not psutil.Process().children(recursive=True), 0.5)
        for folder in self._guarded.folders:
            ports.end_leftovers(folder)
            shutil.rmtree(folder, ignore_errors=True)


def adopt_orphans() -> None:
    """Descendants whose parent dies become our children (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _as_child() -> None:
    """In the command before it starts: SIGTERM for it should the guard be killed (Linux)."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def main() -> None:
    """Entry point of ``python -m cluster.demo_guard SPEC``."""
    raise SystemExit(Guard(Guarded.from_spec(sys.argv[1]), sys.stdin.fileno()).run())


if __name__ == "__main__":
    main()
