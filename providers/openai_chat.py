"""Chat completions through the OpenAI SDK, at any address that speaks the protocol.

The SDK connects, signs, chooses the path and types the errors of a refused request. It neither
transforms what is asked nor parses what is answered: ``chat.completions.create`` checks each
message against its types, 6 ms of CPU before the first byte is sent once a call has 20 turns, where
``client.post`` takes the body as it is; and ``chat_stream`` reads the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import httpx2
import openai

from dialogue.ports import ThinkEvent, ThinkRequest
from providers.chat_stream import ChatStream
from providers.errors import ProviderError, ProviderUnavailable
from providers.openai_body import blame_of, check_config, model_of, request_body
from providers.openai_connection import BROKEN, SpareConnection, build_client, typed_errors
from providers.settings import OpenAIConfig

# The text is complete: how long the usage chunk and the end of the body may still take.
_TRAILER_S = 0.3


class OpenAIThinker:
    """A language model behind the chat completions protocol.

    Args:
        config: Where, as whom, and how long to wait.
        name: As agents name it.

    Raises:
        ProviderRefused: There is no key, and the address is one that needs a key.
        ProviderRejected: The address is no http or https URL.
    """

    def __init__(self, config: OpenAIConfig, name: str = "openai") -> None:
        self._config = config
        self._name = name
        check_config(config)
        self._blame = blame_of(config)
        self._client = build_client(config.endpoint, config.connect_timeout_s)
        self._spare = SpareConnection(
            self._client,
            model_of(config),
            self._blame,
            limit_s=config.connect_timeout_s + config.stall_timeout_s,
            every_s=config.keep_warm_s,
        )
        self._closed = False

    @property
    def name(self) -> str:
        """As agents name it: ``openai`` whichever address is used, unless they name a service."""
        return self._name

    async def warm(self) -> None:
        """Open a connection and keep one open from now on.

        Asks for the description of the model: small, free, and it proves the key. Servers that do
        not know the path are fine.

        Raises:
            ProviderError: No connection, or the key is refused.
        """
        await self._spare.touch()
        self._spare.keep()

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """Yield deltas and tool calls, then one ``ReplyDone``; see ``dialogue.ports.Thinker``."""
        if self._closed:
            raise ProviderUnavailable("closed", self._blame.provider)
        loop = asyncio.get_running_loop()
        config, stream = self._config, ChatStream(self._blame)
        deadline_s = loop.time() + config.first_token_timeout_s
        try:
            async with self._body(request, deadline_s, stream) as pieces:
                while not stream.done:
                    stall_s = loop.time() + config.stall_timeout_s
                    limit_s = stall_s if stream.pieces else deadline_s
                    for event in await self._read(pieces, stream, limit_s):
                        yield event
                    if stream.failure is not None:
                        raise stream.failure
        finally:
            self._spare.was_used()
            if not stream.done:
                self._spare.refill()

    async def aclose(self) -> None:
        """Close every connection; replies still running fail as unavailable."""
        self._closed = True
        await self._spare.aclose()
        await self._client.close()

    @contextlib.asynccontextmanager
    async def _body(
        self, request: ThinkRequest, deadline_s: float, stream: ChatStream
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send the request; the raw body of its answer, until the block ends.

        The connection goes back to the pool if ``stream`` is done by then, and is dropped if not.
        """
        with typed_errors(self._blame):
            async with asyncio.timeout_at(deadline_s):
                answer = await self._client.post(
                    "/chat/completions",
                    body=request_body(self._config, request),
                    options={"security": {"bearer_auth": True}},
                    cast_to=httpx2.Response,
                    stream=True,
                    stream_cls=openai.AsyncStream[object],
                )
        # The type is that of ``stream_cls``, the object is that of ``cast_to``.
        response = cast("httpx2.Response", answer)
        encoded = "content-encoding" in response.headers
        pieces = response.aiter_bytes() if encoded else response.aiter_raw()
        try:
            yield pieces
        finally:
            try:
                if stream.done:  # whoever waited for the reply has it: this makes nobody late
                    await _drain(pieces)
            finally:
                await response.aclose()

    async def _read(
        self, pieces: AsyncIterator[bytes], stream: ChatStream, limit_s: float
    ) -> list[ThinkEvent]:
        """Read until the model made progress. Comments and empty pieces do not extend the limit."""
        loop = asyncio.get_running_loop()
        before = stream.pieces
        while True:
            if stream.finished:
                limit_s = min(limit_s, loop.time() + _TRAILER_S)
            try:
                with typed_errors(self._blame):
                    async with asyncio.timeout_at(limit_s):
                        piece = await anext(pieces, None)
            except ProviderError:
                if not stream.finished:
                    raise
                self._spare.refill()
                return stream.end()
            events = stream.end() if piece is None else stream.feed(piece)
            if events or stream.failure is not None or stream.pieces != before:
                return events


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read to the end of the body, so that the connection can be used again; briefly."""
    with contextlib.suppress(TimeoutError, *BROKEN):
        async with asyncio.timeout(_TRAILER_S):
            async for _ in pieces:
                continue
