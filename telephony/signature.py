"""Did Twilio send this? ``X-Twilio-Signature`` of webhooks and WebSocket upgrades.

The signature is base64(HMAC(key, URL + fields)): SHA-1 with the account's auth token, or SHA-256
with a webhook shared key. ``fields`` is every distinct name of a form in order, each followed by
its distinct values in order, with nothing between; it is empty for GET, JSON and WebSocket
upgrades. A JSON body is covered by its hash in the query (``bodySHA256``).

The key and the algorithm come from our configuration, never from a header of the request. The
signature of an upgrade is the same for every call, so whoever saw it once can replay it: it keeps
strangers out, and the stream token (``stream_token``) is what admits a call.

Source: Twilio, Webhooks Security.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from telephony.errors import InvalidSetting
from telephony.origin import PublicOrigin

HEADER = "x-twilio-signature"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that Twilio signs with: an auth token (sha1) or a webhook shared key (sha256)."""

    secret: str = field(repr=False)
    algorithm: Literal["sha1", "sha256"] = "sha1"


def sign(url: str, fields: Iterable[tuple[str, str]], key: SigningKey) -> str:
    """The signature that Twilio would send.

    Args:
        url: As requested, from the scheme to the end of the query, percent-encoding untouched.
        fields: Decoded form fields, in any order, repeated names and empty values included.
        key: Whose signature.

    Raises:
        UnicodeEncodeError: A field that is no Unicode text (a lone surrogate).
    """
    return _sign((url + _flatten(fields)).encode(), key)


def _flatten(fields: Iterable[tuple[str, str]]) -> str:
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    return "".join(name + value for name in sorted(values) for value in sorted(values[name]))


def _sign(signed: bytes, key: SigningKey) -> str:
    return b64encode(hmac.digest(key.secret.encode(), signed, key.algorithm)).decode("ascii")


class SignatureCheck:
    """Checks requests that were sent to one public origin.

    Args:
        origin: Where Twilio reaches us.
        keys: Every key that may have signed: the present token, the next one while rotating, those
            of sub-accounts.

    Raises:
        InvalidSetting: No key, or an empty one: it would admit everybody who knows this code.
    """

    def __init__(self, origin: PublicOrigin, keys: Sequence[SigningKey]) -> None:
        if not keys or any(not key.secret for key in keys):
            raise InvalidSetting("an auth token is needed to check signatures", "TWILIO_AUTH_TOKEN")
        self._origin = origin
        self._keys = tuple(keys)

    def is_signed_form(
        self, target: str, fields: Iterable[tuple[str, str]], signature: str | None
    ) -> bool:
        """A form POST.

        Args:
            target: Raw path and query as received, such as ``/twilio/after?n=1``.
            fields: *All* fields of the body, empty ones too (``keep_blank_values=True``).
            signature: The header, or None.
        """
        return self._matches(self._webhook_urls(target), fields, signature)

    def is_signed_get(self, target: str, signature: str | None) -> bool:
        """A GET; its parameters are part of ``target``."""
        return self._matches(self._webhook_urls(target), (), signature)

    def is_signed_json(self, target: str, body: bytes, signature: str | None) -> bool:
        """A POST with a JSON body (or any other that is no form): URL and body hash must hold."""
        try:
            claimed = parse_qs(urlsplit(target).query).get("bodySHA256", [""])[0]
        except ValueError:
            return False
        actual = hashlib.sha256(body).hexdigest()
        if not hmac.compare_digest(_bytes(claimed), actual.encode("ascii")):
            return False
        return self._matches(self._webhook_urls(target), (), signature)

    def is_signed_upgrade(self, path: str, signature: str | None) -> bool:
        """A WebSocket upgrade: signed is the ``wss://`` URL of our TwiML.

        Args:
            path: Raw path as received; tried with and without a slash at its end.
            signature: The header, or None.
        """
        return self._matches(self._upgrade_urls(path), (), signature)

    def _webhook_urls(self, target: str) -> Iterator[str]:
        scheme = "https://" if self._origin.is_secure else "http://"
        for host in self._origin.hosts():
            yield scheme + host + target

    def _upgrade_urls(self, path: str) -> Iterator[str]:
        scheme = "wss://" if self._origin.is_secure else "ws://"
        bare, mark, query = path.partition("?")
        other = bare[:-1] if bare.endswith("/") else bare + "/"
        for host in self._origin.hosts():
            for spelling in (bare, other):
                yield scheme + host + spelling + mark + query

    def _matches(
        self, urls: Iterable[str], fields: Iterable[tuple[str, str]], signature: str | None
    ) -> bool:
        if not signature:
            return False
        given = _bytes(signature)
        tail = _flatten(fields)
        try:
            signed = [(url + tail).encode() for url in urls]
        except UnicodeEncodeError:
            return False
        # Every candidate is tried, whichever matches: the time tells nothing.
        matches = [
            hmac.compare_digest(_sign(candidate, key).encode("ascii"), given)
            for candidate in signed
            for key in self._keys
        ]
        return any(matches)


def _bytes(text: str) -> bytes:
    """For comparison only: any string, even one with lone surrogates."""
    return text.encode("utf-8", "surrogatepass")
