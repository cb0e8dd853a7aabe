"""The carrier is not on this machine: what it asks takes a while to arrive.

A carrier next door would ask what now before the kernel has given away the port of a process that
was killed; no carrier is that near.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import httpx

from simulation.carrier_line import LineSocket, SocketAddress, SocketEars
from simulation.carrier_socket import open_socket

ONE_WAY_S: Final = 0.02


class FarTransport(httpx.AsyncHTTPTransport):
    """Carries webhooks, each attempt as late as the way is long."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        await asyncio.sleep(ONE_WAY_S)
        return await super().handle_async_request(request)


async def open_far_socket(
    address: SocketAddress, auth_token: str, ears: SocketEars, tls: ssl.SSLContext | None = None
) -> LineSocket:
    """``open_socket`` from as far."""
    await asyncio.sleep(ONE_WAY_S)
    return await open_socket(address, auth_token, ears, tls)
