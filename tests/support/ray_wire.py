"""A carrier's line by hand, for what no carrier does: replayed, expired and foreign tokens."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from random import Random
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from records.ids import uuid7
from simulation.carrier_messages import CONNECTED, MessageWriter
from simulation.carrier_signature import PublicAddress, sign
from simulation.carrier_webhooks import CallIdentity, Webhooks, call_form, new_sid
from telephony import stream_token
from telephony.stream_token import StreamClaims, TokenKind
from tests.support.ray_stage import AUTH_TOKEN, Stage

WITHIN_S = 10.0
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_ACTION = re.compile(r'<Connect action="[^"]*(/twilio/resume[^"#]*)')


def token_of(twiml: str) -> str:
    """The stream token of an answer that lets a call in."""
    found = _TOKEN.search(twiml)
    assert found is not None, twiml
    return unescape(found.group(1))


def action_of(twiml: str) -> str:
    """Path and query of what the carrier asks when the stream of such an answer is over."""
    found = _ACTION.search(twiml)
    assert found is not None, twiml
    return unescape(found.group(1))


class HandStream:
    """One media stream.

    Attributes:
        audible: Whether any audio came.
    """

    def __init__(self, socket: ClientConnection, writer: MessageWriter) -> None:
        self._socket = socket
        self._writer = writer
        self.audible = False

    async def message(self) -> dict[str, Any] | None:
        """The next message; None once the server has closed."""
        try:
            text = await asyncio.wait_for(self._socket.recv(), WITHIN_S)
        except ConnectionClosed:
            return None
        found: dict[str, Any] = json.loads(text)
        self.audible = self.audible or found["event"] == "media"
        return found

    async def stop(self) -> None:
        """The caller has hung up."""
        await self._socket.send(self._writer.stop())

    async def close_code(self) -> int | None:
        """Wait for the close and return its code."""
        while await self.message() is not None:
            pass
        return self._socket.close_code


class Line:
    """Signed webhooks and sockets to the stage; use as an asynchronous context.

    Args:
        stage: Whose.
        port: Of one ingress replica, past HAProxy; None for HAProxy.
        number: Which is called.
    """

    def __init__(self, stage: Stage, port: int | None = None, number: str = "+14155550199") -> None:
        self._stage = stage
        self._port = port or stage.premises.port
        self._number = number
        self._http = httpx.AsyncClient(trust_env=False)
        self._random = Random(time.time_ns())
        address = PublicAddress(f"http://127.0.0.1:{self._port}", stage.premises.url)
        self._webhooks = Webhooks(self._http, address, AUTH_TOKEN, self._random)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def post(self, path: str, call_sid: str, status: str) -> str:
        """A signed webhook; returns the TwiML."""
        identity = CallIdentity("AC" + "0" * 32, call_sid, "+14155550100", self._number)
        form = call_form(identity, status, self._random)
        answer = await self._webhooks.fetch(self._stage.premises.url + path, form)
        return answer.body.decode()

    async def ring(self) -> tuple[str, str]:
        """A new call: its sid and the TwiML."""
        call_sid = new_sid("CA", self._random)
        return call_sid, await self.post("/twilio/voice", call_sid, "ringing")

    async def admitted(self) -> tuple[str, str]:
        """A new call: its sid and its stream token."""
        call_sid, twiml = await self.ring()
        return call_sid, token_of(twiml)

    async def resume(self, call_sid: str, *, actor: str, resume: int) -> str:
        """The ``action`` request of a call; returns the TwiML."""
        token = self.mint("action", call_sid, actor=actor, resume=resume)
        return await self.post(f"/twilio/resume?s={token}", call_sid, "in-progress")

    def mint(
        self,
        kind: TokenKind,
        call_sid: str,
        *,
        actor: str,
        resume: int = 0,
        life_us: int = 60_000_000,
    ) -> str:
        """A token signed as the product signs."""
        rows = self._stage.rows("select call_id from calls where call_sid = ?", call_sid)
        now_us = time.time_ns() // 1_000
        claims = StreamClaims(
            kind=kind,
            tenant_id="default",
            agent_id="reception",
            call_id=rows[0][0] if rows else uuid7(now_us, self._random.randbytes(10)),
            call_sid=call_sid,
            actor=actor,
            resume=resume,
            minted_us=now_us - 100_000_000,
            expires_us=now_us + life_us,
            token_id=stream_token.new_token_id(),
        )
        return stream_token.mint(claims, self._stage.settings.signing_secret())

    @asynccontextmanager
    async def stream(self, call_sid: str, token: str) -> AsyncIterator[HandStream]:
        """Open a media stream and send ``connected`` and ``start``."""
        public = f"ws://127.0.0.1:{self._stage.premises.port}/twilio/media"
        headers = {"x-twilio-signature": sign(public, (), AUTH_TOKEN)}
        url = f"ws://127.0.0.1:{self._port}/twilio/media"
        writer = MessageWriter("AC" + "0" * 32, call_sid, new_sid("MZ", self._random), 100)
        async with connect(url, additional_headers=headers, proxy=None) as socket:
            await socket.send(CONNECTED)
            await socket.send(writer.start({"token": token}))
            yield HandStream(socket, writer)
