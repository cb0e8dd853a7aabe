"""Who listens on the ports that we need, and which HAProxy was left behind.

``ray stop --force`` and a killed driver can leave Ray Serve's HAProxy running: it holds the HTTP
port and answers 500. One that runs with our configuration and whose parent is gone is ours to end;
anything else is somebody else's, and the error says so.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from cluster.errors import PortInUseError, SettingsError


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens on a port."""

    port: int
    pid: int | None
    name: str


def listeners() -> Iterator[Listener]:
    """Everybody who listens on a TCP port of this host; a port comes again for each address."""
    for connection in psutil.net_connections(kind="tcp"):
        port = port_of(connection)
        if connection.status == psutil.CONN_LISTEN and port is not None:
            name = "an unknown process"
            if connection.pid is not None:
                with contextlib.suppress(psutil.Error):
                    name = psutil.Process(connection.pid).name()
            yield Listener(port, connection.pid, name)


def listener_on(port: int) -> Listener | None:
    """Who listens on this TCP port of this host; None when nobody does."""
    return next((listener for listener in listeners() if listener.port == port), None)


def runs_under_ray(pid: int | None) -> bool:
    """Whether this process or an ancestor of it is a living Ray process."""
    if pid is None:
        return False
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return "ray" in process.name().lower() or _belongs_to_ray(process)
    return False


def port_of(connection: Any) -> int | None:
    """The local port of a psutil connection; None when it has no address."""
    return connection.laddr.port if connection.laddr else None


def leftover_haproxies(folder: str) -> list[psutil.Process]:
    """HAProxy processes configured below ``folder`` whose Ray cluster is gone.

    Ray Serve puts a folder of its own between ours and the configuration file.
    """
    found = []
    for process in psutil.process_iter(["name", "cmdline", "ppid"]):
        arguments = process.info["cmdline"] or []
        if process.info["name"] != "haproxy" or not any(
            argument.startswith(folder + "/") for argument in arguments
        ):
            continue
        if not _belongs_to_ray(process):
            found.append(process)
    return found


def end_leftovers(folder: str) -> list[int]:
    """End every leftover HAProxy configured below ``folder``; returns their process ids."""
    leftovers = leftover_haproxies(folder)
    for process in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(leftovers, timeout=2.0)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=2.0)
    return [process.pid for process in leftovers]


def require_free(ports: Sequence[tuple[int, str]]) -> None:
    """Check that nobody listens on ``ports``: pairs of port and the setting that moves it.

    Raises:
        PortInUseError: Names the port, the process and the setting.
    """
    for port, setting in ports:
        listener = listener_on(port)
        if listener is not None:
            raise PortInUseError(
                f"port {port} is taken by {listener.name} (process {listener.pid}). End it, or "
                f"choose another port with {setting}."
            )


def require_address(host: str) -> None:
    """Check that this machine has the address that we are to listen at.

    Raises:
        SettingsError: It has not.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except OSError as error:
        raise SettingsError(
            f"CALLCLUSTER_HOST is {host!r}, where this machine cannot listen: "
            f"{error.strerror or error}"
        ) from None


def free_port() -> int:
    """A TCP port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _belongs_to_ray(process: psutil.Process) -> bool:
    """True when some ancestor is a living Ray process."""
    with contextlib.suppress(psutil.Error):
        return any("ray" in parent.name().lower() for parent in process.parents())
    return False
