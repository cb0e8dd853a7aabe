"""The disk of the call store is full, really: rows wait in memory, and none is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from records.database import Database
from records.schema import prepare
from records.store import RecordStore
from records.writer import RecordWriter, WriterConfig
from tests.records.rows import call, turn

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -m tests.records.test_full_disk "$1"'
TURNS = 400


def test_a_full_disk_costs_no_row(tmp_path: Path) -> None:
    """On a disk of one megabyte, in a mount namespace of its own: it is gone with the process."""
    try:
        subprocess.run([*UNSHARE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a disk of his own (unshare --mount)")
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", MOUNT, "sh", str(tmp_path), sys.executable],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def play(disk: Path) -> None:
    """Fill the disk, go on recording, make room."""
    url = f"sqlite:///{disk}/calls.sqlite3"
    ballast = disk / "ballast"
    store = Database(url)
    await prepare(store)
    await store.empty_log()
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            pass
    writer = RecordWriter(url, WriterConfig(flush_interval_s=0.01, first_retry_s=0.01))
    writer.put(call())
    for number in range(TURNS):
        writer.put(turn(number, caller_text="x" * 500))
    assert not await writer.flush(1.0)
    assert "the disk of DATABASE_URL" in writer.last_error, writer.last_error
    assert "is full" in writer.last_error, writer.last_error
    assert writer.pending == TURNS + 1
    ballast.unlink()
    assert await writer.flush(10.0)
    assert (writer.pending, writer.dropped, writer.last_error) == (0, 0, "")
    rows = await RecordStore(store).turns("acme", "call-1")
    assert [row.turn_id for row in rows] == list(range(TURNS))
    await writer.aclose()
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1])))
