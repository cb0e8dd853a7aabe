"""The one ASGI application of a replica: sockets of calls raw, webhooks and API through FastAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cluster.api.app import PREFIXES, build_api
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.media_socket import MediaSocket
from cluster.relay_socket import RelaySocket
from cluster.voice_routes import RELAY_PATH
from cluster.webhooks import build_app

Message = MutableMapping[str, Any]
MEDIA_PATHS = frozenset({"/twilio/media", "/twilio/media/"})


class EdgeApp:
    """Dispatches by protocol and path.

    Args:
        edge: The parts and the state of this replica.
        services: Routes, callbacks and the API; those of an edge without a database when None.
    """

    def __init__(self, edge: Edge, services: CallServices | None = None) -> None:
        services = services or CallServices(edge)
        self._http = build_app(edge, services)
        self._api = build_api(services, services.world) if services.world is not None else None
        self._media = MediaSocket(edge)
        self._relay = RelaySocket(edge)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one request or socket."""
        if scope["type"] == "websocket" and scope["path"] in MEDIA_PATHS:
            await self._media(scope, receive, send)
        elif scope["type"] == "websocket" and _is_relay(scope["path"]):
            await self._relay(scope, receive, send)
        elif self._api is not None and scope.get("path", "").startswith(PREFIXES):
            await self._api(scope, receive, send)
        else:
            await self._http(scope, receive, send)


def _is_relay(path: str) -> bool:
    """The relay's own path, or that of a call behind it."""
    return path.rstrip("/") == RELAY_PATH or path.startswith(RELAY_PATH + "/")
