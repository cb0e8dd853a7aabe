"""Whom a websocket leads to; imports no websockets, so that tables may know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from providers.endpoint_checks import check_address
from providers.errors import ProviderError, ProviderRejected

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a socket leads to, as far as errors go.

    Attributes:
        provider: Short name.
        address: The setting that holds the address.
        refused: Types a refused handshake: status, headers in lower case, body.
        closed: Types the service's close: its code, None when it hung up, and its reason.
        longest_message_bytes: A longer message is no message.
    """

    provider: str
    address: str
    refused: Callable[[int, Mapping[str, str], bytes], ProviderError]
    closed: Callable[[int | None, str], ProviderError]
    longest_message_bytes: int = 1 << 20


def socket_origin(base_url: str, peer: Peer) -> str:
    """The address for websockets: ``http`` becomes ``ws``, without a slash at its end.

    Raises:
        ProviderRejected: It is of another scheme, or has no host that can be.
    """
    scheme, separator, rest = base_url.strip().partition("://")
    scheme = _SCHEMES.get(scheme, "")
    if not scheme or not separator or not rest.strip("/"):
        raise ProviderRejected("the address is no http(s) URL", peer.provider, peer.address)
    check_address(base_url, peer.provider, peer.address)
    return f"{scheme}://{rest.rstrip('/')}"
