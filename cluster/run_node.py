"""One Ray node of a cluster, started with what Ray Serve reads at import, and looked after.

Who asks it to end has it drained first (``cluster.node_leave``), and it goes on being looked after
meanwhile; asked again, it ends at once. The head is not drained: nobody could take its place.

``ray start`` leaves its processes behind and looks after none of them. The two that matter:

Rules
1. Every process of the node is a descendant of this one: whoever loses its parent comes here
   (Linux). So another node of the same machine is never touched.
2. Without its raylet a node is none: everything else of it is ended, and the exit code says so.
   Whoever started this (systemd, a pod) starts it again.
3. A GCS that dies comes back with the command line and the environment that it had, once Redis
   keeps its state (RAY_REDIS_ADDRESS). Raylets and workers wait for it for a minute. Without
   Redis a new one would know nobody, so none is started; that is said when it is first seen.
4. A GCS that dies as the node ends (``ray stop`` ends the raylet first) is not started again.
5. One that hangs is killed (``cluster.gcs_pulse``), and comes back like one that has died.
6. One that dies soon after each start has ever longer pauses, and where to look is said: its Redis
   may be away, or somebody else have its port.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from cluster import last_address
from cluster.demo_guard import adopt_orphans
from cluster.errors import ClusterError
from cluster.gcs_pulse import GcsPulse, address_of
from cluster.node_leave import NodeLeave
from cluster.node_start import REDIS_SWITCH, prepare_node, require_redis
from cluster.ray_start import require_port, start_ray, welcome

LOOK_EVERY_S = 0.1
STEADY_S = 10.0  # a GCS that has lived for so long has started
PAUSES_S = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0)  # before each start in a row; the last one from then on
GRACE_S = 4.0
_GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
IN_MEMORY = (
    "the GCS of the head keeps its state in memory: when it dies, the cluster ends within a "
    f"minute, and all calls with it. Start the head with {REDIS_SWITCH} to keep it in Redis "
    "(docs/survival.md)"
)
_RAYLET, _GCS = "raylet", "gcs_server"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Command:
    """How a process was started.

    Attributes:
        arguments: Program and arguments.
        environment: All of it.
        cwd: Its folder.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str

    def start(self) -> int:
        """Start it once more; returns its process id. Raises ``OSError``."""
        return subprocess.Popen(  # noqa: S603 - what Ray itself has started
            self.arguments,
            env=dict(self.environment),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # it writes its own logs
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ).pid


def command_of(process: psutil.Process) -> Command | None:
    """How a living process was started; None when it is gone, or does not say it yet."""
    try:
        arguments = tuple(process.cmdline())
        return Command(arguments, process.environ(), process.cwd()) if arguments else None
    except psutil.Error:
        return None


class GcsKeeper:
    """Starts the GCS of a head again. See the top of this file.

    Args:
        find: The living process of this program; None when there is none.
        say: Told what happens.
        clock: Seconds.
    """

    def __init__(
        self,
        find: Callable[[str], psutil.Process | None],
        say: Say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._say = say
        self._clock = clock
        self._command: Command | None = None
        self._pid = 0
        self._pulse: GcsPulse | None = None
        self._started_at = -math.inf
        self._in_a_row = 0
        self.restarts = 0

    def look(self) -> None:
        """See whether it lives, and start it again when not."""
        process = self._find(_GCS)
        if process is not None:
            if process.pid != self._pid and (found := command_of(process)) is not None:
                self._command, self._pid = found, process.pid
                self._pulse = pulse_of(self._command)
                if not has_redis(found):
                    self._say(IN_MEMORY)
            if self._pulse is not None and self._pulse.hangs(now=self._clock()):
                self._say(f"the GCS (process {process.pid}) hangs: it is killed and started again")
                self._pulse.close()
                self._pulse = None
                with contextlib.suppress(psutil.Error):
                    process.kill()
            return
        command = self._command
        if command is None:
            return
        self._command = None  # a new one is known once it is seen
        if not has_redis(command):
            self._say(
                "the GCS has died, and what it knew with it: this cluster goes on for a minute at "
                f"most. {REDIS_SWITCH} before the start keeps it in Redis."
            )
            return
        self._command = command
        if not self._may_start():
            return
        try:
            pid = command.start()
        except OSError as error:
            if self._in_a_row <= len(PAUSES_S):
                self._say(f"the GCS has died and does not start: {error.strerror or error}")
            return
        self.restarts += 1
        self._pulse = pulse_of(command)
        self._say(f"the GCS (process {self._pid}) has died: started again as process {pid}")
        self._pid = pid

    def _may_start(self) -> bool:
        """Whether it is time for the next start."""
        now = self._clock()
        if now - self._started_at >= STEADY_S:
            self._in_a_row = 0
        pause_s = PAUSES_S[min(self._in_a_row, len(PAUSES_S) - 1)]
        if now - self._started_at < pause_s:
            return False
        self._started_at, self._in_a_row = now, self._in_a_row + 1
        if self._in_a_row == len(PAUSES_S):
            self._say(
                f"the GCS has died {self._in_a_row} times in a row: is its Redis ({REDIS_SWITCH}) "
                "there, and its port free? What it says stands in gcs_server.out, gcs_server.err "
                "of Ray's folder session_latest/logs."
            )
        return True


def pulse_of(command: Command | None) -> GcsPulse | None:
    """Watches a GCS that can be started again; None for any other."""
    if command is None or not has_redis(command):
        return None
    where = address_of(command.arguments)
    return None if where is None else GcsPulse(*where)


def has_redis(command: Command) -> bool:
    """Whether this GCS keeps its state in Redis."""
    return any(argument.startswith("--redis_address=") for argument in command.arguments)


def say_in_memory(nodes: int, gcs: Command | None, say: Say) -> None:
    """Say it where a cluster of several nodes rests on the memory of one process.

    Args:
        nodes: That live.
        gcs: How the GCS of this machine was started; None when it runs on another one.
        say: Told so.
    """
    if nodes > 1 and gcs is not None and not has_redis(gcs):
        say(f"{nodes} nodes: {IN_MEMORY}")


def gcs_here() -> Command | None:
    """How the GCS of this machine was started; None when there is none that we may look at."""
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == _GCS and (command := command_of(process)) is not None:
            return command
    return None


class Node:
    """The Ray processes below this one.

    Args:
        arguments: Of ``ray start``.
        say: Told what happens.
        drain_s: How long calls have to leave it when it is asked to end.
    """

    def __init__(self, arguments: Sequence[str], say: Say, drain_s: float = 0.0) -> None:
        self._arguments = tuple(arguments)
        self._say = say
        self._drain_s = drain_s
        self._is_head = "--head" in self._arguments
        self._known: dict[str, psutil.Process] = {}
        self._trouble = ""
        self.stopping = threading.Event()
        self.at_once = threading.Event()

    def signalled(self) -> None:
        """It is to end: the first time after its drain, the second time now."""
        (self.at_once if self.stopping.is_set() else self.stopping).set()

    def run(self) -> int:
        """Start it and stay until it ends: 0 when it was asked to, 1 when its raylet is gone."""
        adopt_orphans()
        try:
            self._start()
            keeper = GcsKeeper(self.find, self._say)
            while not self.stopping.wait(LOOK_EVERY_S):
                _reap()
                if self.has_ended(keeper):
                    self._say("the raylet of this node has ended: so does the node")
                    return 1
            self._leave(keeper)
            return 0
        finally:
            self.end()
            last_address.forget_ended(last_address.ray_folder(self._arguments, os.environ))

    def _start(self) -> None:
        start_ray(self._arguments, self.stopping, self._say)
        if (raylet := self.find(_RAYLET)) is not None:
            command = command_of(raylet)
            is_head = self.find(_GCS) is not None
            self._say(welcome(command.arguments if command else (), is_head=is_head))

    def _leave(self, keeper: GcsKeeper) -> None:
        """Drain it, as long as it may take."""
        raylet = self.find(_RAYLET)
        if not self._drain_s or raylet is None or self.find(_GCS) is not None:
            return
        command = command_of(raylet)
        with NodeLeave.begin(command.arguments if command else (), self._drain_s) as leave:
            while not self.at_once.wait(LOOK_EVERY_S) and not leave.is_over():
                if self.has_ended(keeper):  # it has nothing to do any more, and knew it
                    return
            if self.at_once.is_set():
                self._say("ending at once: what is left is cut")

    def has_ended(self, keeper: GcsKeeper) -> bool:
        """Look after it: whether its raylet is gone.

        Who cannot look (no descriptor is left in the whole system) has not seen that it is gone.
        """
        try:
            if self.find(_RAYLET) is None:
                return True
            if self._is_head:  # who has no GCS would look for it among all processes each time
                keeper.look()
        except (OSError, psutil.Error) as error:
            if self._trouble != (trouble := str(error)):
                self._say(f"the processes of this node cannot be looked at: {trouble}")
            self._trouble = trouble
        else:
            self._trouble = ""
        return False

    def find(self, name: str) -> psutil.Process | None:
        """The living process of this program below us; None when there is none."""
        known = self._known.get(name)
        if known is not None and _lives(known):  # to look at all processes takes milliseconds
            return known
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.name() == name and _lives(process):
                    self._known[name] = process
                    return process
        return None

    def end(self) -> None:
        """End all of it, the raylet first: in order, and what does not, at once."""
        if raylet := self.find(_RAYLET):
            with contextlib.suppress(psutil.Error):
                raylet.terminate()
            with contextlib.suppress(psutil.Error):
                raylet.wait(GRACE_S)
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            _reap()
            left = psutil.Process().children(recursive=True)
            if not left:
                return
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=0.2)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() not in _GONE
    except psutil.Error:
        return False


def _reap() -> None:
    """Take the exit codes of whoever came to us."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def run_node(arguments: Sequence[str], *, port: int, say: Say, drain_s: float = 0.0) -> int:
    """``callcluster node``: returns its exit code.

    Args:
        arguments: Of ``ray start``.
        port: Where HAProxy is to listen.
        say: Told what happens.
        drain_s: How long calls have to leave it at the first signal.

    Raises:
        ClusterError: It does not start, or ``arguments`` cannot be.
    """
    if "--block" in arguments:
        raise ClusterError("callcluster node stays by itself: leave --block out")
    if any(argument in ("start", "stop") for argument in arguments[:1]):
        raise ClusterError("give the arguments of 'ray start' only, such as --head --port=6379")
    require_port(arguments)
    require_redis(arguments, os.environ)
    prepare_node(port, say)
    node = Node(arguments, say, drain_s)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: node.signalled())
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # the terminal is closed
        signal.signal(signal.SIGHUP, lambda *_: node.stopping.set())  # it comes twice
    return node.run()
