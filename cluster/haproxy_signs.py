"""What tells that a HAProxy is there, serves, or hangs: its admin socket, its address, the system.

Only the standard library: ``cluster.haproxy_keeper`` runs without any other package.
"""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

ASK_EVERY_S = 0.5
HUNG_S = 2.5
LATE_S = 0.25
SERVES_WITHIN_S = 0.25
_ANYWHERE = frozenset({"", "*", "0.0.0.0"})  # noqa: S104 - as HAProxy is told to
_HELD = frozenset({"T", "D"})  # proc(5): stopped by a signal, in a wait that nothing interrupts
_PID = re.compile(rb"^Pid: (\d+)\n", re.MULTILINE)


def answers(admin: str) -> bool:
    """Whether a HAProxy listens at this admin socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(admin)
        except OSError:
            return False
        return True


def who_answers(
    admin: str, lifeline: int, is_over: Callable[[], bool] = lambda: False
) -> int | None:
    """Process id of the HAProxy that answers at this admin socket.

    Args:
        admin: Its path.
        lifeline: A descriptor.
        is_over: Asked every ``ASK_EVERY_S`` whether the answer does not matter any more.

    Returns:
        0 when nobody listens there, ``lifeline`` has become readable, or it is over; None when
        somebody listens and has said nothing for ``HUNG_S``.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(ASK_EVERY_S)
        said, silent_s = b"", 0.0
        try:
            probe.connect(admin)
            probe.sendall(b"show info\n")
            while silent_s < HUNG_S:
                began = time.monotonic()
                ready, _, _ = select.select([probe.fileno(), lifeline], [], [], ASK_EVERY_S)
                if lifeline in ready:
                    return 0
                if ready:
                    part = probe.recv(4_096)
                    said += part
                    if found := _PID.search(said):
                        return int(found[1])
                    if not part:
                        return 0
                elif is_over():
                    return 0
                elif time.monotonic() - began < ASK_EVERY_S + LATE_S:
                    silent_s += ASK_EVERY_S
        except OSError:
            return 0
    return None


def serves(host: str, port: int) -> bool:
    """Whether somebody answers a request at this address, whatever the answer is.

    Args:
        host: As HAProxy is told to listen; empty and ``*`` are every address of the machine.
        port: Likewise.
    """
    where = "127.0.0.1" if host in _ANYWHERE else host.strip("[]")
    try:
        with socket.create_connection((where, port), SERVES_WITHIN_S) as probe:
            probe.sendall(b"GET /-/healthz HTTP/1.0\r\n\r\n")
            return bool(probe.recv(1))
    except OSError:
        return False


class Suspicion:
    """Who it is that says nothing at an admin socket, which processes hand on at a reload.

    Args:
        pid: Whose keeper asks.
        is_successor: Whether another one had the socket before.
    """

    def __init__(self, pid: int, *, is_successor: bool) -> None:
        self._pid = pid
        self._has_answered = False
        self._is_it = not is_successor

    def heard(self, who: int | None) -> Literal["", "hangs", "replaced"]:
        """What the answer (``who_answers``) means for the process; empty for nothing new."""
        if who is None:
            return "hangs" if self._is_it else ""
        if who == self._pid:
            self._has_answered = self._is_it = True
        elif who and self._has_answered:
            return "replaced"
        elif who or self._has_answered:
            self._is_it = (
                False  # it was not there yet, or has left: the next silence is not its own
            )
        return ""


class Stillness:
    """How long a process that cannot be asked has been held, by what the system says of it.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._since: float | None = None
        self._hangs = False
        self._looked_at = 0.0

    def hangs(self, now: float) -> bool:
        """Whether it has been held for ``HUNG_S``; to be asked every ``ASK_EVERY_S`` at least.

        Of whoever was late himself, as where the whole machine stood still, that does not count. It
        stays true for as long as the process is held.
        """
        was_late = now - self._looked_at > ASK_EVERY_S + LATE_S
        self._looked_at = now
        if _state(self._pid) not in _HELD:
            self._since, self._hangs = None, False
        elif self._since is None or (was_late and not self._hangs):
            self._since = now
        self._hangs = self._since is not None and now - self._since >= HUNG_S
        return self._hangs


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    return _state(pid) not in {"", "Z", "X"}


def _state(pid: int) -> str:
    """The letter of proc(5) for what a process does; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]
