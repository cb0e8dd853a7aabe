"""Bodies that are too long or too slow never reach the application, whatever they claim."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cluster.api.errors import ApiError, ErrorCode, error_response
from cluster.request_body import BodyCutOff, BodyReader, BodyRefused, Message, Receive

Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class BodyLimit:
    """An ASGI application in front of another one: reads the body, or answers 413 or 408.

    Args:
        application: Gets the request with its whole body.
        max_bytes: The longest body that is taken.
    """

    def __init__(self, application: Application, max_bytes: int) -> None:
        self._application = application
        self._bodies = BodyReader(max_bytes)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            body = await self._bodies.read(receive)
        except BodyCutOff:
            return
        except BodyRefused as refused:
            code: ErrorCode = "too_slow" if refused.status == 408 else "too_large"
            error = ApiError(refused.message, code)
            await error_response(error, {"Connection": "close"})(scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._application(scope, again, send)
