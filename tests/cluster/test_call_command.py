"""``callcluster call`` as it is typed, against the product's own API and the emulated carrier."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cluster.call_costs import CallCosts
from cluster.cli import main
from cluster.recorder import StoreRecorder
from providers.settings import ProviderSettings
from records.key_store import KeyStore
from records.writer import RecordWriter
from simulation.callee_book import Callee
from simulation.faults import Faults
from telemetry.ledger import MetricsLedger
from telemetry.prices import load_prices
from tests.support.calling_stage import THEIRS, CallingStage, now_us
from tests.support.edge_stage import CLIP, EdgeStage

pytestmark = pytest.mark.e2e

TALKS = Callee(after_s=0.05, says=(CLIP,), talk_s=6.0)
STAYS = Callee(after_s=0.0, talk_s=60.0)
PASSING = ("-- asking Twilio", "-- ringing")  # over before they are seen, or not
MAIN = "from cluster.cli import main; main()"


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage().running() as running:
        yield running


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CALLCLUSTER_", "TWILIO_", "DATABASE_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr("cluster.cli_call.LOOK_EVERY_S", 0.02)
    monkeypatch.chdir(tmp_path)


@contextmanager
def product(
    stage: EdgeStage, folder: Path, callee: Callee = STAYS, **settings: Any
) -> Iterator[CallingStage]:
    calling = stage.play(CallingStage.open(stage, folder, callee, **settings))
    try:
        yield calling
    finally:
        stage.play(calling.aclose())


@contextmanager
def keeping_records(calling: CallingStage) -> Iterator[None]:
    """What the CallActors record goes into the product's own tables."""

    async def begin() -> RecordWriter:
        agents = {(agent.tenant_id, agent.agent_id): agent for agent in stage.agents.values()}
        writer = RecordWriter(calling.database)
        costs = CallCosts(MetricsLedger("call-actor", 1), load_prices(), agents, ProviderSettings())
        for home in stage.pool.homes.values():
            home.driver._calls._recorder = StoreRecorder(writer, costs)
        return writer

    stage = calling.stage
    writer = stage.play(begin())
    yield
    for home in stage.pool.homes.values():
        home.driver._calls._recorder = home.recorder
    stage.play(writer.aclose())


class Command:
    """What came of a command."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *typed: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["callcluster", *typed])
            try:
                main()
                self.code = 0
            except SystemExit as done:
                self.code = int(done.code or 0)
        said = capsys.readouterr()
        self.out = said.out.splitlines()
        self.err = said.err.splitlines()


class Typed(Command):
    """What came of ``callcluster call``."""

    def __init__(
        self, capsys: pytest.CaptureFixture[str], url: str, *arguments: str, to: str = THEIRS
    ) -> None:
        super().__init__(capsys, "call", "--to", to, "--url", url, *arguments)


def test_a_call_is_placed_and_what_is_said_is_printed(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with product(stage, tmp_path, TALKS) as calling, keeping_records(calling):
        typed = Typed(capsys, calling.door.url, "--wait")
        (leg,) = calling.legs()
    assert typed.code == 0
    assert [line for line in typed.out if line not in PASSING] == [
        "-- waiting for its turn",
        "-- answered",
        "Agent   Hi.",
        "Caller  Ten of clubs.",
        "Agent   Noted.",
        "-- over: caller hung up",
    ]
    assert len(set(typed.out)) == len(typed.out)
    assert leg.report.status == "completed"


def test_calls_are_listed_shown_and_ended(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with product(stage, tmp_path, STAYS) as calling, keeping_records(calling):
        at = ("--url", calling.door.url)
        nobody = Command(capsys, "calls", "list", *at)
        call_id = Typed(capsys, calling.door.url).err[0].split()[1]
        stage.play(calling.until_state(call_id, "answered"))
        listed = Command(capsys, "calls", "list", *at)
        others = Command(capsys, "calls", "list", "--state", "failed", *at)
        plain = Command(capsys, "calls", "list", "--json", *at)
        ended = Command(capsys, "calls", "hang-up", call_id, *at)
        stage.play(calling.until_state(call_id, "completed"))
        again = Command(capsys, "calls", "hang-up", call_id, *at)
        over = Command(capsys, "calls", "list", *at)
        every = Command(capsys, "calls", "list", "--all", "--limit", "1", *at)
        shown = Command(capsys, "calls", "show", call_id, *at)
        unknown = Command(capsys, "calls", "show", "../agents", *at)
    assert (nobody.out, nobody.err) == ([], ["no calls in progress (--all: those that are over)"])
    row = listed.out[1].split()
    assert row[:3] == [call_id, "answered", "out"]
    assert THEIRS in row
    assert (len(listed.out), listed.err) == (2, [])
    assert (others.out, others.err) == ([], ["no calls"])
    assert [call["call_id"] for call in json.loads("".join(plain.out))] == [call_id]
    assert ended.err[0].startswith(f"call {call_id}: ")
    assert again.err == [f"call {call_id}: completed"]
    assert over.out == []
    assert every.out[1].split()[:2] == [call_id, "completed"]
    assert every.err == ["these are 1: there may be more (--limit)"]
    assert shown.out[0] in {"Agent   Hi.", "Agent   [Hi.]"}  # heard or not, before it was ended
    assert shown.out[-1].startswith("-- over")
    assert unknown.code == 2
    assert len(unknown.err) == 1


def test_with_a_key_the_same_call_is_asked_for_twice_and_placed_once(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with product(stage, tmp_path) as calling:
        once = [
            Typed(capsys, calling.door.url, "--idempotency-key", "monday-ann") for _ in range(2)
        ]
        other = Typed(capsys, calling.door.url, "--idempotency-key", "monday-ann", "--record")
    assert [typed.code for typed in once] == [0, 0]
    assert once[0].err == once[1].err
    assert other.code == 2
    assert_one_line(other, "Idempotency-Key")


@pytest.mark.parametrize(("outcome", "line"), [("busy", "busy"), ("no-answer", "nobody answered")])
def test_nobody_answers(
    stage: EdgeStage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    outcome: Any,
    line: str,
) -> None:
    with product(stage, tmp_path, Callee(outcome=outcome, after_s=0.05)) as calling:
        typed = Typed(capsys, calling.door.url, "--wait", "--timeout", "1")
    assert typed.code == 4
    assert line in typed.out[-1]


def test_a_number_that_the_carrier_refuses(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with product(stage, tmp_path) as calling:
        calling.board.set("twilio", Faults(status=400))
        typed = Typed(capsys, calling.door.url, "--wait")
        calling.board.clear()
    assert typed.code == 4
    assert typed.out[-1].startswith("-- failed: ")
    assert len(typed.out[-1]) > len("-- failed: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--agent", "nobody"), "there is no agent 'nobody'; there are: good (--agent)"),
        (("--from", "+14155550111"), "from: this is no number of yours"),
        (("--api-key", "cck_wrong"), "callcluster keys create"),
        (("--idempotency-key", "a b"), "--idempotency-key: 1 to 200 ASCII characters"),
    ],
)
def test_what_the_api_refuses_is_one_line(
    stage: EdgeStage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    with product(stage, tmp_path) as calling:
        typed = Typed(capsys, calling.door.url, *arguments)
        placed = len(calling.legs())
    assert (typed.code, placed) == (2, 0)
    assert_one_line(typed, said)


def test_outside_development_mode_a_key_is_needed_and_enough(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secure = {"mode": "production", "public_url": "https://v.example"}
    with product(stage, tmp_path, **secure) as calling:
        refused = Typed(capsys, calling.door.url)
        keys = KeyStore(calling.database)
        secret = stage.play(keys.create("default", "laptop", at_us=now_us()))
        accepted = Typed(capsys, calling.door.url, "--api-key", secret)
    assert refused.code == 2
    assert_one_line(refused, "CALLCLUSTER_API_KEY")
    assert (accepted.code, accepted.err[0].split()[0]) == (0, "call")


def test_a_product_that_is_away_is_said_with_its_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = Typed(capsys, "http://127.0.0.1:1")
    assert typed.code == 2
    assert_one_line(typed, "nothing answers at http://127.0.0.1:1")


def test_tables_of_another_version_are_said_and_nothing_is_lost(
    stage: EdgeStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody restored an older backup under the running product."""
    with product(stage, tmp_path) as calling:
        url = calling.door.url
        before = Typed(capsys, url)

        async def run_sql(statement: str) -> None:
            async with calling.database.writing() as connection:
                await connection.execute(text(statement))

        stage.play(run_sql("ALTER TABLE call_requests RENAME TO call_requests_of_9000"))
        refused = Typed(capsys, url)
        stage.play(run_sql("ALTER TABLE call_requests_of_9000 RENAME TO call_requests"))
        after = Typed(capsys, url)
        calls = stage.play(calling.api.get("/v1/calls")).json()["calls"]
    assert (before.code, refused.code, after.code) == (0, 2, 0)
    assert_one_line(refused, "callcluster records migrate")
    assert {f"call {call['call_id']}" for call in calls} == {*before.err, *after.err}


# --- Ctrl-C --------------------------------------------------------------------------------------


class Terminal:
    """A command in a terminal of its own, with a person at the keys."""

    def __init__(self, folder: Path, url: str, *, has_keyboard: bool) -> None:
        self._master, slave = pty.openpty()
        stdin = slave if has_keyboard else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "call", "--to", THEIRS, "--url", url, "--wait"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NO_COLOR": "1"},
            stdin=stdin,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def read_until(self, text: str) -> None:
        while text not in self.seen:
            ready, _, _ = select.select([self._master], [], [], 20)
            assert ready, f"{text!r} did not come: {self.seen}"
            try:
                self.seen += os.read(self._master, 4096).decode()
            except OSError:
                raise AssertionError(f"{text!r} did not come: {self.seen}") from None

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self._master)


@pytest.mark.parametrize(("answer", "state"), [("y\n", "completed"), ("n\n", "answered")])
def test_ctrl_c_asks_whether_to_hang_up(
    stage: EdgeStage, tmp_path: Path, answer: str, state: str
) -> None:
    with product(stage, tmp_path) as calling:
        terminal = Terminal(tmp_path, calling.door.url, has_keyboard=True)
        terminal.read_until("-- answered")
        terminal.ctrl_c()
        terminal.read_until("Hang up?")
        terminal.type(answer)
        terminal.read_until("-- over" if state == "completed" else "the call goes on")
        assert terminal.end() == 130
        call_id = terminal.seen.split()[1]
        stage.play(calling.until_state(call_id, state))


def test_without_a_keyboard_ctrl_c_lets_the_call_go_on(stage: EdgeStage, tmp_path: Path) -> None:
    with product(stage, tmp_path) as calling:
        terminal = Terminal(tmp_path, calling.door.url, has_keyboard=False)
        terminal.read_until("-- answered")
        terminal.ctrl_c()
        terminal.read_until("the call goes on")
        assert terminal.end() == 130
        stage.play(calling.until_state(terminal.seen.split()[1], "answered"))


def assert_one_line(typed: Typed, said: str) -> None:
    (line,) = typed.err
    assert line.startswith("callcluster: ")
    assert said in line
    assert typed.out == []
