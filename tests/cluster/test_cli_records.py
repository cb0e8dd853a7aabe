"""What a person sees of the records: every command on the database at its default place."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from cluster import response_cache_desk
from cluster.cli import main
from cluster.errors import ClusterError
from cluster.response_cache_desk import open_file
from cluster.settings import Settings
from cluster.wall_clock import wall_clock_us
from records.database import Database
from records.migrations import HEAD, VERSION_TABLE
from records.recording_store import RecordingStore
from records.store import RecordStore
from tests.records.edge_samples import recording
from tests.records.rows import call, turn

pytestmark = pytest.mark.e2e

DAY_US = 86_400_000_000


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CALLCLUSTER_", "TWILIO_")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr(response_cache_desk, "_join", lambda: False)  # no Ray in a unit test
    monkeypatch.setenv("CALLCLUSTER_CACHE_MODEL", "no-such-model")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n" * 3))
    monkeypatch.chdir(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", "records", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


@pytest.fixture
def url(tmp_path: Path, migrated_file: Path) -> str:
    """The database at its default place: one call of today, one of a hundred days ago."""
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_file, tmp_path / "var/callcluster.sqlite3")
    address = f"sqlite:///{tmp_path}/var/callcluster.sqlite3"

    async def fill() -> None:
        database = Database(address)
        now_us = wall_clock_us()
        await RecordStore(database).write(
            [
                call(call_id="new", started_at_us=now_us, caller="+15550001"),
                call(call_id="old", started_at_us=now_us - 100 * DAY_US),
                turn(1, call_id="new", caller_text="=1+1"),
                turn(1, call_id="old"),
            ]
        )
        await RecordingStore(database).put(recording(call_id="new"))
        await database.aclose()

    asyncio.run(fill())
    return address


def execute(url: str, statement: str) -> None:
    async def main_() -> None:
        database = Database(url)
        async with database.writing() as connection:
            await connection.execute(text(statement))
        await database.aclose()

    asyncio.run(main_())


def test_tables_are_made_and_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "migrate") == 0
    assert (tmp_path / "var/callcluster.sqlite3").exists()
    assert run(monkeypatch, "migrate") == 0
    assert run(monkeypatch, "check") == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"ok: from empty to {HEAD}"
    assert said[1].startswith("ok: nothing to do")
    assert said[2].startswith("ok: the tables are those of this version")


@pytest.mark.parametrize(("version", "hint"), [("0001", "records migrate"), ("9000", "upgrade")])
def test_other_tables_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    url: str,
    version: str,
    hint: str,
) -> None:
    execute(url, f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
    assert run(monkeypatch, "check") == 1
    assert hint in capsys.readouterr().err


def test_a_newer_database_is_not_migrated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    execute(url, f"UPDATE {VERSION_TABLE} SET version_num = '9000'")
    assert run(monkeypatch, "migrate") == 2
    said = capsys.readouterr().err
    assert "made by a newer version of callcluster" in said
    assert "Traceback" not in said


def test_calls_and_turns_are_exported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    assert run(monkeypatch, "export", "--folder", "out") == 0
    shown = capsys.readouterr()
    assert "2 calls, 2 turns" in shown.err
    assert shown.out.split() == ["out/calls.csv", "out/turns.csv"]
    assert "'=1+1" in (tmp_path / "out/turns.csv").read_text()
    assert run(monkeypatch, "export", "--folder", "out") == 2
    assert "out/calls.csv is there already" in capsys.readouterr().err
    chosen = ("--until", "2026-01-01", "--tenant", "nobody", "--database-url", url, "--overwrite")
    assert run(monkeypatch, "export", "--folder", "out", *chosen) == 0
    assert "0 calls, 0 turns" in capsys.readouterr().err


def test_a_day_nobody_can_read_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run(monkeypatch, "export", "--from", "yesterday") == 2
    assert "--from yesterday: write a day or a time" in capsys.readouterr().err


def test_old_calls_are_pruned_after_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("CALLCLUSTER_RETENTION_DAYS", "90")
    assert run(monkeypatch, "prune") == 1  # the answer is no
    assert "1 calls began before" in capsys.readouterr().err
    assert run(monkeypatch, "prune", "--yes") == 0
    assert "deleted 1 calls, 1 turns" in capsys.readouterr().err
    assert run(monkeypatch, "prune") == 0
    assert "0 calls began before" in capsys.readouterr().err


def test_calls_are_kept_for_ever_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run(monkeypatch, "prune", "--yes") == 2
    assert "CALLCLUSTER_RETENTION_DAYS" in capsys.readouterr().err


def test_a_call_is_erased_after_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, tmp_path: Path
) -> None:
    assert run(monkeypatch, "erase", "new", "--tenant", "acme") == 1
    assert run(monkeypatch, "erase", "new", "--tenant", "acme", "--yes") == 0
    shown = capsys.readouterr()
    assert "erased: 1 turns" in shown.err
    assert shown.out.strip() == "RE1"
    assert "no cluster runs here" in shown.err
    assert "callcluster cache purge --tenant acme --source new/" in shown.err
    assert not (tmp_path / "var/cache").exists(), "no file is begun for it"
    assert b"+15550001" not in (tmp_path / "var/callcluster.sqlite3").read_bytes()
    assert run(monkeypatch, "erase", "nobody", "--tenant", "acme", "--yes") == 2
    assert "tenant acme has no call nobody" in capsys.readouterr().err


def keep_answers(*calls: str) -> Settings:
    """The file of a response cache that knows an answer of each of these calls."""
    settings = Settings(_env_file=None)

    async def fill() -> None:
        async with open_file(settings) as desk:
            card = {"question": "When do you open?", "answer": "We open at nine."}
            for source in calls:
                scope = {"tenant_id": "acme", "agent_id": source, "language": "en-US"}
                await desk.bring({"scope": scope, "cards": [{**card, "source": source}]})

    asyncio.run(fill())
    return settings


def kept_sources(settings: Settings) -> list[str]:
    async def look() -> list[str]:
        async with open_file(settings) as desk:
            return sorted(row["source"] for row in (await desk.look({}))["rows"])

    return asyncio.run(look())


@pytest.mark.parametrize("owners", ["1", "2"])
def test_an_erased_call_is_forgotten_by_the_response_cache_in_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, owners: str
) -> None:
    monkeypatch.setenv("CALLCLUSTER_CACHE_OWNERS", owners)
    settings = keep_answers("new/1", "new/2", "newer/1")
    assert run(monkeypatch, "erase", "new", "--tenant", "acme", "--yes") == 0
    assert "the response cache has forgotten 2 answers" in capsys.readouterr().err
    assert kept_sources(settings) == ["newer/1"]


def test_a_response_cache_that_is_not_reached_is_said_with_what_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    def refused() -> bool:
        raise ClusterError("no Ray cluster at '10.0.0.5:6379'")

    monkeypatch.setattr(response_cache_desk, "_join", refused)
    assert run(monkeypatch, "erase", "new", "--tenant", "acme", "--yes") == 1
    said = capsys.readouterr().err
    assert "erased: 1 turns" in said
    assert "may still be given: no Ray cluster at '10.0.0.5:6379'" in said
    assert "callcluster cache purge --tenant acme --source new/" in said


def test_a_cache_that_is_off_and_was_never_kept_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("CALLCLUSTER_CACHE", "false")
    assert run(monkeypatch, "erase", "new", "--tenant", "acme", "--yes") == 0
    assert "cache" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("nonsense", "not a database address"),
        ("mysql://root@host/db", "speaks sqlite and postgresql"),
        ("sqlite:////missing/calls.sqlite3", "make it"),
        ("postgresql://user:hunter2@127.0.0.1:1/calls", "DATABASE_URL"),
    ],
)
@pytest.mark.parametrize(
    "command", [["check"], ["migrate"], ["export"], ["prune", "--days", "1"], ["erase", "x", "-y"]]
)
def test_a_wrong_address_is_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    hint: str,
    command: list[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    assert run(monkeypatch, *command) == 2
    said = capsys.readouterr().err
    assert hint in said
    assert "hunter2" not in said
    assert len(said.strip().splitlines()) == 1
