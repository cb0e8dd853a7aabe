"""What the command line makes of ``/readyz``: progress in words, the reason of a failed start."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cluster.errors import ClusterError
from cluster.run_serve import START_FAILED, wait_until_ready

pytestmark = pytest.mark.e2e

Answers = list[tuple[int, dict[str, object]]]


@pytest.fixture
def replica() -> Iterator[tuple[int, Answers]]:
    """A port that gives these answers in turn, the last one for ever."""
    answers: Answers = []

    class Readyz(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Readyz)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port, answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_progress_is_said_once_for_each_change(replica: tuple[int, Answers]) -> None:
    port, answers = replica
    waiting = (503, {"waiting_for": ["recogniser: azure refused the key"]})
    answers += [waiting, waiting, (503, {"waiting_for": ["voice"]}), (200, {"ready": True})]
    said: list[str] = []
    assert wait_until_ready(port, 5, said.append) == {"ready": True}
    assert said == [
        "not ready, waiting for recogniser: azure refused the key",
        "not ready, waiting for voice",
    ]


def test_a_failed_start_is_not_waited_for(replica: tuple[int, Answers]) -> None:
    port, answers = replica
    answers.append((503, {"waiting_for": [f"{START_FAILED} the store cannot be opened"]}))
    with pytest.raises(ClusterError, match=r"the start failed: the store cannot be opened$"):
        wait_until_ready(port, 5)


def test_after_the_time_is_up_it_says_what_was_missing(replica: tuple[int, Answers]) -> None:
    port, answers = replica
    answers.append((503, {"waiting_for": ["call actors: not started within 60 s"]}))
    with pytest.raises(ClusterError, match=r"still waiting for call actors: not started"):
        wait_until_ready(port, 0.3)
