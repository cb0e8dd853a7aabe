"""``callcluster node`` in the background, until Ray runs there or it has said why not."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cluster.errors import ClusterError
from cluster.ray_start import RUNS
from cluster.run_serve import ERROR_LINE

LOOK_EVERY_S = 0.1
LAST_LINES = 8
END_WITHIN_S = 15.0
START_WITHIN_S = 180.0  # Ray itself gives a head up that is not there after some 100 s


def detach(arguments: Sequence[str], log: Path, within_s: float = START_WITHIN_S) -> int:
    """Run ``callcluster node`` in the background; returns once Ray has started there.

    Args:
        arguments: Of ``callcluster node``, without the option that asks for this.
        log: What it says is added there.
        within_s: How long Ray may take.

    Returns:
        Its process id.

    Raises:
        ClusterError: It ended, or took too long and was ended; says what its log says.
    """
    code = "from cluster.cli import main; main()"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        begin = file.tell()
        process = subprocess.Popen(  # noqa: S603 - ourselves
            (sys.executable, "-c", code, "node", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        said = log.read_bytes()[begin:].decode(errors="replace")
        if RUNS in said:
            return process.pid
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_EVERY_S)
            break
    else:  # or it would be a node of the cluster a moment after we have said that it is none
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_WITHIN_S)
        raise ClusterError(
            f"the node had not started after {within_s:.0f} s, and was ended (what it said: {log})"
        )
    said = log.read_bytes()[begin:].decode(errors="replace")
    raise ClusterError(f"the node did not start: {why_not(said)} (all of it: {log})")


def why_not(said: str) -> str:
    """The error in what a node has said, else the end of that."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if ERROR_LINE.match(line)]
    return "\n".join(errors[-1:] or lines[-LAST_LINES:])
