"""A database on which the product cannot run: one line before anything starts, nothing changed."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from cluster.cli import main
from records.database import Database
from records.migrations import FOLDER, HEAD, VERSION_TABLE
from records.rows import CallRow
from records.schema import migrate
from records.store import RecordStore

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
KEYS = {
    "AZURE_SPEECH_KEY": "k",
    "AZURE_SPEECH_REGION": "westeurope",
    "OPENAI_API_KEY": "k",
    "ELEVENLABS_API_KEY": "k",
    "CALLCLUSTER_MODE": "development",
}
CALL = CallRow("default", "reception", "v1", "c1", "CA1", started_at_us=1)
OURS = ("CALLCLUSTER_", "TWILIO_", "OPENAI_", "OPENROUTER_", "AZURE_", "DATABASE_", "RAY_ADDRESS")
STARTED = 77


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith((*OURS, "PUBLIC_URL")):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tests/fixtures/agents", tmp_path / "agents")
    (tmp_path / "var").mkdir()

    def started(*_: object, **__: object) -> None:
        raise SystemExit(STARTED)

    monkeypatch.setattr("cluster.run_serve.serve_until_stopped", started)


def serve(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", "serve"])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


def database(path: Path, version: str = HEAD) -> str:
    """A database with a call in it, as a program of ``version`` left it; its address."""
    url = f"sqlite:///{path}"

    async def fill() -> None:
        await migrate(url)
        store = RecordStore(url)
        await store.write([CALL])
        await store.aclose()

    asyncio.run(fill())
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = ?", (version,))
    connection.close()
    return url


async def make_tables_of(version: str, path: Path) -> None:
    """Tables as a program of that version made them."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    store = Database(f"sqlite:///{path}")

    def upgrade(connection: Any) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, version)

    async with store.writing() as connection:
        await connection.run_sync(upgrade)
    await store.aclose()


def calls_of(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT tenant_id, call_id FROM calls").fetchall()
    finally:
        connection.close()


def one_line(capsys: pytest.CaptureFixture[str], hint: str) -> None:
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("callcluster: ")
    assert hint in line


def test_a_database_in_order_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert serve(monkeypatch) == STARTED  # made at the first start
    monkeypatch.setenv("DATABASE_URL", database(tmp_path / "calls.sqlite3"))
    assert serve(monkeypatch) == STARTED


def test_an_older_file_at_the_default_place_is_brought_up_to_date(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "var/callcluster.sqlite3"
    asyncio.run(make_tables_of("0001", path))
    assert serve(monkeypatch) == STARTED
    with sqlite3.connect(path) as connection:
        assert connection.execute(f"SELECT * FROM {VERSION_TABLE}").fetchall() == [(HEAD,)]
    connection.close()


@pytest.mark.parametrize(
    ("version", "hint"), [("0001", "Run: callcluster records migrate"), ("9000", "upgrade")]
)
def test_a_database_of_another_version_is_refused_and_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    version: str,
    hint: str,
) -> None:
    path = tmp_path / "calls.sqlite3"
    monkeypatch.setenv("DATABASE_URL", database(path, version))
    before = path.read_bytes()
    assert serve(monkeypatch) == 2
    one_line(capsys, hint)
    assert path.read_bytes() == before
    assert calls_of(path) == [("default", "c1")]


def test_a_newer_file_at_the_default_place_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "var/callcluster.sqlite3"
    database(path, "9000")
    assert serve(monkeypatch) == 2
    one_line(capsys, "made by a newer version of callcluster (tables 9000")
    assert calls_of(path) == [("default", "c1")]


def test_a_read_only_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Opened read-only by its address: what root may write, an address can forbid."""
    path = tmp_path / "calls.sqlite3"
    database(path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///file:{path}?mode=ro&uri=true")
    assert serve(monkeypatch) == 2
    one_line(capsys, "DATABASE_URL")


def test_what_stands_in_the_place_of_the_database_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "var/callcluster.sqlite3"
    path.mkdir()
    assert serve(monkeypatch) == 2
    one_line(capsys, "is a directory")
    path.rmdir()
    path.write_bytes(b"Dear diary, " * 500)
    assert serve(monkeypatch) == 2
    one_line(capsys, "no sound SQLite database")
    assert path.read_bytes() == b"Dear diary, " * 500
    monkeypatch.setenv("CALLCLUSTER_DATA_DIR", str(path))
    assert serve(monkeypatch) == 2
    one_line(capsys, "CALLCLUSTER_DATA_DIR")


def test_on_a_cluster_the_nodes_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@10.0.0.1/calls")
    assert serve(monkeypatch) == STARTED


@pytest.mark.parametrize("typed", ["serve", "records migrate", "keys create x", "records check"])
def test_a_read_only_disk_is_one_line(tmp_path: Path, typed: str) -> None:
    """A real one, in a mount namespace of its own: it is gone with the command."""
    disk, main_ = tmp_path / "disk", "from cluster.cli import main; main()"
    disk.mkdir()
    database(tmp_path / "calls.sqlite3")
    script = (
        'set -e; mount -t tmpfs tmpfs "$1"; cp calls.sqlite3 "$1/callcluster.sqlite3"; '
        'mount -o remount,ro "$1"; shift; exec "$@"'
    )
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    command_line = [str(disk), sys.executable, "-c", main_, *typed.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CALLCLUSTER_DATA_DIR": str(disk)}
    try:
        subprocess.run([*unshare[:4], "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a disk of his own (unshare --mount)")
    done = subprocess.run(
        [*unshare, *command_line], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("callcluster: cannot write the call store")
    assert str(disk) in line
    assert "DATABASE_URL" in line
