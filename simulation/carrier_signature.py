"""How the carrier signs what it sends: ``X-Twilio-Signature``, computed here in own code.

The signature is base64(HMAC-SHA1(auth token, URL + parameters)), the parameters being every name in
ASCII order followed by its distinct values in order, nothing between them. WebSocket upgrades and
GET requests sign the URL alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

_SECURE = {"https", "wss"}


def sign(url: str, form: Iterable[tuple[str, str]], auth_token: str) -> str:
    """The signature of a request.

    Args:
        url: The URL as the carrier has it, scheme through query (see ``signed_url``).
        form: The decoded form fields of a POST, possibly with repeated names; empty otherwise.
        auth_token: The account's auth token.
    """
    fields = sorted(set(form))
    text = url + "".join(name + value for name, value in fields)
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def signed_url(url: str) -> str:
    """The URL that goes into a signature: no fragment; for https no port and no user name."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.scheme == "https":
        host = parts.hostname or ""
        netloc = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


class PublicAddress:
    """Where the public name of the product really listens in a local run.

    The product signs and hands out URLs of its public name (``https://voice.example.com``); a local
    run reaches it at ``http://127.0.0.1:8000``. Signing uses the one, connecting the other.

    Args:
        target_url: The address to connect to; only scheme, host and port count.
        public_url: The name the product goes by; empty when it is the target itself.
    """

    def __init__(self, target_url: str, public_url: str = "") -> None:
        target = urlsplit(target_url)
        if target.scheme not in {"http", "https"} or not target.hostname:
            raise ValueError(f"give the server's URL as http(s)://HOST:PORT, not {target_url!r}")
        public = urlsplit(public_url or target_url)
        if public.scheme not in {"http", "https"} or not public.hostname:
            raise ValueError(f"give the public URL as https://HOST, not {public_url!r}")
        self._target = target
        self._known = {_place(target.scheme, target.netloc), _place(public.scheme, public.netloc)}
        self.public_origin = f"{public.scheme}://{public.netloc}"

    def route(self, url: str) -> str:
        """Where to connect for ``url``: the target if it names the product, else ``url`` itself."""
        parts = urlsplit(url)
        if _place(parts.scheme, parts.netloc) not in self._known:
            return url
        is_socket = parts.scheme in {"ws", "wss"}
        secure = self._target.scheme == "https"
        scheme = ("wss" if secure else "ws") if is_socket else self._target.scheme
        return urlunsplit((scheme, self._target.netloc, parts.path, parts.query, ""))


def _place(scheme: str, netloc: str) -> str:
    """Host and port of a URL, the port spelled out."""
    host = netloc.rpartition("@")[2].lower()
    bare = host.rpartition("]")[2] if host.startswith("[") else host
    return host if ":" in bare else f"{host}:{443 if scheme in _SECURE else 80}"
