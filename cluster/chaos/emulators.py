"""The switches of the emulated providers, over their control routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from cluster.chaos.faults import Strike

_WITHIN_S = 5.0
_TRIES = 3  # a busy machine is no reason to lose a run


class Emulators:
    """Every row of emulated providers; use as ``async with``.

    Args:
        urls: Any address of each row, ``http://HOST:PORT``.

    Raises:
        httpx.HTTPError: From any method: a row does not answer.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)
        self._http = httpx.AsyncClient(trust_env=False, timeout=_WITHIN_S)

    async def __aenter__(self) -> Emulators:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def strike(self, strikes: Sequence[Strike]) -> None:
        """Break all of these, one right after the other."""
        for strike in strikes:
            await self.set(strike.row, strike.service, strike.settings)
            if strike.drops:
                await self.drop(strike.row, strike.service)

    async def set(self, row: int, service: str, settings: Mapping[str, Any]) -> None:
        """Replace one service's faults; without settings it is well again."""
        await self._ask("POST", row, "faults", {"service": service, **settings})

    async def mend(self) -> None:
        """Everything works again; what hangs already goes on hanging."""
        for row in range(len(self._urls)):
            await self._ask("DELETE", row, "faults")

    async def drop(self, row: int, service: str) -> int:
        """Reset a service's open connections; returns how many there were."""
        return int((await self._ask("POST", row, "drop", {"service": service}))["dropped"])

    async def connections(self, row: int, service: str) -> int:
        """How many connections a service has open."""
        return int((await self._ask("GET", row, "stats"))[service]["connections"])

    async def is_set(self, row: int, service: str, name: str) -> bool:
        """Whether a fault that is not there by itself still waits to strike."""
        return (await self._ask("GET", row, "faults"))[service][name] is not None

    async def _ask(
        self, method: str, row: int, route: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        url = f"{self._urls[row]}/_control/{route}"
        tries = 1 if route == "drop" else _TRIES  # what was dropped once would be dropped again
        while True:
            tries -= 1
            try:
                answer = await self._http.request(method, url, json=body and dict(body))
                answer.raise_for_status()
            except httpx.TransportError:
                if not tries:
                    raise
            else:
                return dict(answer.json())
