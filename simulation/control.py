"""The routes by which a person or a chaos test changes running emulators.

| request | does |
|---|---|
| ``GET /_control/faults`` | shows the faults of every service |
| ``POST /_control/faults {"service": ..., ...}`` | replaces one service's faults |
| ``DELETE /_control/faults`` | clears all |
| ``POST /_control/drop {"service": ...}`` | resets that service's open connections now |
| ``GET /_control/stats`` | requests taken and connections open, by service |

Every emulator's port answers them, for all services of the process. An emulator may add routes of
its own (``exchange_control``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict

from simulation.errors import FaultsInvalid
from simulation.faults import SERVICES, FaultBoard, Faults
from simulation.wire_http import Reply, Request

_log = logging.getLogger(__name__)
_PREFIX = "/_control/"

Route = Callable[[Request, Reply], None]


class Control:
    """Shared by all emulators of a process.

    Args:
        board: The faults.
    """

    def __init__(self, board: FaultBoard) -> None:
        self.board = board
        self._drop: dict[str, Callable[[], int]] = {}
        self._open: dict[str, Callable[[], int]] = {}
        self._requests = dict.fromkeys(SERVICES, 0)
        self._routes: dict[tuple[str, str], Route] = {}

    def add(self, method: str, name: str, route: Route) -> None:
        """Answer ``method`` for ``/_control/{name}`` as well."""
        self._routes[method, name] = route

    def register(self, service: str, drop: Callable[[], int], open_now: Callable[[], int]) -> None:
        """A service listens: how to drop its connections and to count them."""
        self._drop[service] = drop
        self._open[service] = open_now

    def counted(self, service: str) -> None:
        """One more request or handshake came to ``service``."""
        self._requests[service] += 1

    def failed(self, service: str, task: asyncio.Task[None]) -> None:
        """An emulator broke: that is a bug of ours, and is said aloud."""
        _log.error("the emulated %s broke", service, exc_info=task.exception())

    def answers(self, request: Request) -> bool:
        """Whether the request is for the control routes."""
        return request.path.startswith(_PREFIX)

    def answer(self, request: Request, reply: Reply) -> None:
        """Answer a control request. Raises ``WireViolation`` for a body that is not JSON."""
        wanted = request.method, request.path.removeprefix(_PREFIX)
        match wanted:
            case ("GET", "faults"):
                reply.json(200, {name: asdict(self.board.of(name)) for name in SERVICES})
            case ("POST", "faults"):
                self._set_faults(request, reply)
            case ("DELETE", "faults"):
                self.board.clear()
                reply.json(200, {})
            case ("POST", "drop"):
                drop = self._drop.get(str(request.json().get("service", "")))
                if drop is None:
                    reply.json(404, {"error": f"services here: {', '.join(self._drop)}"})
                else:
                    reply.json(200, {"dropped": drop()})
            case ("GET", "stats"):
                reply.json(200, self.stats())
            case _ if wanted in self._routes:
                self._routes[wanted](request, reply)
            case _:
                reply.json(404, {"error": "no such control route"})

    def stats(self) -> dict[str, dict[str, int]]:
        """Requests taken and connections open, by service."""
        return {
            name: {"requests": self._requests[name], "connections": count()}
            for name, count in self._open.items()
        }

    def _set_faults(self, request: Request, reply: Reply) -> None:
        wire = request.json()
        service = str(wire.pop("service", ""))
        try:
            self.board.set(service, Faults.parse(wire))
        except FaultsInvalid as error:
            reply.json(400, {"error": error.message})
        else:
            reply.json(200, {service: asdict(self.board.of(service))})
