"""Sockets to services share one TLS context; it checks what the default one checks."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from providers import deepgram_wire, elevenlabs_socket, websocket
from providers.errors import ProviderUnavailable
from providers.tls import tls_options


def test_all_secure_addresses_have_the_same_context() -> None:
    context = tls_options("wss://one.example/listen")["ssl"]
    assert tls_options("WSS://two.example")["ssl"] is context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_plain_address_has_none() -> None:
    assert tls_options("ws://127.0.0.1:1/wss:") == {}


def test_a_connection_makes_no_context_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server hangs up at the handshake: how far a connection gets does not matter here."""
    made = []
    make = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(1)
        return make()

    tls_options("wss://warm.example")
    monkeypatch.setattr(ssl, "create_default_context", counted)

    async def scene() -> None:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ProviderUnavailable):
                await websocket.connect(url, {}, 5.0, deepgram_wire.PEER)
            with pytest.raises(ProviderUnavailable):
                await elevenlabs_socket.connect(url, "none", 5.0)

    asyncio.run(scene())
    assert made == []
