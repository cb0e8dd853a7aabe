"""Where Ray keeps what its processes share: ``/dev/shm`` on Linux, half of the memory as a rule.

Where it has room and cannot be written, Ray's start said nothing for 45 s and took no SIGTERM.
Where it is small (a container has 64 MB unless it is told otherwise), Ray takes the disk of
temporary files instead.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from cluster.errors import ClusterError

FOLDER = Path("/dev/shm")  # noqa: S108 - Ray's, and the system's
STORE_BYTES = 200 * 1024 * 1024
ADVICE = "mount a tmpfs there that this user may write (Docker: --shm-size=256m)"


def free_bytes(folder: Path = FOLDER) -> int:
    """How much is free there. Raises ``OSError``."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def trouble(folder: Path = FOLDER) -> str:
    """Why Ray cannot start with it; empty when it can."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        if free_bytes(folder) < STORE_BYTES:
            return ""  # Ray does not use it
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"callcluster")
            file.flush()
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return ""


def require(folder: Path = FOLDER) -> None:
    """See that Ray can start with it.

    Raises:
        ClusterError: It cannot; says what to change.
    """
    if why := trouble(folder):
        raise ClusterError(f"{why}. Ray keeps there what its processes share: {ADVICE}")
