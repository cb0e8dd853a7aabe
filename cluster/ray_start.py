"""``ray start``, in our words: what Ray says is shown when it fails, and its warnings always.

On success it advises commands that are not ours: ``ray start`` for other nodes, ``ray stop`` for
the end, which would cut every call of the node.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence

from cluster.errors import ClusterError
from cluster.node_leave import option_of

RUNS = "Ray runs here"  # whoever waits for a start waits for this
_LOOK_EVERY_S = 0.1
_RAY = "from ray.scripts.scripts import main; main()"
_PLAIN = ("--log-style=record", "--log-color=false")
_WARNING = re.compile(r"\S+ [\d:,]+\s+(?:WARNING|ERROR) \S+ -- (.*)|(\[\S+ \S+ [WEF] .*)")
_EXPECTED = "Token authentication is enabled"  # as it is to be

Say = Callable[[str], None]


def start_ray(arguments: Sequence[str], stopping: threading.Event, say: Say) -> None:
    """Run ``ray start``; what it starts goes on without it.

    Args:
        arguments: Of ``ray start``.
        stopping: Ends it before it is done.
        say: Told its warnings, or all that it said if it fails.

    Raises:
        ClusterError: It ended with an error.
    """
    command = [sys.executable, "-c", _RAY, "start", *_PLAIN, *arguments]
    with tempfile.TemporaryFile() as file:
        # A file, as what it starts inherits its end of a pipe and would keep it open.
        with subprocess.Popen(  # noqa: S603 - Ray
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
        ) as starting:
            while starting.poll() is None:
                if stopping.wait(_LOOK_EVERY_S):
                    starting.terminate()
        file.seek(0)
        said = file.read().decode(errors="replace")
    if not starting.returncode or stopping.is_set():
        for warning in warnings_of(said):
            say(f"Ray: {warning}")
        return
    say(said.strip())
    raise ClusterError(
        f"'ray start {' '.join(arguments)}' ended with exit code {starting.returncode}: what it "
        "said stands above"
    )


def warnings_of(said: str) -> list[str]:
    """The warnings in what ``ray start`` has said, without those that we expect."""
    found = (_WARNING.match(line) for line in said.splitlines())
    texts = [match[1] or match[2] for match in found if match]
    return [text for text in texts if _EXPECTED not in text]


def welcome(raylet: Sequence[str], *, is_head: bool) -> str:
    """What there is now, and what comes next.

    Args:
        raylet: The command line of the node's raylet.
        is_head: It is the first node of its cluster.
    """
    if not raylet:  # it says nothing of itself
        return RUNS
    here, cluster = option_of(raylet, "node_ip_address"), option_of(raylet, "gcs-address")
    if not is_head:
        return f"{RUNS}: node {here} of the cluster at {cluster}"
    return (
        f"{RUNS}: node {here}, the head of a cluster. On each other machine: 'callcluster node -- "
        f"--address={cluster}'. Then, here: 'callcluster deploy'"
    )
