"""Where the world reaches us: the one place that builds our public URLs.

Twilio signs the URL that it was given, character for character. So the same object that writes a
URL into TwiML also says which URL a signature has to be checked against, and neither ever looks at
``Host`` or ``X-Forwarded-*``, which a client may write itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from telephony.errors import InvalidSetting

_SETTING = "PUBLIC_URL"
_SECURE = {"https": True, "wss": True, "http": False, "ws": False}


@dataclass(frozen=True, slots=True)
class PublicOrigin:
    """Scheme, host and port, as configured.

    Attributes:
        is_secure: True for https and wss; False only for emulators on loopback.
        host: Lower case; an IPv6 literal keeps its brackets.
        port: None when the setting names none.
    """

    is_secure: bool
    host: str
    port: int | None = None

    @classmethod
    def parse(cls, public_url: str) -> Self:
        """Read the setting, such as ``https://voice.example.com`` or ``http://127.0.0.1:8000``.

        Raises:
            InvalidSetting: No scheme or host, a path, a query, or a user name in it.
        """
        try:
            parts = urlsplit(public_url.strip())
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InvalidSetting(f"not a URL ({error})", _SETTING) from None
        if parts.scheme not in _SECURE or not host:
            raise InvalidSetting("write it as https://voice.example.com", _SETTING)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise InvalidSetting("scheme, host and port only; no path and no query", _SETTING)
        if parts.username is not None or not host.isascii() or any(c.isspace() for c in host):
            raise InvalidSetting("no user name, and an ASCII (punycode) host", _SETTING)
        return cls(_SECURE[parts.scheme], f"[{host}]" if ":" in host else host, port)

    def url(self, target: str) -> str:
        """The https (or http) URL of ``target``: a path that begins with a slash, and its query."""
        return ("https://" if self.is_secure else "http://") + self._host_and_port() + target

    def stream_url(self, path: str) -> str:
        """The wss (or ws) URL of ``path``; streams take no query."""
        return ("wss://" if self.is_secure else "ws://") + self._host_and_port() + path

    def hosts(self) -> tuple[str, ...]:
        """The spellings of host and port that Twilio may have signed, the likeliest first.

        For a secure URL Twilio drops the port, or so it says; for a plain one it keeps it.
        """
        bare = self.host
        default = 443 if self.is_secure else 80
        with_port = f"{self.host}:{self.port or default}"
        if self.is_secure or self.port is None:
            return (bare, with_port)
        return (with_port,)

    def _host_and_port(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"
