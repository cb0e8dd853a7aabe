"""The front before several nodes: HAProxy with the configuration that ships, on plain TCP.

What is ours on the way of a call begins behind it; it stands where a user's load balancer does.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from cluster import serve_env
from cluster.errors import DemoFailed

SHIPPED: Final = Path(__file__).with_name("front-haproxy.cfg")
YOURS: Final = "# yours"
_END_WITHIN_S = 3.0
_START_WITHIN_S = 15.0  # milliseconds, but of a machine that is busy with calls
_LOOK_EVERY_S = 0.02


def front_binary() -> str:
    """Debian's HAProxy where it is installed, else the one that Ray Serve brings; may be empty."""
    return shutil.which("haproxy") or serve_env.haproxy_binary()


def front_config(shipped: str, port: int, nodes: Sequence[str]) -> str:
    """The shipped configuration with its marked lines replaced.

    Args:
        shipped: ``front-haproxy.cfg`` beside this file.
        port: On 127.0.0.1, without TLS.
        nodes: ``HOST:PORT`` of each.

    Raises:
        ValueError: It has not the lines that are to be replaced.
    """
    kept, binds, rows = list[str](), 0, set[str]()
    for line in shipped.splitlines():
        word = line.split()[0] if line.split() else ""
        if YOURS in line and word == "bind":
            kept.append(f"    bind 127.0.0.1:{port}")
            binds += 1
        elif YOURS in line and word == "maxconn":
            kept.append("    maxconn 1000")
        elif YOURS in line and word == "server":
            name, _, *options = line.partition("#")[0].split()[1:]
            row = name.rpartition("-")[0]
            if row not in rows:
                more = " ".join(options)
                kept += [f"    server {row}-{n} {each} {more}" for n, each in enumerate(nodes)]
            rows.add(row)
        else:
            kept.append(line)
    if binds != 1 or not rows:
        raise ValueError(f"a front has one bind line and servers marked {YOURS!r}")
    return "\n".join(kept) + "\n"


@asynccontextmanager
async def running_front(folder: Path, port: int, nodes: Sequence[str]) -> AsyncIterator[None]:
    """A front for the length of a block, which it begins once it takes connections.

    Raises:
        DemoFailed: It does not start.
    """
    binary = front_binary()
    if not binary:
        raise DemoFailed("no HAProxy for the front (Debian: apt install haproxy)")
    config, log = folder / "front.cfg", folder / "front.log"
    config.write_text(front_config(SHIPPED.read_text("utf-8"), port, nodes), "utf-8")
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            binary,
            "-db",
            "-f",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        if not await _listens(process, port):
            raise DemoFailed(f"the front does not start: {log.read_text('utf-8').strip()}")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END_WITHIN_S)
            except TimeoutError:
                process.kill()


async def _listens(process: asyncio.subprocess.Process, port: int) -> bool:
    """True once it takes connections; False when it has ended, or takes too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_WITHIN_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return process.returncode is None
                await asyncio.sleep(_LOOK_EVERY_S)
    return False
