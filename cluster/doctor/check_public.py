"""The public address, as the carrier meets it: name, TLS, webhooks, and a signed media socket.

No call is made: the socket is opened with the carrier's signature and closed before ``start``.
Opened without one it must be refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from cluster.doctor.examination import Findings
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import LOOPBACK, Place
from cluster.settings import Settings
from cluster.voice_routes import MEDIA_PATH
from telephony.origin import PublicOrigin
from telephony.signature import HEADER, SigningKey, sign

_WITHIN_S: Final = 5.0
_FEW_DAYS: Final = 14
FROM_HERE: Final = (
    "Twilio may reach it all the same: some networks do not let a machine reach its own public "
    "address"
)
_NO_CALLS: Final = "Twilio's calls hear an error announcement"
_FRONT: Final = "see that the front (Caddy, tunnel, load balancer) runs and forwards to port"


async def examine_public(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("PUBLIC_URL", "the settings cannot be read")]
    origin = PublicOrigin.parse(settings.public_url)
    if origin.host in LOOPBACK and not settings.development:
        return [
            fail(
                "PUBLIC_URL",
                f"{settings.public_url} is this machine only",
                _NO_CALLS,
                "set it to the https:// address of your front: docs/quickstart-phone-number.md",
            )
        ]
    findings = await _name_findings(origin)
    if any(finding.status == "fail" for finding in findings):
        return findings
    if origin.is_secure:
        findings.append(await _certificate_finding(place, origin))
    else:
        findings.append(warn("TLS", "none", "Twilio opens media streams over TLS only"))
    health = await _health_finding(place, settings, origin)
    findings.append(health)
    if health.status == "ok":
        findings += await _socket_findings(place, settings, origin)
    return findings


async def _name_findings(origin: PublicOrigin) -> list[Finding]:
    host, port = origin.host.strip("[]"), origin.port or (443 if origin.is_secure else 80)
    try:
        async with asyncio.timeout(_WITHIN_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError) as error:
        return [
            fail(
                "PUBLIC_URL",
                f"{host} has no address ({_reason(error)})",
                _NO_CALLS,
                "make its DNS record, or start the tunnel",
            )
        ]
    addresses = sorted({str(item[4][0]) for item in found})
    private = [text for text in addresses if not ipaddress.ip_address(text).is_global]
    if len(private) == len(addresses) and origin.host not in LOOPBACK:
        return [
            warn(
                "PUBLIC_URL",
                f"{host} is {', '.join(addresses)}: private, seen from here",
                "Twilio cannot reach a private address",
                "make its public DNS record point to the front",
            )
        ]
    return [ok("PUBLIC_URL", f"{host} is {', '.join(addresses)}")]


async def _certificate_finding(place: Place, origin: PublicOrigin) -> Finding:
    host, port = origin.host.strip("[]"), origin.port or 443
    trust = place.tls or ssl.create_default_context()
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=trust, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return fail(
            "TLS",
            f"the certificate is not valid: {error.verify_message}",
            "Twilio does not connect (error 11237 or 31920)",
            "use a certificate of a public authority, chain included; Caddy gets one by itself",
        )
    except (OSError, TimeoutError) as error:
        return fail(
            "TLS", f"{host}:{port} does not answer ({_reason(error)})", _NO_CALLS, FROM_HERE
        )
    certificate = writer.get_extra_info("peercert") or {}
    writer.close()
    return certificate_finding(certificate, datetime.now(UTC).timestamp())


def certificate_finding(certificate: Mapping[str, object], now_s: float) -> Finding:
    """How long a good certificate stays good.

    Args:
        certificate: As ``ssl`` shows it.
        now_s: UTC seconds.
    """
    ends = certificate.get("notAfter")
    if not isinstance(ends, str):
        return ok("TLS", "a valid certificate")
    days = int((ssl.cert_time_to_seconds(ends) - now_s) // 86_400)
    if days < _FEW_DAYS:
        return warn(
            "TLS",
            f"the certificate ends in {days} days",
            "after that no call comes in",
            "see that whatever renews it runs",
        )
    return ok("TLS", f"a valid certificate, {days} days left")


async def _health_finding(place: Place, settings: Settings, origin: PublicOrigin) -> Finding:
    url = origin.url("/healthz")
    try:
        async with httpx.AsyncClient(
            timeout=_WITHIN_S,
            verify=place.tls or True,
            trust_env=origin.host not in LOOPBACK,
        ) as http:
            answer = await http.get(url)
    except httpx.HTTPError as error:
        if origin.host in LOOPBACK:  # only in development mode
            return skipped("webhooks", f"nothing answers at {url}: the product does not run")
        return fail(
            "webhooks",
            f"{url}: {type(error).__name__}",
            _NO_CALLS,
            f"{_FRONT} {settings.port}. {FROM_HERE}",
        )
    if answer.is_success and "ok" in answer.text:
        return ok("webhooks", f"{url} answers")
    return fail(
        "webhooks",
        f"{url} answers HTTP {answer.status_code}, not as the product",
        _NO_CALLS,
        f"{_FRONT} {settings.port}, and that 'callcluster serve' runs",
    )


async def _socket_findings(place: Place, settings: Settings, origin: PublicOrigin) -> list[Finding]:
    url = origin.stream_url(MEDIA_PATH)
    token = settings.twilio_auth_token.get_secret_value()
    signed: int | str | None = None
    if token:
        signed = await _handshake(place, origin, {HEADER: sign(url, (), SigningKey(token))})
    unsigned = await _handshake(place, origin, {})
    return socket_findings(url, signed, unsigned, is_development=settings.development)


def socket_findings(
    url: str, signed: int | str | None, unsigned: int | str, *, is_development: bool
) -> list[Finding]:
    """What two handshakes say.

    Args:
        url: Of the media socket.
        signed: HTTP status (101: open), or what went wrong; None when there is no key to sign with.
        unsigned: The same without a signature.
        is_development: Whether signatures may be missing.
    """
    findings = []
    if signed is None:
        findings.append(skipped("media socket", "no TWILIO_AUTH_TOKEN to sign with"))
    else:
        findings.append(_signed_finding(url, signed))
    subject = "unsigned socket"
    if unsigned == 101:
        report = warn if is_development else fail
        findings.append(
            report(
                subject,
                "is let in",
                "anybody who knows the address can open sockets",
                "set TWILIO_AUTH_TOKEN and leave CALLCLUSTER_MODE=development out",
            )
        )
    elif unsigned == 403:
        findings.append(ok(subject, "is refused, as it must be"))
    else:
        findings.append(skipped(subject, f"no answer of the product ({unsigned})"))
    return findings


def _signed_finding(url: str, signed: int | str) -> Finding:
    subject = "media socket"
    if signed == 101:
        return ok(subject, f"{url} opens with a valid signature")
    if signed == 403:
        return fail(
            subject,
            f"{url} refuses our signature",
            "every call is silent and ends: Twilio's signature would be refused too",
            "PUBLIC_URL and TWILIO_AUTH_TOKEN must be the same here and in the running product",
        )
    return fail(
        subject,
        f"{url}: {'HTTP ' if isinstance(signed, int) else ''}{signed}",
        "every call is silent and ends",
        "let the front forward WebSockets (Upgrade) to the same port as webhooks",
    )


async def _handshake(place: Place, origin: PublicOrigin, headers: dict[str, str]) -> int | str:
    """Open a media socket and close it; the HTTP status, or what went wrong."""
    is_local = origin.host in LOOPBACK
    try:
        async with connect(
            origin.stream_url(MEDIA_PATH),
            additional_headers=headers,
            open_timeout=_WITHIN_S,
            close_timeout=1.0,
            ssl=(place.tls or True) if origin.is_secure else None,
            proxy=None if is_local else True,
            compression=None,
        ):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
    except (InvalidHandshake, OSError, TimeoutError) as error:
        return _reason(error)


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
