"""The processes of a demo: started under a guard, watched through their log, stopped with us.

A child writes everything to one log file. What it says there decides when it is ready, and its last
lines are the reason when it is not.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from cluster.demo_guard import Guarded
from cluster.errors import DemoFailed
from cluster.settings import Settings

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
_CALLCLUSTER = "from cluster.cli import main; main()"
_LOOK_EVERY_S = 0.05
_SHOWN_LINES = 12
# Below the ports that systems give away by themselves, above those of Ray's workers.
_PORTS = range(20_000, 30_000)
_OURS = ("CALLCLUSTER_", "RAY_", "SERVE_")


def clean_environment(
    environment: Mapping[str, str], additions: Mapping[str, str]
) -> dict[str, str]:
    """An environment without any setting of the product or of Ray, so that nothing real is touched.

    Keys, databases and clusters of the person who runs the demo have no place in it.

    Args:
        environment: Usually ``os.environ``.
        additions: What this demo sets.
    """
    plain_names = {
        str(choice).upper()
        for field in Settings.model_fields.values()
        for choice in getattr(field.validation_alias, "choices", ())
    }
    kept = {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(_OURS) and name.upper() not in plain_names
    }
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))
    nowhere = ",".join(filter(None, [kept.get("NO_PROXY", ""), "127.0.0.1,localhost"]))
    return {
        **kept,
        "PYTHONPATH": path,
        "NO_PROXY": nowhere,
        "no_proxy": nowhere,
        "RAY_USAGE_STATS_ENABLED": "0",
        **additions,
    }


def free_ports(count: int) -> list[int]:
    """Ports in a row that nobody uses at the moment.

    Raises:
        DemoFailed: There is no such row.
    """
    for first in random.sample(_PORTS[:-count], 200):
        wanted = list(range(first, first + count))
        if all(map(_is_free, wanted)):
            return wanted
    raise DemoFailed(
        f"no {count} free TCP ports in a row between {_PORTS.start} and {_PORTS.stop}: end what "
        "holds them and run the demo again"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - to see whether anybody has it, nothing more
        except OSError:
            return False
    return True


class Child:
    """A ``callcluster`` command in a process of its own.

    Args:
        name: For messages, such as ``the emulators``.
        process: Its guard.
        log_path: Where all its output goes.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log_path: Path) -> None:
        self.name = name
        self._process = process
        self._log_path = log_path

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        log_path: Path,
        cwd: Path,
        folders: tuple[Path, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> Child:
        """Start ``callcluster ARGUMENTS``.

        Args:
            name: For messages.
            arguments: Of the command line.
            environment: All of it.
            log_path: Written anew.
            cwd: A folder without a ``.env``.
            folders: Removed when the child is gone.
            prefix: Comes before the command, such as a program that runs it elsewhere.
        """
        guarded = Guarded(
            command=(*prefix, sys.executable, "-c", _CALLCLUSTER, *arguments),
            folders=tuple(str(folder) for folder in folders),
        )
        with log_path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cluster.demo_guard",
                guarded.spec(),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops its children
            )
        return cls(name, process, log_path)

    @property
    def pid(self) -> int:
        """Process id of its guard, whose descendants are all there is of it."""
        return self._process.pid

    async def said(self, find: Callable[[str], T | None], within_s: float) -> T:
        """Wait until ``find`` finds something in the log.

        Args:
            find: Gets the whole log; None to go on waiting.
            within_s: Seconds.

        Raises:
            DemoFailed: The child ended, or was too slow; shows the end of its log.
        """
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            has_ended = self._process.returncode is not None
            found = find(self.log())
            if found is not None:
                return found
            if has_ended:
                raise self.failed(f"ended with exit code {self._process.returncode}")
            if asyncio.get_running_loop().time() >= deadline:
                raise self.failed(f"was not ready after {within_s:.0f} s")
            await asyncio.sleep(_LOOK_EVERY_S)

    def require_alive(self) -> None:
        """Raise ``DemoFailed`` if it has ended."""
        if self._process.returncode is not None:
            raise self.failed(f"ended with exit code {self._process.returncode}")

    def failed(self, what: str) -> DemoFailed:
        """The error to raise, with the end of the log and what to do."""
        lines = self.log().strip().splitlines()[-_SHOWN_LINES:]
        said = "\n".join(f"  | {line}" for line in lines) or "  | (it said nothing)"
        return DemoFailed(
            f"{self.name} {what}. The last lines of its log:\n{said}\n"
            f"All of it: {self._log_path}. Mend what it names and start again; new ports are "
            "chosen each time."
        )

    def log(self) -> str:
        """Everything it has said so far."""
        try:
            return self._log_path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def let_go(self) -> None:
        """Tell the guard to stop it; returns at once."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def stop(self) -> None:
        """Stop it and wait until nothing of it is left."""
        self.let_go()
        await self._process.wait()
