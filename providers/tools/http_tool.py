"""A tool that is an HTTP request.

Rules
1. The host is the agent's file's: arguments fill the path, the query and the body, each in the form
   that it has there, and nothing else. A part of the path that they would leave empty, or make
   ``.`` or ``..``, would ask another address: nothing is sent then. Redirects are not followed:
   they would take the secrets along.
2. An attempt follows another only where that one cannot have been carried out (no connection), or
   where the request may be repeated. All attempts at one use carry the same key.
3. Of an answer no more than ``max_bytes`` is read; a compressed one is refused unread. Its cookies
   are not kept.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote

import httpx

from providers.tools.answer import done, failed, read
from providers.tools.bindings import (
    LONGEST_RETRY_WAIT_S,
    RETRY_WAIT_S,
    HttpBinding,
)
from providers.tools.errors import ToolFailed, ToolTimeout
from providers.tools.secrets import with_secrets

PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
REPEATABLE_METHODS: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
CONNECT_TIMEOUT_S = 3.0
_MOST_CONNECTIONS = 50
_OTHER_ADDRESSES: Final = frozenset({"", ".", ".."})
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpTools:
    """Sends the requests of one process, over connections that it keeps.

    Args:
        secrets: By name.
        transport: Another way to the services, for tests.
    """

    def __init__(
        self, secrets: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._secrets = secrets
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def run(self, http: HttpBinding, arguments: Mapping[str, Any], key: str) -> str:
        """Send it; the result as JSON for the model.

        Raises:
            ToolFailed: There is no answer that could be used, or an argument fits no path.
            ToolUnusable: A secret is missing.
        """
        request = self._request(http, arguments, key)
        for attempt in range(http.retries + 1):
            is_last = attempt == http.retries
            try:
                async with asyncio.timeout(http.timeout_s):
                    status, is_json, body, wait_s = await self._send(http, request)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                if is_last:
                    raise ToolFailed("it cannot be reached") from None
                wait_s = RETRY_WAIT_S
            except (TimeoutError, httpx.TimeoutException):
                if is_last or not http.may_repeat:
                    raise ToolTimeout(f"no answer in {http.timeout_s:g} s") from None
                wait_s = 0.0
            except httpx.HTTPError:
                if is_last or not http.may_repeat:
                    raise ToolFailed("the connection broke") from None
                wait_s = RETRY_WAIT_S
            else:
                if status not in _RETRIED or is_last or not http.may_repeat:
                    return _result(http, status, body, is_json=is_json)
            await asyncio.sleep(min(wait_s, LONGEST_RETRY_WAIT_S))
        raise ToolFailed("it cannot be reached")

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    def _request(self, http: HttpBinding, arguments: Mapping[str, Any], key: str) -> httpx.Request:
        rest = dict(arguments)
        for name in PLACEHOLDER.findall(http.url):
            rest.pop(name, None)
        url = _filled(http.url, arguments)
        headers = with_secrets(http.headers, self._secrets)
        headers["Accept-Encoding"] = "identity"
        if http.key_header:
            headers[http.key_header] = key
        if http.method in BODY_METHODS:
            return self._own_client().build_request(http.method, url, json=rest, headers=headers)
        query = [(name, _plain(one)) for name, one in rest.items()]
        with_query = httpx.URL(url)
        for name, text in query:
            with_query = with_query.copy_add_param(name, text)
        return self._own_client().build_request(http.method, with_query, headers=headers)

    async def _send(
        self, http: HttpBinding, request: httpx.Request
    ) -> tuple[int, bool, bytes, float]:
        client = self._own_client()
        response = await client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise ToolFailed("its answer is compressed, though that was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > http.max_bytes:
                    raise ToolFailed(f"its answer is longer than {http.max_bytes} bytes")
        finally:
            await response.aclose()
        is_json = "json" in response.headers.get("content-type", "").lower()
        return response.status_code, is_json, bytes(body), _wait_s(response.headers)

    def _own_client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
                limits=httpx.Limits(max_connections=_MOST_CONNECTIONS),
                follow_redirects=False,
                # One client serves callers of all tenants: what one is given is not the next's.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                transport=self._transport,
            )
        return self._client


def _filled(url: str, arguments: Mapping[str, Any]) -> str:
    """The address with the arguments that stand in it. Raises ``ToolFailed``."""

    def fill(found: re.Match[str]) -> str:
        return quote(_plain(arguments.get(found[1], "")), safe="")

    path, mark, query = url.partition("?")
    parts = path.split("/")
    for at, part in enumerate(parts):
        parts[at] = PLACEHOLDER.sub(fill, part)
        if parts[at] != part and parts[at] in _OTHER_ADDRESSES:
            name = PLACEHOLDER.findall(part)[0]
            raise ToolFailed(f"the argument {name} must not be empty, nor dots: nothing was sent")
    return "/".join(parts) + mark + PLACEHOLDER.sub(fill, query)


def _result(http: HttpBinding, status: int, body: bytes, *, is_json: bool) -> str:
    if 200 <= status < 300:
        return done(read(body, is_json=is_json), http.shown)
    if 300 <= status < 400:
        return failed("failed", f"HTTP {status}: it points elsewhere, which is not followed")
    if status >= 500:
        return failed("failed", f"HTTP {status}: it is out of order")
    try:
        answer = read(body, is_json=is_json)
    except ToolFailed:
        answer = ""
    return failed("failed", f"HTTP {status}", answer)


def _wait_s(headers: httpx.Headers) -> float:
    try:
        wait_s = float(headers.get("retry-after", RETRY_WAIT_S))
    except ValueError:
        return RETRY_WAIT_S
    return max(RETRY_WAIT_S, wait_s) if wait_s < LONGEST_RETRY_WAIT_S else LONGEST_RETRY_WAIT_S


def _plain(value: object) -> str:
    """An argument as it stands in a path or a query."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
