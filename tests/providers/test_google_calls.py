"""What a refusal by Google is told as, when a write of ours races it."""

from __future__ import annotations

from typing import Any

import pytest

from providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from providers.google_calls import settled
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
