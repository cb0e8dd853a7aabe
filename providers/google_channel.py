"""A connection to one of Google's services: where, and as whom.

With ``google_calls`` the only module that knows gRPC and Google's credentials; both are imported
when a connection is made, on a thread: together they cost about a second.

Rules:
1. A connection carries many requests. The service allows a hundred at once on one, so whoever needs
   more opens more; each has a socket of its own.
2. One that broke is opened again by the next request, or at once where somebody asked for it to be
   kept. One that cannot be had is broken (``google_lines`` makes another).
3. Every wait is bounded: ``ready`` before each request, the rest by whoever asks.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from providers.errors import (
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_errors import INSTALL_HINT, PROVIDER, GoogleBlame
from providers.google_settings import GOOGLE_CREDENTIALS, GOOGLE_PROJECT

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_LOCATION: Final = re.compile(r"[a-z0-9-]{1,40}\Z")
_MOST_MESSAGE_BYTES: Final = 16 << 20
# A connection that broke sooner is opened again after a pause, a longer one each time.
_STOOD_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_OPTIONS: Final = (
    # A socket of its own for each connection, not one for all to the same address.
    ("grpc.use_local_subchannel_pool", 1),
    # A dead socket is noticed although nobody says anything on it.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", _MOST_MESSAGE_BYTES),
)


@dataclass(frozen=True, slots=True)
class GoogleAddress:
    """Where a service is.

    Attributes:
        target: Host and port.
        is_plain: Without TLS and credentials: an emulator.
    """

    target: str
    is_plain: bool


def address_of(host: str, location: str, endpoint: str, blame: GoogleBlame) -> GoogleAddress:
    """The address of a service.

    Args:
        host: Its global name, such as ``speech.googleapis.com``.
        location: Such as ``global`` or ``eu``.
        endpoint: Given in its place; empty for none.
        blame: Names the setting of ``endpoint``.

    Raises:
        ProviderRejected: The endpoint is no http or https URL, or the location is none.
    """
    if endpoint:
        try:
            parts = urlsplit(endpoint)
            port, name = parts.port, parts.hostname
        except ValueError:
            port, name, parts = None, None, urlsplit("")
        if parts.scheme not in ("http", "https") or not name:
            message = "the endpoint is no http:// or https:// address"
            raise ProviderRejected(message, PROVIDER, blame.address)
        name = f"[{name}]" if ":" in name else name
        is_plain = parts.scheme == "http"
        return GoogleAddress(f"{name}:{port or (80 if is_plain else 443)}", is_plain)
    if not _LOCATION.match(location):
        raise ProviderRejected("the location is none", PROVIDER, blame.location)
    prefix = "" if location == "global" else f"{location}-"
    return GoogleAddress(f"{prefix}{host}:443", is_plain=False)


def check_access(project: str, credentials: str, address: GoogleAddress) -> None:
    """What can be known about access without asking anybody.

    Raises:
        ProviderRefused: Google's clients are not installed, or nobody is named who pays.
    """
    if not is_installed():
        raise ProviderRefused(INSTALL_HINT, PROVIDER)
    if not (project or credentials or address.is_plain):
        raise ProviderRefused("the project is not set", PROVIDER, GOOGLE_PROJECT)


def is_installed() -> bool:
    """Whether Google's clients are there, without loading them."""
    try:
        names = ("google.cloud.speech_v2", "google.cloud.texttospeech_v1", "grpc")
        return all(importlib.util.find_spec(name) is not None for name in names)
    except ModuleNotFoundError:
        return False


class GoogleConnection:
    """One HTTP/2 connection.

    Args:
        channel: Of ``grpc.aio``.
        project: Who pays; the one of the credentials where none is set.

    Attributes:
        channel: For the clients of single services.
        project: As above.
        is_broken: It was found not to stand; gRPC would try again, but only after a pause.
    """

    def __init__(self, channel: Any, project: str) -> None:
        self.channel = channel
        self.project = project
        self.is_broken = False
        self._keeping: asyncio.Task[None] | None = None

    async def ready(self, timeout_s: float, blame: GoogleBlame) -> None:
        """Wait until the connection stands.

        Raises:
            ProviderUnavailable: It cannot be had.
            ProviderTimeout: Not within ``timeout_s``.
        """
        import grpc.aio

        states = grpc.ChannelConnectivity
        state = self.channel.get_state(try_to_connect=True)
        try:
            async with asyncio.timeout(timeout_s):
                while state is not states.READY:
                    if state is states.SHUTDOWN:
                        raise ProviderUnavailable("closed", PROVIDER)
                    if state is states.TRANSIENT_FAILURE:
                        self.is_broken = True
                        raise ProviderUnavailable("no connection", PROVIDER, blame.address)
                    await self.channel.wait_for_state_change(state)
                    state = self.channel.get_state(try_to_connect=True)
        except TimeoutError:
            self.is_broken = True
            raise ProviderTimeout("no connection in time", PROVIDER, blame.address) from None
        except grpc.aio.UsageError:
            raise ProviderUnavailable("closed", PROVIDER) from None

    def keep(self) -> None:
        """From now on have it opened again whenever it breaks, before somebody needs it."""
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        import grpc

        states, loop = grpc.ChannelConnectivity, asyncio.get_running_loop()
        tried_at, pause_s = -math.inf, 0.0
        while (state := self.channel.get_state()) is not states.SHUTDOWN:
            if state is states.IDLE:
                # gRPC makes a pause after a failure, and none after a connection that stood for a
                # moment: a service that ends each at once would be asked a thousand times a second.
                is_hasty = loop.time() - tried_at < _STOOD_S
                pause_s = min(max(2 * pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S) * is_hasty
                await asyncio.sleep(pause_s)
                tried_at = loop.time()
                state = self.channel.get_state(try_to_connect=True)
            await self.channel.wait_for_state_change(state)

    async def aclose(self) -> None:
        """Close it; requests that are under way end as unavailable."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self.channel.close(None)


async def connect(address: GoogleAddress, project: str, credentials: str) -> GoogleConnection:
    """A connection, which is not waited for; see ``GoogleConnection.ready``.

    Raises:
        ProviderRefused: There are no credentials, or they cannot be read.
    """
    identity, found = await asyncio.to_thread(_load, address.is_plain, credentials)
    project = project or found
    if not project and not address.is_plain:
        raise ProviderRefused("the project is not set", PROVIDER, GOOGLE_PROJECT)
    if address.is_plain:
        import grpc.aio

        channel = grpc.aio.insecure_channel(address.target, options=_OPTIONS)
    else:
        from google.api_core import grpc_helpers_async

        channel = grpc_helpers_async.create_channel(
            address.target, credentials=identity, options=list(_OPTIONS)
        )
    return GoogleConnection(channel, project or "emulated")


def _load(is_plain: bool, path: str) -> tuple[Any, str]:
    """Import what is needed and find credentials; may read files and ask the metadata server."""
    return (None, "") if is_plain else read_credentials(path)


def read_credentials(path: str) -> tuple[Any, str]:
    """Google's credentials and the project they name; blocks, but asks nobody if there is a file.

    Args:
        path: Of a key file; empty for what the machine has.

    Raises:
        ProviderRefused: There are none, or they cannot be read.
    """
    import google.auth
    import google.auth.exceptions

    try:
        if path:
            found = google.auth.load_credentials_from_file(path, scopes=[_SCOPE])
        else:
            found = google.auth.default(scopes=[_SCOPE])
    except (google.auth.exceptions.GoogleAuthError, OSError, ValueError) as error:
        # What it says may quote the file.
        message = f"no credentials: {type(error).__name__}"
        raise ProviderRefused(message, PROVIDER, GOOGLE_CREDENTIALS) from None
    return found[0], str(found[1] or "")


def access_token(path: str) -> str:
    """A fresh token for Google's services, which costs nothing; blocks, and asks Google.

    Raises:
        ProviderRefused: There are no credentials, or Google takes them no more.
        ProviderUnavailable: Google cannot be reached.
    """
    import google.auth.exceptions
    import google.auth.transport.requests

    identity, _ = read_credentials(path)
    try:
        identity.refresh(google.auth.transport.requests.Request())
    except google.auth.exceptions.TransportError as error:
        message = f"no token: {type(error).__name__}"
        raise ProviderUnavailable(message, PROVIDER, GOOGLE_CREDENTIALS) from None
    except (google.auth.exceptions.GoogleAuthError, ValueError) as error:
        message = f"no token: {type(error).__name__}"
        raise ProviderRefused(message, PROVIDER, GOOGLE_CREDENTIALS) from None
    return str(identity.token)
