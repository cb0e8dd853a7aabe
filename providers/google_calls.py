"""Calls over a connection to Google: their answers, and what their refusals mean.

gRPC and Google's packages are imported where they are needed: ``google_channel`` loads them on a
thread when a connection is made.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers.google_channel import GoogleConnection
from providers.google_errors import PROVIDER, GoogleBlame, error_of_code
from providers.google_settings import GOOGLE_CREDENTIALS

_DETAILS: Final = "grpc-status-details-bin"
_OWN_FAILURE: Final = "INTERNAL"
_SETTLE_TRIES: Final = 20
# grpc.aio's own words for a write or a read that failed: the service's answer is still to come.
_LOCAL_DETAILS: Final = "Failed "
_LOCAL_TRIES: Final = 200
_SETTLE_S: Final = 0.01
_END: Final = object()


class GoogleClient:
    """A connection that many calls of one of Google's services share.

    Args:
        connection: To the service.
        connect_timeout_s: Longest wait for it to stand.
        blame: Of the service.
    """

    def __init__(
        self, connection: GoogleConnection, connect_timeout_s: float, blame: GoogleBlame
    ) -> None:
        self._connection = connection
        self._connect_timeout_s = connect_timeout_s
        self._blame = blame

    @property
    def is_broken(self) -> bool:
        """Whether it was found not to stand."""
        return self._connection.is_broken

    async def ready(self) -> None:
        """Wait until it stands. Raises ``ProviderUnavailable``, ``ProviderTimeout``."""
        await self._connection.ready(self._connect_timeout_s, self._blame)

    def keep(self) -> None:
        """Have it opened again whenever it breaks."""
        self._connection.keep()

    async def aclose(self) -> None:
        """Close it; what is under way on it ends as unavailable."""
        await self._connection.aclose()

    async def _answers(self, call: Any) -> AsyncGenerator[Any, None]:
        """What a streaming call is answered; closing it cancels. Raises ``ProviderError``."""
        try:
            answers = aiter(call)
            while True:
                try:
                    with typed_errors(self._blame):
                        answer = await anext(answers, _END)
                except ProviderUnavailable as error:
                    raise await settled(error, call, self._blame) from None
                if answer is _END:
                    return
                if answer is None:
                    raise nonsense()
                yield answer
        finally:
            call.cancel()


@contextlib.contextmanager
def typed_errors(blame: GoogleBlame) -> Iterator[None]:
    """Turn what Google's clients raise into ``ProviderError``."""
    import google.api_core.exceptions
    import google.auth.exceptions
    import grpc.aio

    try:
        yield
    except google.api_core.exceptions.GoogleAPICallError as error:
        raise _typed(error.grpc_status_code, error.response, blame) from None
    except grpc.aio.AioRpcError as error:
        raise _typed(error.code(), error, blame) from None
    except google.auth.exceptions.GoogleAuthError as error:
        message = f"no credentials: {type(error).__name__}"
        raise ProviderRefused(message, PROVIDER, GOOGLE_CREDENTIALS) from None
    except (
        grpc.RpcError,
        grpc.aio.UsageError,
        asyncio.InvalidStateError,
        google.api_core.exceptions.GoogleAPIError,
    ):
        raise ProviderUnavailable("the connection broke", PROVIDER, blame.address) from None


async def settled(error: ProviderError, call: Any, blame: GoogleBlame) -> ProviderError:
    """The error that the service meant.

    A message that is sent while the service's answer is on its way fails, and gRPC then says
    INTERNAL until it has read that answer: a moment later, on a busy machine many of them.
    """
    if not error.message.startswith(_OWN_FAILURE):
        return error
    is_local = str(await call.details() or "").startswith(_LOCAL_DETAILS)
    for _ in range(_LOCAL_TRIES if is_local else _SETTLE_TRIES):
        await asyncio.sleep(_SETTLE_S)
        status = await call.code()
        if getattr(status, "name", _OWN_FAILURE) != _OWN_FAILURE:
            return _typed(status, _Trailers(await call.trailing_metadata()), blame)
    return error


class _Trailers:
    """The trailing metadata of a call that is over, as an error has them."""

    def __init__(self, trailers: Any) -> None:
        self._trailers = trailers

    def trailing_metadata(self) -> Any:
        return self._trailers


def _typed(status: Any, answer: Any, blame: GoogleBlame) -> ProviderError:
    reason, retry_after_s = _details(answer)
    code = getattr(status, "name", "UNKNOWN")
    return error_of_code(code, blame, reason=reason, retry_after_s=retry_after_s)


def _details(answer: Any) -> tuple[str, float | None]:
    """``ErrorInfo.reason`` and ``RetryInfo.retry_delay`` of an error, where there are any."""
    from google.protobuf.message import DecodeError
    from google.rpc import error_details_pb2, status_pb2

    reason, retry_after_s = "", None
    try:
        trailers = answer.trailing_metadata() or ()
        raw = next((value for name, value in trailers if name == _DETAILS), b"")
        for detail in status_pb2.Status.FromString(raw).details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(retry):
                delay_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
                retry_after_s = delay_s if 0 <= delay_s < 1e6 else None
    except (AttributeError, DecodeError, TypeError, ValueError):
        pass  # an error of which only the code can be read
    return reason, retry_after_s


def nonsense() -> ProviderProtocolError:
    """The error for a message that cannot be read: the client hands out nothing in its place."""
    return ProviderProtocolError("a message that cannot be read", PROVIDER)
