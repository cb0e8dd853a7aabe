"""The disk of temporary files: Ray's sessions, sockets and logs, HAProxy's configuration."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from cluster.doctor.check_store import TOO_LITTLE_BYTES, write_something
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, warn
from cluster.doctor.place import Place

RAYS_FOLDER = "RAY_TMPDIR"
_RAY_STOPS_AT = 0.95  # of the disk: RAY_local_fs_capacity_threshold
_SUBJECT = "temporary files"


async def examine_temporary(place: Place) -> Findings:
    """Can they be written, and is there room?"""
    folder = Path(place.environment.get(RAYS_FOLDER) or tempfile.gettempdir())
    return [await in_thread(lambda: _examined(folder))]


def _examined(folder: Path) -> Finding:
    try:
        usage = shutil.disk_usage(folder)
        write_something(folder)
    except OSError as error:
        why = f"{folder} cannot be written: {error.strerror or error}"
        return fail(_SUBJECT, why, "Ray does not start", f"{RAYS_FOLDER} names another place")
    return room_finding(folder, usage.total, usage.free)


def room_finding(folder: Path, total_bytes: int, free_bytes: int) -> Finding:
    """Is there room for what Ray writes?"""
    said = f"{folder}, {free_bytes / 1e9:.1f} GB free"
    advice = f"free some space, or set {RAYS_FOLDER} to another disk before 'ray start'"
    if free_bytes < TOO_LITTLE_BYTES:
        return fail(_SUBJECT, said, "Ray does not start, or its processes end", advice)
    if free_bytes < (1 - _RAY_STOPS_AT) * total_bytes:
        full = f"{said}, {100 * (1 - free_bytes / total_bytes):.0f} % full"
        return warn(_SUBJECT, full, "Ray puts no large objects on such a disk", advice)
    return ok(_SUBJECT, said)
