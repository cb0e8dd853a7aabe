"""The carrier's HTTP side: signed form posts, their time limits, retries and call-backs.

Rules
- Every request is signed over its public URL and sent to where that URL routes.
- The fragment of a URL holds connection overrides (``ct rt tt rc rp``); it is neither signed nor
  sent. 15 s in all is the ceiling. Retries carry the same ``I-Twilio-Idempotency-Token``.
- Redirects are followed with GET, so that the form is lost, as it is with the real carrier.
- The parameters are those documented, and always one that nobody announced.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit, urlunsplit

import httpx

from simulation.carrier_errors import WebhookFailed
from simulation.carrier_signature import PublicAddress, sign, signed_url

USER_AGENT = "TwilioProxy/1.1"
CEILING_S = 15.0
MAX_REDIRECTS = 10
_XML_TYPES = {"text/xml", "application/xml", "text/html"}

Form = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Who calls whom; fixed for the whole leg.

    Attributes:
        direction: ``inbound``, ``outbound-api`` or ``outbound-dial``.
        parent_call_sid: The call that dialled this one; empty for others.
    """

    account_sid: str
    call_sid: str
    from_number: str
    to_number: str
    direction: str = "inbound"
    parent_call_sid: str = ""


def new_sid(prefix: str, random: Random) -> str:
    """A carrier id: two letters and 32 hexadecimal digits."""
    return f"{prefix}{random.getrandbits(128):032x}"


def call_form(identity: CallIdentity, status: str, random: Random) -> Form:
    """The parameters of every voice request, with one that no documentation knows.

    The unknown one has blanks at its ends, signs that need escaping and a letter outside ASCII:
    whoever trims, re-encodes or drops a parameter fails the signature.
    """
    caller = ("City", ""), ("State", "CA"), ("Zip", ""), ("Country", "US")
    places = tuple(
        (party + name, value)
        for party in ("From", "To", "Caller", "Called")
        for name, value in caller
    )
    parent = identity.parent_call_sid
    attestation = (
        ("StirVerstat", "TN-Validation-Passed-A"),
        ("CallToken", f"%7B%22parentCallInfoToken%22%3A%22{random.getrandbits(64):016x}%22%7D"),
    )
    return (
        ("AccountSid", identity.account_sid),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", identity.call_sid),
        ("CallStatus", status),
        ("Direction", identity.direction),
        ("From", identity.from_number),
        ("To", identity.to_number),
        ("Caller", identity.from_number),
        ("Called", identity.to_number),
        *places,
        *(attestation if identity.direction == "inbound" else ()),
        *((("ParentCallSid", parent),) if parent else ()),
        (f"Unannounced{random.randrange(100)}", f" {random.getrandbits(32):x} +&= é "),
    )


@dataclass(frozen=True, slots=True)
class _Overrides:
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = CEILING_S
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})


def read_overrides(url: str) -> tuple[str, _Overrides]:
    """Split the connection overrides off a webhook URL; values out of range keep the default."""
    parts = urlsplit(url)
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))
    values = {name: found[-1] for name, found in parse_qs(parts.fragment).items()}

    def ranged(name: str, low: int, high: int, default: float) -> float:
        text = values.get(name, "")
        is_number = text.isascii() and text.isdigit() and len(text) < 7
        return float(text) if is_number and low <= int(text) <= high else default

    retry_on = frozenset(values.get("rp", "ct").split(","))
    return bare, _Overrides(
        connect_s=ranged("ct", 100, 10_000, 5_000) / 1_000,
        read_s=ranged("rt", 100, 15_000, 15_000) / 1_000,
        total_s=ranged("tt", 100, 15_000, 15_000) / 1_000,
        retries=int(ranged("rc", 0, 5, 1)),
        retry_on=frozenset({"ct", "rt", "4xx", "5xx"}) if "all" in retry_on else retry_on,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a webhook.

    Attributes:
        url: The public URL that answered, without fragment: relative URLs are resolved against it.
        body: The document.
        took_s: From the first attempt to the whole answer.
    """

    url: str
    body: bytes
    took_s: float


@dataclass(frozen=True, slots=True)
class _Failure:
    kind: str
    code: int
    message: str


class Webhooks:
    """Sends an account's webhooks.

    Args:
        http: The HTTP client; shared by all calls of a process.
        address: Where the product's public name listens.
        auth_token: Signs every request.
        random: Source of idempotency tokens.
    """

    def __init__(
        self, http: httpx.AsyncClient, address: PublicAddress, auth_token: str, random: Random
    ) -> None:
        self._http = http
        self._address = address
        self._auth_token = auth_token
        self._random = random

    async def fetch(
        self, url: str, form: Form, method: str = "POST", token: str | None = None
    ) -> Answer:
        """Ask for TwiML.

        Args:
            url: Public URL, possibly with overrides in its fragment.
            form: Decoded parameters; with GET they go into the query string.
            method: POST or GET.
            token: The idempotency token to repeat; a new one when None.

        Raises:
            WebhookFailed: No usable answer within the time allowed.
        """
        bare, overrides = read_overrides(url)
        if urlsplit(bare).scheme not in {"http", "https"}:
            raise WebhookFailed(11100, "a webhook URL is absolute and http or https")
        token = token or f"{self._random.getrandbits(128):032x}"
        started_s = time.monotonic()
        failure = _Failure("", 11200, "nothing was tried")
        try:
            async with asyncio.timeout(min(overrides.total_s, CEILING_S)):
                for _ in range(overrides.retries + 1):
                    result = await self._attempt(bare, form, method, token, overrides)
                    if not isinstance(result, _Failure):
                        body, answered_url = result
                        return Answer(answered_url, body, time.monotonic() - started_s)
                    failure = result
                    if failure.kind not in overrides.retry_on:
                        break
        except TimeoutError as error:
            raise WebhookFailed(11203, "no answer within the total time allowed") from error
        raise WebhookFailed(failure.code, failure.message)

    async def notify(self, url: str, form: Form, method: str = "POST") -> bool:
        """Deliver a status call-back; True when it was taken. Its body is ignored."""
        bare, overrides = read_overrides(url)
        token = f"{self._random.getrandbits(128):032x}"
        try:
            async with asyncio.timeout(CEILING_S):
                response = await self._send(bare, form, method, token, overrides)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            return False
        return response.status_code < 400

    async def _attempt(
        self, url: str, form: Form, method: str, token: str, overrides: _Overrides
    ) -> tuple[bytes, str] | _Failure:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                response = await self._send(url, form, method, token, overrides)
                if response.status_code not in {301, 302, 303, 307, 308}:
                    return _judge(response, url)
                url, form, method = urljoin(url, response.headers.get("location", "")), (), "GET"
            return _Failure("", 11215, "too many redirects")
        except httpx.ConnectTimeout:
            return _Failure("ct", 11201, "the TCP connection timed out")
        except httpx.TimeoutException:
            return _Failure("rt", 11200, "the server accepted and did not answer in time")
        except httpx.ConnectError:
            return _Failure("ct", 11202, "the server refused the connection")
        except httpx.RemoteProtocolError:
            return _Failure("", 11206, "the answer is not HTTP, or was cut off")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _Failure("", 11205, f"connection failure: {type(error).__name__}")

    async def _send(
        self, url: str, form: Form, method: str, token: str, overrides: _Overrides
    ) -> httpx.Response:
        if method == "GET" and form:
            parts = urlsplit(url)
            query = "&".join(part for part in (parts.query, urlencode(form)) if part)
            url, form = urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")), ()
        headers = {
            "host": urlsplit(url).netloc.rpartition("@")[2],
            "user-agent": USER_AGENT,
            "accept": "*/*",
            "x-twilio-signature": sign(signed_url(url), form, self._auth_token),
            "i-twilio-idempotency-token": token,
            "x-home-region": "us1",
        }
        if method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        timeout = httpx.Timeout(CEILING_S, connect=overrides.connect_s, read=overrides.read_s)
        return await self._http.request(
            method,
            self._address.route(url),
            content=urlencode(form).encode() if method == "POST" else None,
            headers=headers,
            timeout=timeout,
        )


def _judge(response: httpx.Response, url: str) -> tuple[bytes, str] | _Failure:
    status = response.status_code
    if status >= 400:
        return _Failure(f"{status // 100}xx", 11200, f"HTTP status {status}")
    if status == 204 or not response.content.strip():
        return _Failure("", 11770, "the answer is empty")
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _XML_TYPES:
        return _Failure("", 12300, f"content type {content_type[:40]!r} is not text/xml")
    return response.content, url
