"""A GCS that takes connections and says nothing hangs; one that is away, or new, does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cluster.gcs_pulse import ASK_EVERY_S, HUNG_S, GcsPulse, address_of

STEP_S = 0.1
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


class Gcs:
    """A server that greets back while it is told to."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self._open: list[socket.socket] = []
        self.port = int(self._listening.getsockname()[1])
        self.asked = 0

    def answer(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except BlockingIOError:
                return
            connection.settimeout(1.0)
            assert connection.recv(64).startswith(b"PRI * HTTP/2.0")
            connection.sendall(SETTINGS)
            self._open.append(connection)
            self.asked += 1

    def close(self) -> None:
        self._listening.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    server = Gcs()
    yield server
    server.close()


def looks(
    pulse: GcsPulse, gcs: Gcs, from_s: float, for_s: float, *, answers: bool, step_s: float = STEP_S
) -> list[float]:
    """When it is said to hang, while time passes."""
    found = []
    for number in range(round(for_s / step_s)):
        now = from_s + number * step_s
        if pulse.hangs(now=now):
            found.append(now)
        if answers:
            gcs.answer()
    return found


def test_one_that_answers_is_asked_now_and_then_and_left_alone(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    assert looks(pulse, gcs, 0.0, 60.0, answers=True) == []
    assert 40 <= gcs.asked <= 60 / ASK_EVERY_S
    pulse.close()


def test_one_that_stops_to_answer_hangs_after_a_while(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    looks(pulse, gcs, 0.0, 5.0, answers=True)
    found = looks(pulse, gcs, 5.0, 2 * HUNG_S, answers=False)
    assert HUNG_S <= found[0] - 5.0 + ASK_EVERY_S <= HUNG_S + 3 * ASK_EVERY_S
    pulse.close()


def test_a_pause_is_no_hang(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    looks(pulse, gcs, 0.0, 5.0, answers=True)
    assert looks(pulse, gcs, 5.0, HUNG_S - 2.0, answers=False) == []
    assert looks(pulse, gcs, 5.0 + HUNG_S - 2.0, 10.0, answers=True) == []
    pulse.close()


def test_one_that_has_never_answered_is_not_judged(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    assert looks(pulse, gcs, 0.0, 3 * HUNG_S, answers=False) == []
    pulse.close()


def test_one_that_refuses_is_not_there_and_does_not_hang(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    looks(pulse, gcs, 0.0, 5.0, answers=True)
    gcs.close()
    assert looks(pulse, gcs, 5.0, 3 * HUNG_S, answers=False) == []
    pulse.close()


def test_a_watch_that_was_late_itself_judges_nobody(gcs: Gcs) -> None:
    pulse = GcsPulse("127.0.0.1", gcs.port)
    looks(pulse, gcs, 0.0, 5.0, answers=True)
    assert looks(pulse, gcs, 5.0, 4 * HUNG_S, answers=False, step_s=5.0) == []
    pulse.close()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (
            ("gcs_server", "--gcs_server_port=6379", "--node-ip-address=10.0.0.7"),
            ("10.0.0.7", 6379),
        ),
        (("gcs_server", "--gcs_server_port=6379"), ("127.0.0.1", 6379)),
        (("gcs_server", "--gcs_server_port=0"), None),
        (("gcs_server", "--gcs_server_port=x", "--flag"), None),
        (("gcs_server",), None),
    ],
)
def test_where_it_listens_stands_in_its_arguments(
    arguments: tuple[str, ...], found: tuple[str, int] | None
) -> None:
    assert address_of(arguments) == found
