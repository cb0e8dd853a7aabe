"""CPU time and memory of every process of a run, by what it does.

CPU is the difference of each process's own counters between two instants, so that start-up and
ramp do not count. Memory is PSS: pages that several processes share are counted once in all.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil

HAPROXY = "haproxy"
INGRESS = "ingress"
CALL_ACTORS = "call_actors"
DIRECTORY = "directory"
RAY = "ray"
EMULATORS = "emulators"
CALLERS = "callers"
SERVER = (HAPROXY, INGRESS, CALL_ACTORS, DIRECTORY, RAY)
GROUPS = (*SERVER, EMULATORS, CALLERS)
_GUARDS = ("cluster.demo_guard",)
_CALLERS = ("main() load", "benchmarks.listeners", "benchmarks.relay_callers")
_TITLES = (
    ("ray::ServeReplica:", INGRESS),
    ("ray::CallActor", CALL_ACTORS),
    ("ray::CallDirectoryActor", DIRECTORY),
)


@dataclass(frozen=True, slots=True)
class ProcessCost:
    """One process at one instant.

    Attributes:
        group: One of ``GROUPS``.
        cpu_s: User and system time since it began.
        threads_s: Of it by thread id, for the ingress; empty for others.
    """

    group: str
    title: str
    cpu_s: float
    threads_s: dict[int, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All processes below this one; keys are process id and creation time."""

    at_s: float
    processes: dict[tuple[int, float], ProcessCost]


def group_of(name: str, command: list[str]) -> str | None:
    """What a process of a run does, by name and command line; None for the benchmark's own."""
    line = " ".join(command)
    if any(guard in line for guard in _GUARDS):
        return None
    if name == "haproxy":
        return HAPROXY
    for title, group in _TITLES:
        if line.startswith(title):
            return group
    if "simulate providers" in line:
        return EMULATORS
    if any(callers in line for callers in _CALLERS):
        return CALLERS
    return RAY


def take_snapshot() -> Snapshot:
    """CPU counters of all descendants of this process, now."""
    found = {}
    at_s = time.monotonic()
    for process in psutil.Process().children(recursive=True):
        try:
            with process.oneshot():
                command = process.cmdline()
                group = group_of(process.name(), command)
                if group is None:
                    continue
                times = process.cpu_times()
                threads = process.threads() if group == INGRESS else []
        except psutil.Error:
            continue  # ended while we looked: its share until now is lost, which is small
        found[process.pid, process.create_time()] = ProcessCost(
            group,
            (command[0] if command else process.name()).split("/")[-1][:60],
            times.user + times.system,
            {thread.id: thread.user_time + thread.system_time for thread in threads},
        )
    return Snapshot(at_s, found)


@dataclass(frozen=True, slots=True)
class CpuUse:
    """CPU between two snapshots.

    Attributes:
        wall_s: Between them.
        by_group: Seconds of CPU by group.
        ingress_loop_s: Of the ingress, in the busiest thread of each replica, which is its event
            loop; the rest is the recognisers' and Ray's.
        by_title: Seconds of CPU of the processes of the ``ray`` group, by title.
    """

    wall_s: float
    by_group: dict[str, float]
    ingress_loop_s: float
    by_title: dict[str, float] = field(default_factory=dict)

    @property
    def server_s(self) -> float:
        """All of the product: everything but emulators and callers."""
        return sum(self.by_group[name] for name in SERVER)


def cpu_between(before: Snapshot, after: Snapshot) -> CpuUse:
    """What each group used; a process that began in between counts from its beginning."""
    groups = dict.fromkeys(GROUPS, 0.0)
    titles: dict[str, float] = defaultdict(float)
    loop_s = 0.0
    for key, now in after.processes.items():
        then = before.processes.get(key)
        used_s = now.cpu_s - (then.cpu_s if then else 0.0)
        groups[now.group] += used_s
        if now.group == INGRESS:
            loop_s += _busiest_thread_s(then, now)
        if now.group == RAY:
            titles[now.title] += used_s
    return CpuUse(after.at_s - before.at_s, groups, loop_s, dict(titles))


def _busiest_thread_s(then: ProcessCost | None, now: ProcessCost) -> float:
    before = then.threads_s if then else {}
    return max((s - before.get(id_, 0.0) for id_, s in now.threads_s.items()), default=0.0)


def memory_mb() -> dict[str, float]:
    """PSS by group, in MB of 1,000,000 bytes (RSS where the system does not tell PSS)."""
    groups = dict.fromkeys(GROUPS, 0.0)
    for process in psutil.Process().children(recursive=True):
        try:
            group = group_of(process.name(), process.cmdline())
            if group is not None:
                memory = process.memory_full_info()
                groups[group] += getattr(memory, "pss", memory.rss) / 1e6
        except psutil.Error:
            continue
    return groups


def usual_memory_mb(looks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of several looks at the same calls the median of each group: moments do not count."""
    return {name: median(look[name] for look in looks) for name in looks[0]}


def server_part(by_group: dict[str, float]) -> float:
    """The product's share of a figure by group."""
    return sum(by_group[name] for name in SERVER)


def pids_of(groups: Iterable[str]) -> list[int]:
    """Process ids of a run by group, for a profiler."""
    wanted = set(groups)
    return [
        pid for (pid, _), process in take_snapshot().processes.items() if process.group in wanted
    ]
