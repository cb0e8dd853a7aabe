"""Nothing below ``/v1`` is looked at before its key: not its path, not its body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cluster.api.body_limit import Application, Send
from cluster.api.errors import ApiError, error_response
from cluster.request_body import Message, Receive

GUARDED = "/v1"
TENANT = "tenant_id"
DESK = "desk"


class KeyGate:
    """An ASGI application in front of another one: lets requests with a good key pass.

    The application behind it finds whose request it is in ``request.state.tenant_id``.

    Args:
        application: Gets what passes.
        tenant_of: From the ``Authorization`` header to a tenant. Raises ``ApiError``.
        state: What else each request that passes has in ``request.state``.
    """

    def __init__(
        self,
        application: Application,
        tenant_of: Callable[[str], Awaitable[str]],
        state: Mapping[str, Any],
    ) -> None:
        self._application = application
        self._tenant_of = tenant_of
        self._state = state

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            try:
                tenant_id = await self._tenant_of(_authorization(scope))
            except ApiError as error:
                await error_response(error)(scope, receive, send)
                return
            state = {**scope.get("state", {}), **self._state, TENANT: tenant_id}
            scope = {**scope, "state": state}
        await self._application(scope, receive, send)


def _authorization(scope: Message) -> str:
    """The header, or an empty text. What comes more than once opens nothing."""
    found = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    return b",".join(found).decode("latin-1")
