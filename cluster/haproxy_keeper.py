"""Stands in for a HAProxy that has died, until Ray Serve has started another one.

Serve starts one HAProxy a node and asks after it now and then; between its death and the next one
lie seconds in which the carrier finds nobody, and every call that lost its stream is lost. So Serve
is given this file in the place of HAProxy's binary (RAY_SERVE_HAPROXY_BINARY_PATH):

    python haproxy_keeper.py REAL_BINARY -db -f CONFIG ...

Rules
1. This process becomes HAProxy, with the process id that Serve knows. Before that it leaves a child
   behind, the keeper, which waits for its death on a pipe.
2. The keeper holds a socket at HAProxy's address that does not listen. When HAProxy dies it listens
   at once, so that nobody is refused, and hands it to a HAProxy of its own, which has the same
   configuration but for its admin socket: Serve must find its own one dead, and start the next.
3. Once somebody answers at the admin socket again, the stand-in takes no new connections; those it
   has go on until they end. So it is after a reload, when the next one is there already: then
   nobody stands in.
4. Serve's process may have died first: Ray ends what a worker has started, HAProxy too. Somebody
   stands in all the same, and Serve starts both anew. When its process is gone and nobody has come
   after ``NOBODY_COMES_S``, the keeper ends the stand-in. Who ends that one in order means it.
5. A HAProxy that hangs keeps its sockets, and nobody is told of anything. So the keeper asks at the
   admin socket twice a second: one that takes the question and says nothing for ``HUNG_S`` is
   killed, and stood in for. Of a keeper that was late itself that time does not count. After a
   reload the answer is another one's: from then on the old one is not asked, and its calls may
   end. Of it, and of a stand-in, the system is asked: one that is stopped, or waits for a device,
   for ``HUNG_S`` is killed, so that its calls go on elsewhere. Not before somebody answers at
   HAProxy's address, though: their callers ask there at once, and one that hangs beside it, and is
   killed a moment later, would take them with it.
6. What Serve's configuration lacks, HAProxy gets on the way (``cluster.haproxy_configs``).
7. None of it needs room on a disk, and a full one is when processes die. What cannot be written is
   handed on in memory; where the configuration cannot be read any more, that of the start stands.

Only the standard library, and modules beside it that keep to it: no other package is on the path of
a program that has to be there in 30 ms.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":  # Python was told to look for modules nowhere but in its own library
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from cluster.haproxy_configs import StandIn, kept_config, stand_in
from cluster.haproxy_signs import (
    ASK_EVERY_S,
    Stillness,
    Suspicion,
    answers,
    is_alive,
    serves,
    who_answers,
)

LOOK_EVERY_S = 0.1
NOBODY_COMES_S = 20.0
TOUCH_EVERY_S = 3_600.0
LAUNCHER = "haproxy-kept"
CRASHES = frozenset({-signal.SIGKILL, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS})
_FIRST_SERVED = -10  # niceness
_TAKES_OVER = frozenset({"-sf", "-st", "-x"})


def handed(config: str, path: Path) -> tuple[str, tuple[int, ...]]:
    """Put a configuration where a HAProxy can read it: at ``path``, or in memory on a full disk.

    Returns:
        What to call it by, and descriptors that have to be passed on for that.
    """
    try:
        path.write_text(config, "utf-8")
    except OSError as error:
        _say(f"{path.name} cannot be written, and is handed on in memory: {error}")
        memory = os.memfd_create(path.name)
        with open(memory, "w", encoding="utf-8", closefd=False) as file:
            file.write(config)
        return f"/proc/self/fd/{memory}", (memory,)
    return str(path), ()


def keep_config(path: Path) -> str:
    """Put it beside the one at ``path``; returns which of the two HAProxy is to read."""
    try:
        config = kept_config(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return str(path)
    kept, memory = handed(config, path.with_name(f"{path.stem}-kept{path.suffix}"))
    for descriptor in memory:
        os.set_inheritable(descriptor, True)  # this process becomes HAProxy
    return kept


def held_socket(host: str, port: int) -> socket.socket:
    """A socket at an address where somebody else listens; it does not, yet. Raises ``OSError``."""
    where = "0.0.0.0" if host in ("", "*") else host  # noqa: S104 - as HAProxy is told to
    family = socket.AF_INET6 if ":" in where else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((where.strip("[]"), port))
    except OSError:
        held.close()
        raise
    return held


class Keeper:
    """Waits for the death of a HAProxy and stands in for it.

    Args:
        binary: HAProxy itself.
        config: Path of its configuration.
        pid: Its process id.
        manager: Process id of whoever started it.
        lifeline: Readable, at its end, when it has died.
        niceness: Of a stand-in.
        is_successor: Whether it takes over from another one.
    """

    def __init__(
        self,
        binary: str,
        config: Path,
        pid: int,
        manager: int,
        lifeline: int,
        niceness: int,
        *,
        is_successor: bool,
    ) -> None:
        self._binary = binary
        self._config = config
        self._pid = pid
        self._suspicion = Suspicion(pid, is_successor=is_successor)
        self._manager = manager
        self._lifeline = lifeline
        self._niceness = niceness

    def run(self) -> None:
        """Return when nobody is needed any more."""
        held: socket.socket | None = None
        found = self._stand_in()
        if found is None:
            _say(f"nobody will stand in for {self._pid}: its configuration cannot be read")
        else:
            try:
                held = held_socket(found.host, found.port)
            except OSError as error:
                where = f"{found.host}:{found.port}"
                _say(f"nobody will stand in for {self._pid}: {where} cannot be held: {error}")
        self._watch(found)
        # The configuration may have been written anew since, the address never is.
        plan = self._stand_in() or found
        if plan is None or held is None or not self._is_needed(plan):
            return
        lock = os.open(self._config.parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # of several that died together, one is stood in for
        held.listen(1_024)
        self._stand(plan, held, lock)

    def _watch(self, plan: StandIn | None) -> None:
        """Return when it has died, killed by us when it hangs."""
        stillness, is_asked = Stillness(self._pid), plan is not None

        def may_end() -> bool:
            is_still = stillness.hangs(time.monotonic())
            return is_still and plan is not None and serves(plan.host, plan.port)

        touch_at = 0.0
        while not self._has_ended(ASK_EVERY_S):
            if time.monotonic() >= touch_at:
                keep_young(self._config)
                touch_at = time.monotonic() + TOUCH_EVERY_S
            means = ""
            if is_asked and plan is not None:
                who = who_answers(plan.admin, self._lifeline, may_end)
                means = self._suspicion.heard(who)
                is_asked = means != "replaced"
            if means == "hangs" or may_end():
                _say(f"{self._pid} hangs: killed")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)  # its own: the pipe has not ended
                self._has_ended(None)
                return

    def _has_ended(self, within_s: float | None) -> bool:
        """Wait for its death, for so long or for ever."""
        ready, _, _ = select.select([self._lifeline], [], [], within_s)
        return bool(ready) and not os.read(self._lifeline, 4_096)

    def _stand_in(self) -> StandIn | None:
        try:
            return stand_in(kept_config(self._config.read_text("utf-8")))
        except (OSError, UnicodeDecodeError):
            return None

    def _is_needed(self, plan: StandIn) -> bool:
        return not answers(plan.admin)

    def _stand(self, plan: StandIn, held: socket.socket, lock: int) -> None:
        """Stand in until somebody has taken over, and until the last connection has ended."""
        path = self._config.with_name(f"stand-in-{os.getpid()}.cfg")
        config, memory = handed(plan.text.format(fd=held.fileno()), path)
        command = [self._binary, "-db", "-f", config]
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, self._niceness)
        child = subprocess.Popen(command, pass_fds=(held.fileno(), *memory))  # noqa: S603 - Serve's own
        alone_since = time.monotonic()
        has_successor = False
        stillness = Stillness(child.pid)
        while True:
            if stillness.hangs(time.monotonic()) and (
                not has_successor or serves(plan.host, plan.port)
            ):
                _say(f"the stand-in {child.pid} hangs: killed")
                child.kill()
                child.wait()
            code = child.poll()
            if code is not None and (has_successor or code not in CRASHES):
                return
            if code is not None:
                child = subprocess.Popen(command, pass_fds=(held.fileno(), *memory))  # noqa: S603
                stillness = Stillness(child.pid)
            if not has_successor and answers(plan.admin):
                has_successor = True
                held.close()
                fcntl.flock(lock, fcntl.LOCK_UN)  # the next one may die while our last calls go on
                child.send_signal(signal.SIGUSR1)  # no new connections; those it has go on
            if has_successor or is_alive(self._manager):
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > NOBODY_COMES_S:
                child.terminate()
                held.close()
                child.wait()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(LOOK_EVERY_S)


def _say(what: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be there to read it
        sys.stderr.write(f"haproxy keeper: {what}\n")
        sys.stderr.flush()


def script(keeper: Path, python: str, binary: str) -> str:
    """A program that stands in the place of HAProxy's binary."""
    return f'#!/bin/sh\nexec "{python}" -I -S "{keeper}" "{binary}" "$@"\n'


def keep_young(config: Path) -> None:
    """Touch what HAProxy is started from: cleaners of temporary folders take what is old."""
    with contextlib.suppress(OSError):
        for path in (config.parent.parent / LAUNCHER, *config.parent.iterdir()):
            if path.is_file():
                os.utime(path)


def install(folder: Path, binary: str) -> Path:
    """Write that program into ``folder``; returns its path. Raises ``OSError``."""
    path = folder / LAUNCHER
    path.write_text(script(Path(__file__).resolve(), sys.executable, binary), "utf-8")
    path.chmod(0o700)
    return path


def main(arguments: Sequence[str]) -> None:
    """Become HAProxy, and leave a keeper behind when it is to serve."""
    binary, options = arguments[0], list(arguments[1:])
    config = options[options.index("-f") + 1] if "-f" in options[:-1] else ""
    if config and "-c" not in options:  # else it serves nobody
        # Serve lets nobody else have a socket at HAProxy's address; the keeper and the next one do.
        options = [option for option in options if option != "-dR"]
        pid, manager, niceness = os.getpid(), os.getppid(), os.nice(0)
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.close(writing)
            os.setsid()
            with contextlib.suppress(OSError):  # whoever may: every millisecond somebody is refused
                os.setpriority(os.PRIO_PROCESS, 0, _FIRST_SERVED)
            try:
                follows = not _TAKES_OVER.isdisjoint(options)
                keeper = Keeper(
                    binary, Path(config), pid, manager, reading, niceness, is_successor=follows
                )
                keeper.run()
            except Exception as error:  # noqa: BLE001 - HAProxy serves without it
                _say(f"gave up: {type(error).__name__}: {error}")
                os._exit(1)
            os._exit(0)
        os.close(reading)
        os.set_inheritable(writing, True)
        options[options.index("-f") + 1] = keep_config(Path(config))
    os.execv(binary, [binary, *options])  # noqa: S606 - Serve's own


if __name__ == "__main__":
    main(sys.argv[1:])
