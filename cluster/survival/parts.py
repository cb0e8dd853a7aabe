"""The processes of a running product, found by what they call themselves, and struck by signals.

Nothing here asks Ray, which may be what is broken.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from cluster.survival.faults import PROGRAMS, TITLES, Fault, Part

_SIGNALS: Final = {"kill": signal.SIGKILL, "hang": signal.SIGSTOP}
_GONE: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


@dataclass(frozen=True, slots=True)
class Found:
    """One process.

    Attributes:
        pid: Its id.
        title: Its whole command line.
    """

    pid: int
    title: str


def part_of(name: str, title: str) -> Part | None:
    """Which part of the product a process is; None for any other.

    Args:
        name: Of its program.
        title: Its command line, in one string. Ray writes what a worker is and does into it.
    """
    for part, program in PROGRAMS.items():
        if name == program:
            return part
    for part, begin in TITLES.items():
        # "ray::CallActor", also while it works: "ray::CallActor.status"; not "ray::CallActorX".
        if re.match(re.escape(begin) + r"(?![A-Za-z_])", title):
            return part
    return None


class ProcessTable:
    """The processes below some.

    Args:
        roots: Process ids of the guards of what was started.

    Attributes:
        roots: Likewise; may be changed.
    """

    def __init__(self, *roots: int) -> None:
        self.roots = list(roots)

    @property
    def root(self) -> int:
        """The first of them."""
        return self.roots[0]

    def of(self, part: Part) -> list[Found]:
        """The living processes of a part, by id."""
        found = [
            Found(process.pid, title)
            for process, name, title in self._all()
            if part_of(name, title) == part
        ]
        return sorted(found, key=lambda each: each.pid)

    def _all(self) -> Iterator[tuple[psutil.Process, str, str]]:
        for root in self.roots:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(root).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        if process.status() not in _GONE:
                            yield process, process.name(), " ".join(process.cmdline()).strip()


def strike(fault: Fault, pids: Sequence[int]) -> None:
    """Send the signal of a fault; a process that is gone already is none of our business."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, _SIGNALS[fault.how])


def let_go_on(pids: Sequence[int]) -> list[int]:
    """Wake what was held, where it is still there.

    Returns:
        Those that nobody had ended meanwhile.
    """
    woken = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, psutil.Error):
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                os.kill(pid, signal.SIGCONT)
                woken.append(pid)
    return woken
