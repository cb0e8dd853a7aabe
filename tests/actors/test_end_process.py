"""What is ended is what it is taken for."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from actors.end_process import end_process, end_silent_replica
from actors.stream_watch_driver import GONE, LIVES


def test_a_held_process_is_ended_and_one_of_another_title_is_not() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "ServeReplica"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # one that is just being started has no command line yet
        assert end_process(process.pid, "MetricsActor")  # the id belongs to something else by now
        assert process.poll() is None
        assert end_process(process.pid, "ServeReplica")
        assert process.wait(10) == -9
        assert end_process(process.pid, "ServeReplica")
    finally:
        process.kill()
        process.communicate()


REPLICA = """
import http.server, sys, time
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(float(sys.argv[2]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def replica(
    monkeypatch: pytest.MonkeyPatch, title: str = "ServeReplica", late_s: float = 0.0
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", REPLICA, title, str(late_s)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().decode().strip()
        for end in ("MIN", "MAX"):
            monkeypatch.setenv(f"RAY_SERVE_DIRECT_INGRESS_{end}_HTTP_PORT", port)
        monkeypatch.setattr("actors.end_process.ANSWERS_WITHIN_S", 5.0 if not late_s else 0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_replica_that_answers_again_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with replica(monkeypatch) as process:
        assert end_silent_replica(process.pid) == LIVES
        assert process.poll() is None


def test_one_that_is_held_is_ended_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    with replica(monkeypatch) as process:
        process.send_signal(signal.SIGSTOP)
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            pass
        monkeypatch.setattr("actors.end_process._greets", lambda _port: pytest.fail("asked"))
        assert end_silent_replica(process.pid) == GONE
        assert process.wait(10) == -9


def test_one_that_takes_the_question_and_says_nothing_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with replica(monkeypatch, late_s=60.0) as process:
        assert end_silent_replica(process.pid) == GONE
        assert process.wait(10) == -9


def test_something_else_with_its_id_is_neither_asked_nor_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with replica(monkeypatch, title="Other") as process:
        assert end_silent_replica(process.pid) == GONE  # the replica is
        assert process.poll() is None
    assert end_silent_replica(process.pid) == GONE
