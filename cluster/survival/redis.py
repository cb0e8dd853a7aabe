"""A Redis of the run's own, in which Ray's GCS keeps its state."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.errors import DemoFailed
from cluster.ports import free_port

_ANSWERS_WITHIN_S = 10.0


def redis_binary() -> str:
    """Its path; empty when it is not installed."""
    return shutil.which("redis-server") or ""


@contextmanager
def running_redis(host: str) -> Iterator[str]:
    """A server for the length of a block: ``HOST:PORT``. It writes nothing to the disk.

    Args:
        host: An address of this machine.

    Raises:
        DemoFailed: It is not installed, or does not start.
    """
    binary = redis_binary()
    if not binary:
        raise DemoFailed("redis-server is not installed (Debian: apt install redis-server)")
    folder, port = Path(tempfile.mkdtemp(prefix="ccsurv-redis-")), free_port()
    options = {"--bind": host, "--port": port, "--dir": folder, "--save": "", "--appendonly": "no"}
    options |= {"--protected-mode": "no"}  # the network is this run's own
    command = [binary, *(str(each) for pair in options.items() for each in pair)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the system's Redis
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_for(process, host, port, folder / "log")
        yield f"{host}:{port}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + _ANSWERS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 1.0):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise DemoFailed(f"redis-server does not start: {log.read_text('utf-8').strip()}")
