"""``callcluster call`` over sockets: against an API of the agreed form, and a simulated caller."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cluster.call_simulated import recorded_transcript, simulate_call
from cluster.cli import main
from cluster.ports import free_port
from cluster.settings import Settings
from records.rows import CallRow, TurnRow
from records.store import RecordStore
from tests.support.edge_stage import TOKEN, EdgeStage

pytestmark = pytest.mark.e2e

TURN = {"turn_id": 1, "caller_text": "Hi", "agent_text": "Hello. More?", "heard_text": "Hello."}
COST = {"cost_usd": 0.0123}


class _Api(BaseHTTPRequestHandler):
    """One call that is answered when it is first looked at and over at the second look."""

    looks: list[dict[str, Any]]
    posted: list[tuple[dict[str, str], Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.append((dict(self.headers), body))
        self._say(201, {"call_id": "c1", "state": "queued"})

    def do_GET(self) -> None:
        look = self.looks.pop(0)
        status = look.pop("status", 200)
        self._say(status, {"call_id": "c1", **look}) if look else self._say(502, "no replica")

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def _say(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def api() -> Iterator[tuple[str, type[_Api]]]:
    handler = type("Api", (_Api,), {"looks": [], "posted": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def type_call(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("cluster.cli_call.LOOK_EVERY_S", 0.01)
    whom = ("call", "--to", "+14155550123", "--url", url, "--api-key", "cck_1_x")
    monkeypatch.setattr("sys.argv", ["callcluster", *whom, *arguments])
    try:
        main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def test_a_call_is_watched_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    api: tuple[str, type[_Api]],
) -> None:
    url, server = api
    server.looks = [
        {"state": "answered"},
        {},  # the proxy has no replica just now
        {"status": 503, "error": {"code": "store_unavailable", "message": "the call store: away"}},
        {"state": "completed", "started_at": "now"},  # the records are not so quick
        {"state": "completed", "started_at": "now", "ended_at": "now", "turns": [TURN], **COST},
    ]
    assert type_call(monkeypatch, tmp_path, url, "--wait", "--var", "name=Ann") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "-- waiting for its turn",
        "-- answered",
        "Caller  Hi",
        "Agent   Hello. [More?]",
        "-- over",
    ]
    assert "cost 0.0123 USD" in said.err
    ((headers, body),) = server.posted
    assert headers["Authorization"] == "Bearer cck_1_x"
    assert len(headers["Idempotency-Key"]) > 30
    assert body["variables"] == {"name": "Ann"}


@pytest.mark.parametrize(("looks", "said"), [(60, "away"), (1, "revoked")])
def test_a_call_that_cannot_be_watched_any_more_is_said(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    api: tuple[str, type[_Api]],
    looks: int,
    said: str,
) -> None:
    url, server = api
    error = {"code": "x", "message": said}
    server.looks = [{"status": 503 if looks > 1 else 401, "error": error} for _ in range(looks)]
    assert type_call(monkeypatch, tmp_path, url, "--wait") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"callcluster: {said}")
    assert ("-- no news of the call just now: away" in lines) == (looks > 1)


def test_a_call_that_nobody_answers_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, api: tuple[str, type[_Api]]
) -> None:
    url, server = api
    server.looks = [{"state": "no-answer"}]
    assert type_call(monkeypatch, tmp_path, url, "--wait") == 4


def test_without_waiting_the_call_is_only_placed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    api: tuple[str, type[_Api]],
) -> None:
    assert type_call(monkeypatch, tmp_path, api[0], "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"call_id": "c1", "state": "queued"}


def test_a_simulated_call_is_told_as_it_happens(tmp_path: Path) -> None:
    said: list[str] = []
    settings = Settings(_env_file=None, data_dir=tmp_path / "nowhere")
    with EdgeStage().running() as stage:
        url = stage.doors["good"].url
        assert simulate_call(
            url, turns=1, auth_token=TOKEN, public_url=url, settings=settings, say=said.append
        )
        assert not simulate_call(
            url, turns=1, auth_token="x" * 32, public_url=url, settings=settings, say=said.append
        )
    text = "\n".join(said)
    assert "-- the line is open" in text
    assert "-- answered after" in text
    assert "ended by the caller" in text
    assert "-- no transcript: " in text
    assert "1 of 1 offered calls failed" in text


def test_the_words_of_a_call_come_from_the_records(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)

    async def body() -> None:
        store = RecordStore(settings.store_url)
        await store.prepare()
        identity = ("default", "good", "v1", "c1", "CA1")
        said = {"caller_text": "ten of clubs", "agent_text": "Noted.", "heard_text": "Noted."}
        call = CallRow(*identity, started_at_us=1, ended_at_us=2)
        await store.write([call, TurnRow(*identity, turn_id=1, **said)])
        await store.aclose()
        assert await recorded_transcript(settings, "CA1") == [
            "Caller  ten of clubs",
            "Agent   Noted.",
        ]

    asyncio.run(body())


@pytest.mark.parametrize("words", [("load", "--calls", "2"), ("call", "--simulate")])
def test_no_call_is_placed_where_nobody_listens(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr("sys.argv", ["callcluster", *words, "--url", url])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"nothing answers at {url} (Connection refused): is 'callcluster serve' run" in said
