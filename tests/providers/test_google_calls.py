"""What a refusal by Google is told as, when a write of ours races it; how a connection is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from providers.google_calls import settled
from providers.google_channel import GoogleConnection
from providers.google_errors import SPEECH_BLAME
from tests.support import virtual_time

grpc = pytest.importorskip("grpc")
INTERNAL, DENIED = grpc.StatusCode.INTERNAL, grpc.StatusCode.PERMISSION_DENIED


class Call:
    """A call whose real answer comes after so many looks."""

    def __init__(self, details: str, looks: int) -> None:
        self._details = details
        self.looks = looks

    async def code(self) -> Any:
        self.looks -= 1
        return INTERNAL if self.looks >= 0 else DENIED

    async def details(self) -> str:
        return self._details

    async def trailing_metadata(self) -> tuple[()]:
        return ()


def told(details: str, looks: int) -> ProviderError:
    found: list[ProviderError] = []

    async def body() -> None:
        error = ProviderUnavailable("INTERNAL", "google")
        found.append(await settled(error, Call(details, looks), SPEECH_BLAME))  # type: ignore[arg-type]

    virtual_time.run(body(), limit_s=10.0)
    return found[0]


def test_a_write_that_failed_waits_long_for_what_the_service_said() -> None:
    assert isinstance(told('Failed "execute_batch": ...', 150), ProviderRefused)


def test_a_failure_of_the_services_own_is_believed_soon() -> None:
    assert isinstance(told("backend error", 150), ProviderUnavailable)
    assert isinstance(told("backend error", 5), ProviderRefused)


def test_an_answer_that_never_comes_is_waited_for_in_bounds() -> None:
    assert isinstance(told("Failed to write", 10_000), ProviderUnavailable)


class Channel:
    """A connection that is had at once and stands for so long, again and again."""

    def __init__(self, stands_s: float) -> None:
        self._stands_s = stands_s
        self._state = grpc.ChannelConnectivity.IDLE
        self.tries = 0

    def get_state(self, try_to_connect: bool = False) -> Any:
        if try_to_connect and self._state is grpc.ChannelConnectivity.IDLE:
            self.tries += 1
            self._state = grpc.ChannelConnectivity.READY
        return self._state

    async def wait_for_state_change(self, _state: Any) -> None:
        await asyncio.sleep(self._stands_s)
        self._state = grpc.ChannelConnectivity.IDLE

    async def close(self, _grace: None) -> None:
        self._state = grpc.ChannelConnectivity.SHUTDOWN


@pytest.mark.parametrize(("stands_s", "fewest", "most"), [(0.001, 5, 15), (5.0, 11, 13)])
def test_a_connection_that_is_ended_at_once_is_not_opened_a_thousand_times(
    stands_s: float, fewest: int, most: int
) -> None:
    """A service that says GOAWAY to whoever comes; one that stood for a while is back at once."""
    channel = Channel(stands_s)

    async def body() -> None:
        connection = GoogleConnection(channel, "project")
        connection.keep()
        await asyncio.sleep(60.0)
        await connection.aclose()

    virtual_time.run(body(), limit_s=100.0)
    assert fewest <= channel.tries <= most
