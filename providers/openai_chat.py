"""Chat completions through the OpenAI SDK, at any address that speaks the protocol.

The SDK connects, signs, chooses the path and types the errors of a refused request. It neither
transforms what is asked nor parses what is answered: ``chat.completions.create`` checks each
message against its types, 6 ms of CPU before the first byte is sent once a call has 20 turns, where
``client.post`` takes the body as it is; and ``chat_stream`` reads the answer.

Closing a reply early drops its HTTP/1.1 connection (that is the cancellation), so a new spare one
is opened in the background at once, and an unused one is kept alive: no turn pays for TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import anyio
import httpx2
import openai

from dialogue.ports import ThinkEvent, ThinkRequest
from providers.chat_stream import ChatStream
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.http_status import error_of_status, retry_after_s
from providers.openai_body import blame_of, check_config, model_of, request_body
from providers.settings import OpenAIConfig

_log = logging.getLogger(__name__)

# Idle connections stay usable this long; the transport sees by itself when the server closed one.
_KEEP_ALIVE_S = 240.0
# The text is complete: how long the usage chunk and the end of the body may still take.
_TRAILER_S = 0.3
# What a broken stream raises: the transport lets some errors of TLS and of its sockets through.
_BROKEN = (httpx2.HTTPError, OSError, anyio.EndOfStream, anyio.ClosedResourceError)


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
        self._model = model_of(config)
        self._blame = blame_of(config)
        self._client = _build_client(config)
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._refilling = False
        self._closed = False
        self._used_at_s = 0.0

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
        await self._touch()
        if self._keeper is None and self._config.keep_warm_s > 0:
            self._keeper = asyncio.create_task(self._keep_warm())

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
            self._used_at_s = loop.time()
            if not stream.done:
                self._refill()

    async def aclose(self) -> None:
        """Close every connection; replies still running fail as unavailable."""
        self._closed = True
        keeper, self._keeper = self._keeper, None
        tasks = [*self._tasks, keeper] if keeper else [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    @contextlib.asynccontextmanager
    async def _body(
        self, request: ThinkRequest, deadline_s: float, stream: ChatStream
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send the request; the raw body of its answer, until the block ends.

        The connection goes back to the pool if ``stream`` is done by then, and is dropped if not.
        """
        with self._typed_errors():
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
                with self._typed_errors():
                    async with asyncio.timeout_at(limit_s):
                        piece = await anext(pieces, None)
            except ProviderError:
                if not stream.finished:
                    raise
                self._refill()
                return stream.end()
            events = stream.end() if piece is None else stream.feed(piece)
            if events or stream.failure is not None or stream.pieces != before:
                return events

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        provider = self._blame.provider
        try:
            yield
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            raise ProviderTimeout("no answer in time", provider) from None
        except openai.APIStatusError as error:
            raise self._of_status(error) from None
        except openai.APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            raise ProviderUnavailable(
                f"no connection ({cause})", provider, self._blame.address
            ) from None
        except _BROKEN as error:
            raise ProviderUnavailable(
                f"the stream broke ({type(error).__name__})", provider
            ) from None
        except openai.OpenAIError as error:
            raise ProviderProtocolError(type(error).__name__, provider) from None

    def _of_status(self, error: openai.APIStatusError) -> ProviderError:
        return error_of_status(
            error.status_code,
            self._blame,
            code=error.code or error.type,
            request_id=error.request_id or "",
            retry_after=retry_after_s(error.response.headers),
        )

    async def _touch(self) -> None:
        """Use a connection for something cheap, so that an open one lies in the pool."""
        limit_s = self._config.connect_timeout_s + self._config.stall_timeout_s
        try:
            with self._typed_errors():
                async with asyncio.timeout(limit_s):
                    await self._client.models.with_raw_response.retrieve(self._model)
        except ProviderRejected as error:
            _log.debug("no model description at this address: %s", error)
        self._used_at_s = asyncio.get_running_loop().time()

    def _refill(self) -> None:
        """A connection was dropped: open another one, in the background."""
        if self._keeper is None or self._refilling:
            return
        self._refilling = True
        task = asyncio.get_running_loop().create_task(self._touch_quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _touch_quietly(self) -> None:
        try:
            await self._touch()
        except ProviderError as error:
            # Nobody waits for this connection; the next reply meets the same error and reports it.
            _log.info("no spare connection: %s", error)
        finally:
            self._refilling = False

    async def _keep_warm(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            idle_s = loop.time() - self._used_at_s
            if idle_s < self._config.keep_warm_s:
                await asyncio.sleep(self._config.keep_warm_s - idle_s)
                continue
            await self._touch_quietly()
            self._used_at_s = loop.time()


def _build_client(config: OpenAIConfig) -> openai.AsyncOpenAI:
    http_client = openai.DefaultAsyncHttpxClient(
        limits=httpx2.Limits(
            max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_KEEP_ALIVE_S
        )
    )
    endpoint = config.endpoint
    query = dict(endpoint.default_query)
    # Reading is timed by the reply itself: the limit for a first token is not the one for a stall.
    common: dict[str, Any] = {
        "base_url": endpoint.base_url,
        "api_key": endpoint.api_key or "none",
        "max_retries": 0,
        "timeout": httpx2.Timeout(None, connect=config.connect_timeout_s),
        "http_client": http_client,
        # Compressing single events only delays them.
        "default_headers": {"Accept-Encoding": "identity", **dict(endpoint.default_headers)},
        "default_query": query,
    }
    if endpoint.kind == "azure" and "api-version" in query:  # its newer route is OpenAI's own
        return openai.AsyncAzureOpenAI(api_version=query["api-version"], **common)
    return openai.AsyncOpenAI(**common)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read to the end of the body, so that the connection can be used again; briefly."""
    with contextlib.suppress(TimeoutError, *_BROKEN):
        async with asyncio.timeout(_TRAILER_S):
            async for _ in pieces:
                continue
