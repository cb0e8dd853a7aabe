"""A real PostgreSQL server of one's own: in a new folder, on a free port of loopback, thrown away.

The binaries are found on the path or where Debian puts them. The server refuses to run as root, so
root starts it as the user ``postgres``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

USER = "callcluster"
PASSWORD = "secret"
_DEBIAN = Path("/usr/lib/postgresql")
_SERVER_USER = "postgres"


class NoPostgres(Exception):
    """No server can be started here; the message says why."""


class PostgresServer:
    """One server and its databases.

    Args:
        durable: Write to the disk as in production; otherwise faster.

    Raises:
        NoPostgres: It cannot be started here.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._binaries = _find_binaries()
        self._as_user = _user_to_run_as()
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._folder = Path(tempfile.mkdtemp(prefix="callcluster-postgres-"))
        if self._as_user:
            shutil.chown(self._folder, self._as_user, self._as_user)
        self._port = _free_port()
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        # fmt: off
        self._run(
            "initdb", "-D", str(self._data), "-U", USER, "-A", "scram-sha-256",
            f"--pwfile={password}", "-E", "UTF8", "--locale=C", "--no-sync",
        )
        # fmt: on
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": str(self._folder),
            "max_connections": "60",
            "shared_buffers": "32MB",
            "fsync": "on" if durable else "off",
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop; ``immediate`` is a crash: nothing is finished, nobody is told."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def url(self, database: str, *, user: str = USER, password: str = PASSWORD) -> str:
        """The ``DATABASE_URL`` of one of its databases."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self._port}/{database}"

    def new_database(self) -> str:
        """Make an empty database; returns its ``DATABASE_URL``."""
        name = next(self._names)
        self.execute("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, database: str, *statements: str) -> list[Any]:
        """Run statements one by one; returns the rows of the last."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url(database))
            try:
                rows: list[Any] = []
                for statement in statements:
                    rows = await connection.fetch(statement)
                return rows
            finally:
                await connection.close()

        return asyncio.run(run())

    def remove(self) -> None:
        """Stop it if it runs and remove its files."""
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        user = self._as_user
        # A file, since the server keeps what it inherits open for as long as it lives.
        with (self._folder / "output").open("w") as output:
            done = subprocess.run(
                [self._binaries / program, *arguments],
                cwd=self._folder,
                user=user or None,
                group=user or None,
                extra_groups=[] if user else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=120,
            )
        if done.returncode:
            said = (self._folder / "output").read_text()[-500:]
            log = self._folder / "log"
            raise NoPostgres(f"{program} failed: {said} {log.read_text() if log.exists() else ''}")


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A running server, removed at the end; skips the test where there can be none."""
    try:
        server = PostgresServer(durable=durable)
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL: {error}")
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of a process."""
    with running_postgres() as server:
        yield server


def _find_binaries() -> Path:
    found = shutil.which("pg_ctl")
    if found and shutil.which("initdb", path=str(Path(found).parent)):
        return Path(found).parent
    folders = sorted(
        (path.parent for path in _DEBIAN.glob("*/bin/initdb")),
        key=lambda folder: float(folder.parent.name),
    )
    if not folders:
        raise NoPostgres("initdb is not installed (Debian: apt install postgresql)")
    return folders[-1]


def _user_to_run_as() -> str:
    if os.geteuid():
        return ""
    try:
        pwd.getpwnam(_SERVER_USER)
    except KeyError:
        raise NoPostgres(f"it does not run as root, and there is no user {_SERVER_USER}") from None
    return _SERVER_USER


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
