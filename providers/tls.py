"""How this process trusts the websockets of services: one TLS context for all of them.

A default context reads the certificates of the machine: some 140 of them, 10 ms and more on the
event loop and 800 kB, which a connection without a context of its own would take each time.
"""

from __future__ import annotations

import functools
import ssl
from typing import TypedDict


class TlsOptions(TypedDict, total=False):
    """Of ``websockets.asyncio.client.connect``."""

    ssl: ssl.SSLContext


def tls_options(url: str) -> TlsOptions:
    """The context for a ``wss`` address; nothing for a plain one, which takes no such option."""
    return {"ssl": _context()} if url[:4].lower() == "wss:" else {}


@functools.cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
