"""``ray start``, in our words: what Ray says is shown when it fails, and its warnings always.

On success it advises commands that are not ours: ``ray start`` for other nodes, ``ray stop`` for
the end, which would cut every call of the node.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence

from cluster import ports
from cluster.errors import ClusterError
from cluster.last_address import value_of
from cluster.node_leave import option_of

RUNS = "Ray runs here"  # whoever waits for a start waits for this
_LOOK_EVERY_S = 0.1
_RAY = "from ray.scripts.scripts import main; main()"
_PLAIN = ("--log-style=record", "--log-color=false")
_WARNING = re.compile(r"\S+ [\d:,]+\s+(?:WARNING|ERROR) \S+ -- (.*)|(\[\S+ \S+ [WEF] .*)")
_RAYS_PORT = 6379
_SECRET, _HIDDEN = "--redis-password", "***"
_CONNECT_WITHIN_S = 2.0
_EXPECTED = "Token authentication is enabled"  # as it is to be

Say = Callable[[str], None]


def require_port(arguments: Sequence[str]) -> None:
    """See that the GCS of a head finds its port: Ray itself would try for long, and fail at length.

    Raises:
        ClusterError: Somebody has it, or it is none.
    """
    if "--head" not in arguments:
        return
    text = value_of(arguments, "--port") or str(_RAYS_PORT)
    if not text.isdigit() or not 0 <= int(text) < 65_536:
        raise ClusterError(f"--port={text} of 'ray start' is no port: 1 to 65535")
    listener = ports.listener_on(int(text)) if int(text) else None
    if listener is not None:
        raise ClusterError(
            f"port {text}, where the head of a cluster listens, is taken by {listener.name} "
            f"(process {listener.pid}). End it, or choose another port with --port={int(text) + 1} "
            "behind the '--'"
        )


def say_start(arguments: Sequence[str], say: Say) -> None:
    """Say what is begun, and whether the head of the cluster answers."""
    address = value_of(arguments, "--address")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        say("starting Ray")
        return
    try:
        socket.create_connection((host, int(port)), _CONNECT_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        say(
            f"starting Ray: nobody answers at {address} yet ({error}). Ray tries for a minute and "
            "more; does the head run, and may this machine reach it?"
        )
    else:
        say(f"starting Ray: a node of the cluster at {address}")


def start_ray(arguments: Sequence[str], stopping: threading.Event, say: Say) -> None:
    """Run ``ray start``; what it starts goes on without it.

    Args:
        arguments: Of ``ray start``.
        stopping: Ends it before it is done.
        say: Told its warnings, or all that it said if it fails.

    Raises:
        ClusterError: It ended with an error.
    """
    say_start(arguments, say)
    command = [sys.executable, "-c", _RAY, "start", *_PLAIN, *arguments]
    with tempfile.TemporaryFile() as file:
        # A file, as what it starts inherits its end of a pipe and would keep it open.
        with subprocess.Popen(  # noqa: S603 - Ray
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ray outlives the terminal, until its calls have left
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
    command_line = " ".join(("ray start", *without_secrets(arguments)))
    raise ClusterError(
        f"'{command_line}' ended with exit code {starting.returncode}: what it said stands above"
    )


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """Arguments as they may stand in a log."""
    shown, hides = [], False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_secret = name == _SECRET
        shown.append(
            _HIDDEN if hides else f"{name}={_HIDDEN}" if is_secret and equals else argument
        )
        hides = is_secret and not equals
    return shown


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
