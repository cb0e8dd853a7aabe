"""A PostgreSQL of the run's own, which can be stopped and started: in a folder that is thrown away.

The server refuses to run as root, so root starts it as the user ``postgres``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.errors import DemoFailed
from cluster.ports import free_port

_DEBIAN = Path("/usr/lib/postgresql")
_SERVER_USER = "postgres"
_USER = "callcluster"


def postgres_folder() -> Path | None:
    """Where its programs are, the newest version; None when it is not installed."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda path: _number(path.parts[-3]))
    return versions[-1].parent if versions else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


class DatabaseSwitch:
    """One server.

    Args:
        programs: Folder of ``pg_ctl`` and the others.
        folder: Empty, of the user who runs it.
        host: An address of this machine, beside 127.0.0.1, at which it is to be reached.

    Attributes:
        url: ``DATABASE_URL`` of its one database.
    """

    def __init__(self, programs: Path, folder: Path, host: str = "127.0.0.1") -> None:
        self._programs = programs
        self._folder = folder
        self._as_user = _SERVER_USER if os.geteuid() == 0 else None
        port, password = free_port(), secrets.token_hex(8)
        self.url = f"postgresql+asyncpg://{_USER}:{password}@{host}:{port}/postgres"
        if self._as_user:
            shutil.chown(folder, self._as_user, self._as_user)
        secret = folder / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        data = str(folder / "data")
        self._run("initdb", "-D", data, "-U", _USER, "-A", "scram-sha-256", f"--pwfile={secret}")
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = '127.0.0.1, {host}'\nport = {port}\n"
                f"unix_socket_directories = '{folder}'\nmax_connections = 100\n"
            )
        with (folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet scram-sha-256\n")

    def start(self) -> None:
        """Start, and wait until it takes connections. Raises ``DemoFailed``."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "start")

    def stop(self) -> None:
        """Stop as if it had crashed: nothing is finished, nobody is told."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = (str(self._programs / program), *arguments)
        done = subprocess.run(  # noqa: S603 - programs of the system's PostgreSQL
            command,
            user=self._as_user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
        )
        if done.returncode:
            raise DemoFailed(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")


@contextmanager
def running_postgres(host: str = "127.0.0.1") -> Iterator[DatabaseSwitch]:
    """A server for the length of a block. Raises ``DemoFailed`` when none can be started.

    Args:
        host: See ``DatabaseSwitch``.
    """
    programs = postgres_folder()
    if programs is None:
        raise DemoFailed("PostgreSQL is not installed (Debian: apt install postgresql)")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(_SERVER_USER)
        except KeyError:
            raise DemoFailed(
                "PostgreSQL does not run as root, and there is no user postgres"
            ) from None
    folder = Path(tempfile.mkdtemp(prefix="ccsurv-pg-"))
    try:
        switch = DatabaseSwitch(programs, folder, host)
        switch.start()
        try:
            yield switch
        finally:
            with contextlib.suppress(DemoFailed):  # it is stopped already
                switch.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
