"""``callcluster drain`` for the node that looks after itself, in a process of its own.

What looks after a node imports no Ray: it must not die with what it looks after.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

LATE_S = 20.0  # to start, and to say that it is too late
_CALLCLUSTER = "from cluster.cli import main; main()"


def option_of(arguments: Sequence[str], name: str) -> str:
    """The value of ``--name=value``; empty where it is not there."""
    begin = f"--{name}="
    return next((each[len(begin) :] for each in arguments if each.startswith(begin)), "")


class NodeLeave:
    """A drain that runs; ended with its block.

    Args:
        process: None when nothing could be started.
        until: By this clock it is over in any case.
        clock: Seconds.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes] | None,
        until: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = process
        self._until = until
        self._clock = clock

    @classmethod
    def begin(cls, raylet: Sequence[str], drain_s: float) -> NodeLeave:
        """Drain a node.

        Args:
            raylet: How its raylet was started; that tells which cluster and node it is.
            drain_s: How long it may take.
        """
        address, node_id = option_of(raylet, "gcs-address"), option_of(raylet, "node_id")
        until = time.monotonic() + drain_s + LATE_S
        if not address or not node_id:
            return cls(None, until)
        command = (sys.executable, "-c", _CALLCLUSTER, "drain", node_id, f"--deadline={drain_s:g}")
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "RAY_ADDRESS": address},
            start_new_session=True,  # so that it can give way to the calls (``give_way``)
        )
        return cls(process, until)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not: it has said so itself."""
        if self._process is None or self._process.poll() is not None:
            return True
        return self._clock() >= self._until

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
