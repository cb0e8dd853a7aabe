"""Whether an ingress replica answers at its own port, asked without Ray.

The loop that answers there is the one that carries its calls.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

HEALTH_PATH: Final = "/-/healthz"  # of Ray Serve
_REQUEST: Final = f"GET {HEALTH_PATH} HTTP/1.0\r\n\r\n".encode()


LOOK_EVERY_S = 1.0
LOOKED_FOR_S = 60.0  # Ray Serve's Python proxy gives its replicas no port


class OwnAddress:
    """Where this replica answers HTTP, once it does.

    Args:
        host: Of this node, as other nodes reach it.
        ports: Where this process listens for that; blocks for some milliseconds.

    Attributes:
        text: ``HOST:PORT``; empty while it is not known.
    """

    def __init__(self, host: str, ports: Callable[[], Sequence[int]]) -> None:
        self._host = f"[{host}]" if ":" in host else host
        self._ports = ports
        self.text = ""

    async def find(self) -> None:
        """Return once it is known, or nobody will ever know."""
        for _ in range(round(LOOKED_FOR_S / LOOK_EVERY_S)):
            ports = await asyncio.to_thread(self._ports)
            if ports:
                self.text = f"{self._host}:{ports[0]}"
                return
            await asyncio.sleep(LOOK_EVERY_S)


async def answers_at(address: str, within_s: float) -> bool:
    """Whether somebody answers there in time, whatever the answer is. Never raises.

    Args:
        address: ``HOST:PORT``; an IPv6 host in brackets or not.
        within_s: To connect and to answer.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return False
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.write(_REQUEST)
            return bool(await reader.read(1))
    except (OSError, OverflowError, ValueError):  # a timeout is the first
        return False
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                writer.transport.abort()
