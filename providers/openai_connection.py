"""What all clients of OpenAI's protocol share: the SDK's client, typed errors, a spare connection.

Closing an answer early drops its HTTP/1.1 connection (that is the cancellation), so a new spare one
is opened in the background at once, and an unused one is kept alive: no turn pays for TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import anyio
import httpx2
import openai

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, retry_after_s
from providers.settings import ChatEndpoint

_log = logging.getLogger(__name__)

# Idle connections stay usable this long; the transport sees by itself when the server closed one.
_KEEP_ALIVE_S = 240.0

BROKEN: Final = (httpx2.HTTPError, OSError, anyio.EndOfStream, anyio.ClosedResourceError)
"""What a broken stream raises: the transport lets some errors of TLS and its sockets through."""


def build_client(endpoint: ChatEndpoint, connect_timeout_s: float) -> openai.AsyncOpenAI:
    """The SDK's client of an endpoint: no retries, no limit for reading, whoever reads has one."""
    http_client = openai.DefaultAsyncHttpxClient(
        limits=httpx2.Limits(
            max_connections=1000, max_keepalive_connections=100, keepalive_expiry=_KEEP_ALIVE_S
        )
    )
    query = dict(endpoint.default_query)
    common: dict[str, Any] = {
        "base_url": endpoint.base_url,
        "api_key": endpoint.api_key or "none",
        "max_retries": 0,
        "timeout": httpx2.Timeout(None, connect=connect_timeout_s),
        "http_client": http_client,
        # Compressing single events only delays them.
        "default_headers": {"Accept-Encoding": "identity", **dict(endpoint.default_headers)},
        "default_query": query,
    }
    if endpoint.kind == "azure" and "api-version" in query:  # its newer route is OpenAI's own
        return openai.AsyncAzureOpenAI(api_version=query["api-version"], **common)
    return openai.AsyncOpenAI(**common)


@contextlib.contextmanager
def typed_errors(
    blame: Blame, choose: Callable[[int, str, str], Blame] | None = None
) -> Iterator[None]:
    """Turns what the SDK and its transport raise into ``ProviderError``.

    Args:
        blame: Settings to name.
        choose: From the status, the code and the parameter of a refusal to the settings it is
            about, where that is not ``blame``.
    """
    provider = blame.provider
    try:
        yield
    except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
        raise ProviderTimeout("no answer in time", provider) from None
    except openai.APIStatusError as error:
        if choose is not None:
            code, param = (str(part or "") for part in (error.code, error.param))
            blame = choose(error.status_code, code, param)
        raise error_of_status(
            error.status_code,
            blame,
            code=error.code or error.type,
            request_id=error.request_id or "",
            retry_after=retry_after_s(error.response.headers),
        ) from None
    except openai.APIConnectionError as error:
        cause = type(error.__cause__ or error).__name__
        raise ProviderUnavailable(f"no connection ({cause})", provider, blame.address) from None
    except BROKEN as error:
        raise ProviderUnavailable(f"the stream broke ({type(error).__name__})", provider) from None
    except openai.OpenAIError as error:
        raise ProviderProtocolError(type(error).__name__, provider) from None


class SpareConnection:
    """An open connection in the client's pool, whatever becomes of the others.

    Args:
        client: Whose pool.
        model: Its description is asked for: small, free, and it proves the key.
        blame: Settings to name.
        limit_s: For one such question.
        every_s: A connection is used at least this often once ``keep`` was called; 0 for never.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        model: str,
        blame: Blame,
        *,
        limit_s: float,
        every_s: float,
    ) -> None:
        self._client = client
        self._model = model
        self._blame = blame
        self._limit_s = limit_s
        self._every_s = every_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._refilling = False
        self._used_at_s = 0.0

    @property
    def is_refilling(self) -> bool:
        """A connection is being opened in the place of one that was dropped."""
        return self._refilling

    async def touch(self) -> None:
        """Use a connection for something cheap, so that an open one lies in the pool.

        Raises:
            ProviderError: No connection, or the key is refused. Servers that do not know the path
                are fine.
        """
        try:
            with typed_errors(self._blame):
                async with asyncio.timeout(self._limit_s):
                    await self._client.models.with_raw_response.retrieve(self._model)
        except ProviderRejected as error:
            _log.debug("no model description at this address: %s", error)
        self.was_used()

    def keep(self) -> None:
        """Have one from now on."""
        if self._keeper is None and self._every_s > 0:
            self._keeper = asyncio.create_task(self._keep_warm())

    def was_used(self) -> None:
        """One was just used for something else."""
        self._used_at_s = asyncio.get_running_loop().time()

    def refill(self) -> None:
        """A connection was dropped: open another one, in the background."""
        if self._keeper is None or self._refilling:
            return
        self._refilling = True
        task = asyncio.get_running_loop().create_task(self._touch_quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop keeping it; the client is closed by its owner."""
        keeper, self._keeper = self._keeper, None
        tasks = [*self._tasks, keeper] if keeper else [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _touch_quietly(self) -> None:
        try:
            await self.touch()
        except ProviderError as error:
            # Nobody waits for this connection; the next request meets the same error, reports it.
            _log.info("no spare connection: %s", error)
        finally:
            self._refilling = False

    async def _keep_warm(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            idle_s = loop.time() - self._used_at_s
            if idle_s < self._every_s:
                await asyncio.sleep(self._every_s - idle_s)
                continue
            await self._touch_quietly()
            self.was_used()
