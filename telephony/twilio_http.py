"""The HTTP client below Twilio's: another host if need be, and no word of what it carries in logs.

Twilio's own HTTP clients log headers and parameters, phone numbers among them, have no time limit
of their own, and drop ``Retry-After``. What is logged here is method, kind of resource, status and
time.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.http.response import Response
from yarl import URL

from telephony.errors import CarrierThrottled, CarrierUnreachable

_log = logging.getLogger(__name__)

_SID_IN_PATH = re.compile(r"/[A-Z]{2}[0-9a-f]{32}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MAX_RETRY_AFTER_S = 3_600.0
# Shorter than a load balancer's: a connection that the other side has just closed would make a
# request that was never read look like one that perhaps was.
_KEEPALIVE_S = 10.0


class HttpTransport(Protocol):
    """What Twilio's client wants below it."""

    @property
    def is_async(self) -> bool:
        """True."""

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Response:
        """Send one request. A list among ``data`` is a repeated field."""

    async def close(self) -> None:
        """Close the connections."""


class TwilioHttp:
    """Sends the requests of Twilio's client over aiohttp.

    Args:
        base_url: Replaces scheme and host of every request; Twilio's own when empty.
        timeout_s: For one request; half of it for the connection.
        max_connections: Requests at the same time; more wait in line.
    """

    is_async = True

    def __init__(self, base_url: str, timeout_s: float, max_connections: int) -> None:
        self._root = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(timeout_s, connect=timeout_s / 2)
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Response:
        """See ``HttpTransport``.

        Raises:
            CarrierThrottled: HTTP 429.
            CarrierUnreachable: No connection, no answer in time, or HTTP 5xx.
        """
        url = self._url(uri, params)
        headers, auth = dict(others.get("headers") or {}), others.get("auth")
        started_s = time.monotonic()
        try:
            async with self._open_session().request(
                method,
                url,
                data=urlencode(data, doseq=True).encode() if data else None,
                headers=headers,
                auth=aiohttp.BasicAuth(*auth) if auth else None,
                allow_redirects=bool(others.get("allow_redirects")),
            ) as answer:
                status, retry_after_s = answer.status, _retry_after_s(answer.headers)
                text = await answer.text(errors="replace")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise CarrierUnreachable(
                f"no connection to {url.host} ({type(error).__name__})", False
            ) from None
        except (aiohttp.ClientError, OSError, LookupError) as error:
            raise CarrierUnreachable(
                f"no whole answer from {url.host} ({type(error).__name__})", True
            ) from None
        took_ms = 1_000 * (time.monotonic() - started_s)
        _log.debug(
            "%s %s: %d in %.0f ms", method, _SID_IN_PATH.sub("/*", url.path), status, took_ms
        )
        if status == 429:
            raise CarrierThrottled("Twilio takes no more requests now (HTTP 429)", retry_after_s)
        if status >= 500:
            raise CarrierUnreachable(f"Twilio answered HTTP {status}", True)
        return Response(status, text, dict(answer.headers))

    async def close(self) -> None:
        """See ``HttpTransport``."""
        if self._session is not None:
            await self._session.close()

    def _url(self, uri: str, params: Mapping[str, Any] | None) -> URL:
        parts = urlsplit(uri)
        root = self._root or f"{parts.scheme}://{parts.netloc}"
        query = "&".join(
            each for each in (parts.query, urlencode(params or {}, doseq=True)) if each
        )
        return URL(f"{root}{parts.path}{'?' if query else ''}{query}", encoded=True)

    def _open_session(self) -> aiohttp.ClientSession:
        # Made late: a session belongs to the loop that runs.
        if self._session is None or self._session.closed:
            host = urlsplit(self._root).hostname or ""
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections, keepalive_timeout=_KEEPALIVE_S
                ),
                timeout=self._timeout,
                # No proxy stands between us and our own machine, whatever the environment says.
                trust_env=host not in _LOOPBACK,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _retry_after_s(headers: Mapping[str, str]) -> float:
    with contextlib.suppress(ValueError):
        seconds = float(headers.get("Retry-After", ""))
        if 0 < seconds < float("inf"):
            return min(seconds, _MAX_RETRY_AFTER_S)
    return 0.0
