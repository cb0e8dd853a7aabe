"""A small shop that the tools of an agent can ask: a real HTTP server on loopback.

It notes every request, with the key by which a service tells a repeated one, so that a tool which
was used twice cannot go unnoticed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEFT = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        key: Its ``Idempotency-Key``; empty for none.
    """

    method: str
    path: str
    key: str


class ToolService:
    """The server; use ``running``.

    Args:
        answers_after_s: How long it takes to answer.

    Attributes:
        asked: Every request, in the order in which they came.
    """

    def __init__(self, answers_after_s: float = 0.0) -> None:
        self.asked: list[Asked] = []
        self._answers_after_s = answers_after_s
        self._is_closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[ToolService]:
        """Answer until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._is_closing.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Request(BaseHTTPRequestHandler):
            """``GET /stock/ITEM`` and ``POST /orders``."""

            def do_GET(self) -> None:
                """How many there are."""
                self._answer({"item": self.path.rpartition("/")[2], "left": LEFT})

            def do_POST(self) -> None:
                """An order is taken."""
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer({"state": "ordered"})

            def _answer(self, told: dict[str, object]) -> None:
                key = str(self.headers.get("Idempotency-Key") or "")
                service.asked.append(Asked(self.command, self.path, key))
                service._is_closing.wait(service._answers_after_s)
                body = json.dumps(told).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    return  # whoever asked is gone

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Request
