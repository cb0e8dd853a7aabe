"""Whether the GCS of this machine hangs: it is greeted as by a client, and has to greet back.

A GCS that dies is started again; one that is held, or swaps, keeps its port, and nobody who dies
meanwhile is started again: no CallActor, no replica.

Rules
1. A question is one connection with the first words of HTTP/2, which gRPC answers by itself. The
   next one comes ``ASK_EVERY_S`` after an answer.
2. It hangs when a question that it has not refused is unanswered for ``HUNG_S``.
3. Who has never answered is not judged: it may be starting, or want TLS.
4. Who was late himself judges nobody: after two looks ``LATE_S`` apart, the question is put anew.

Nothing here waits; ``now`` is seconds of any clock that only goes on.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

ASK_EVERY_S = 1.0
HUNG_S = 15.0
LATE_S = 1.0
# The client's preface, and empty settings (RFC 9113, 3.4).
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EAGAIN})


def address_of(arguments: Sequence[str]) -> tuple[str, int] | None:
    """Where a GCS with these arguments listens; None when they do not say it."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    port = given.get("--gcs_server_port", "")
    if not port.isdigit() or not int(port):
        return None
    return given.get("--node-ip-address") or "127.0.0.1", int(port)


class GcsPulse:
    """See the rules above.

    Args:
        host: An address of this machine.
        port: Where the GCS listens.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._question: socket.socket | None = None
        self._is_sent = self._has_answered = False
        self._asked_at = self._ask_at = 0.0
        self._looked_at: float | None = None

    def hangs(self, *, now: float) -> bool:
        """Look; several times a second."""
        before, self._looked_at = self._looked_at, now
        if before is not None and now - before > LATE_S:
            self.close()
            self._ask_at = now
        if self._question is None and now >= self._ask_at:
            self._ask(now)
        if self._question is not None:
            self._listen(self._question, now)
        is_late = self._question is not None and now - self._asked_at >= HUNG_S
        return is_late and self._has_answered

    def close(self) -> None:
        """End the question that is open."""
        if self._question is not None:
            self._question.close()
        self._question = None

    def _ask(self, now: float) -> None:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._ask_at = now + ASK_EVERY_S
        try:
            asking = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # no descriptor is left: that says nothing about the GCS
            return
        asking.setblocking(False)
        if asking.connect_ex(self._address) not in _UNDER_WAY:
            asking.close()
            return
        self._question, self._is_sent, self._asked_at = asking, False, now

    def _listen(self, question: socket.socket, now: float) -> None:
        try:
            if not self._is_sent:
                question.send(_GREETING)
                self._is_sent = True
            self._has_answered = bool(question.recv(64)) or self._has_answered
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENOTCONN:  # not yet
                return
        self._ask_at = now + ASK_EVERY_S
        self.close()
