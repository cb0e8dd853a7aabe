"""Memory: enough of it, counted as Ray counts (a container has less than its machine), and shared.

At 95 % Ray ends processes of the product, whoever is on the phone there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from cluster import shared_memory
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, warn
from cluster.doctor.place import Place

CGROUP = Path("/sys/fs/cgroup")
LITTLE_BYTES = 2_000_000_000
"""The smallest product (one replica, two CallActors) takes some 1.5 GB."""
_FULL = 0.9  # Ray's memory monitor acts at 0.95
# Limit, use, and the part of the use that the system gives back: of both versions.
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


async def examine_memory(_place: Place) -> Findings:
    """See the top of this file."""
    return await in_thread(lambda: [memory_finding(*memory_bytes()), shared_finding()])


def memory_bytes(cgroup: Path = CGROUP) -> tuple[int, int]:
    """How much this process and all beside it may have, and how much of that is in use."""
    machine = psutil.virtual_memory()
    for limit_file, used_file, cached in _FILES:
        try:
            limit = int((cgroup / limit_file).read_text())  # "max" where there is none
            used = int((cgroup / used_file).read_text())
            stat = (cgroup / used_file).with_name("memory.stat").read_text()
        except (OSError, ValueError):
            continue
        if limit < machine.total:
            pairs = dict(line.split() for line in stat.splitlines() if len(line.split()) == 2)
            return limit, max(0, used - int(pairs.get(cached, 0)))
    return machine.total, machine.total - machine.available


def memory_finding(total_bytes: int, used_bytes: int) -> Finding:
    """Is there enough?"""
    said = f"{used_bytes / 1e9:.1f} of {total_bytes / 1e9:.1f} GB in use"
    consequence = "at 95 % Ray ends processes of the product, whoever is on the phone there"
    if used_bytes > _FULL * total_bytes:
        return warn("memory", said, consequence, "give it more, or carry fewer calls here")
    if total_bytes < LITTLE_BYTES:
        return warn("memory", said, consequence, f"give it {LITTLE_BYTES / 1e9:.0f} GB or more")
    return ok("memory", said)


def shared_finding(folder: Path = shared_memory.FOLDER) -> Finding:
    """Can Ray's processes share memory?"""
    subject = "shared memory"
    if not sys.platform.startswith("linux"):
        return ok(subject, "of the system")
    if why := shared_memory.trouble(folder):
        return fail(subject, why, "Ray does not start", shared_memory.ADVICE)
    free = shared_memory.free_bytes(folder)
    said = f"{folder}, {free / 1e6:.0f} MB free"
    if free < shared_memory.STORE_BYTES:
        return warn(
            subject,
            said,
            "Ray takes the disk of temporary files instead, which is slower",
            "more of it (Docker: --shm-size=256m), or remove what is left there",
        )
    return ok(subject, said)
