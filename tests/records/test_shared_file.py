"""Several processes share one SQLite file: nobody deletes its log from under the others."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from records.database import Database
from records.key_store import KeyStore
from records.schema import migrate, prepare

# Another process writes a row and closes its only connection: the last one, as far as it can see.
WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("insert into api_keys values (?, 'hash', 'acme', 'name', 1, 0)", [sys.argv[2]])
connection.commit()
connection.close()
"""


def has_log(file: Path) -> bool:
    return Path(f"{file}-wal").exists()


async def another_process_writes(file: Path, key_id: str) -> None:
    def run() -> None:
        subprocess.run([sys.executable, "-c", WRITER, str(file), key_id], check=True, timeout=30)

    await asyncio.to_thread(run)


@pytest.mark.e2e
@pytest.mark.parametrize("begins_with", ["no file", "an empty file", "our tables"])
def test_a_process_that_has_started_keeps_its_hold_of_the_file(
    tmp_path: Path, begins_with: str
) -> None:
    file = tmp_path / "calls.sqlite3"

    async def use() -> None:
        if begins_with == "an empty file":
            file.touch()  # another process is about to make the tables
        elif begins_with == "our tables":
            await migrate(f"sqlite:///{file}")
        database, other = (Database(f"sqlite:///{file}", migrates=True) for _ in range(2))
        await prepare(database)
        keys = KeyStore(database)
        assert await keys.list() == []
        await prepare(other)  # in the same process: it looks at the file as well
        await other.aclose()
        for number in range(3):
            await another_process_writes(file, f"key-{number}")
            assert has_log(file)
            assert len(await keys.list()) == number + 1
        await keys.create("default", "ours", at_us=2)
        await database.aclose()

    asyncio.run(use())
    with sqlite3.connect(file) as connection:
        assert connection.execute("select count(*) from api_keys").fetchone() == (4,)
    connection.close()


@pytest.mark.e2e
def test_what_was_said_on_the_phone_is_nobody_elses(tmp_path: Path) -> None:
    file = tmp_path / "calls.sqlite3"

    def modes() -> dict[str, int]:
        return {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    async def prepared() -> dict[str, int]:
        database = Database(f"sqlite:///{file}")
        try:
            await prepare(database)
            return await asyncio.to_thread(modes)
        finally:
            await database.aclose()

    found = asyncio.run(prepared())
    assert file.name in found
    assert set(found.values()) == {0o600}, found
