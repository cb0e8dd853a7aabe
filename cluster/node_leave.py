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
SAID = (0, 1)  # exit codes of a drain that was one: nobody is there any more; somebody is
AWAY = 2
AGAIN_AFTER_S = 5.0
TRIED_FOR_S = 60.0  # a raylet whose GCS is away for longer ends by itself
_CALLCLUSTER = "from cluster.cli import main; main()"


Start = Callable[[float], "subprocess.Popen[bytes]"]


def option_of(arguments: Sequence[str], name: str) -> str:
    """The value of ``--name=value``; empty where it is not there."""
    begin = f"--{name}="
    return next((each[len(begin) :] for each in arguments if each.startswith(begin)), "")


class NodeLeave:
    """A drain that runs; ended with its block.

    One that could not begin (the GCS is away for a moment) is begun again for ``TRIED_FOR_S``: to
    end the node instead would cut every call there.

    Args:
        start: Starts it, given how long it may take. Raises ``OSError``. None where it cannot be.
        drain_s: How long it may take.
        clock: Seconds.
    """

    def __init__(
        self,
        start: Start | None,
        drain_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._clock = clock
        self._began_at = self._tried_at = clock()
        self._until = self._began_at + drain_s
        self._process = self._started()

    @classmethod
    def begin(cls, raylet: Sequence[str], drain_s: float) -> NodeLeave:
        """Drain a node.

        Args:
            raylet: How its raylet was started; that tells which cluster and node it is.
            drain_s: How long it may take.
        """
        address, node_id = option_of(raylet, "gcs-address"), option_of(raylet, "node_id")
        if not address or not node_id:
            return cls(None, drain_s)

        def start(within_s: float) -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603 - ourselves
                (sys.executable, "-c", _CALLCLUSTER, "drain", node_id, f"--deadline={within_s:g}"),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "RAY_ADDRESS": address},
                start_new_session=True,  # so that it can give way to the calls (``give_way``)
            )

        return cls(start, drain_s)

    def is_over(self) -> bool:
        """Whether it has ended, well or not: it has said so itself. To be asked again and again."""
        now = self._clock()
        if self._start is None or now >= self._until + LATE_S:
            return True
        code = AWAY if self._process is None else self._process.poll()
        if code is None:
            return False
        if code in SAID or now - self._began_at >= TRIED_FOR_S:
            return True
        if now - self._tried_at >= AGAIN_AFTER_S:
            self._tried_at = now
            self._process = self._started()
        return False

    def _started(self) -> subprocess.Popen[bytes] | None:
        if self._start is None:
            return None
        try:
            return self._start(max(1.0, self._until - self._clock()))
        except OSError:  # no process or no memory is left: perhaps in a moment
            return None

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
