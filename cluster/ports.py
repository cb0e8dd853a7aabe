"""Who listens on the ports that we need, and which HAProxy was left behind.

``ray stop --force`` and a killed driver can leave Ray Serve's HAProxy running: it holds the HTTP
port and answers 500. One that runs with our configuration and whose parent is gone is ours to end;
anything else is somebody else's, and the error says so.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cluster.errors import PortInUseError, SettingsError

_RAY = "ray"
_KEEPER = "haproxy_keeper.py"


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listens on a port."""

    port: int
    pid: int | None
    name: str


@dataclass(frozen=True, slots=True)
class WantedPort:
    """A port, what for, and the variable that moves it."""

    port: int
    purpose: str
    setting: str


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
    return _left_behind(folder, lambda name, _arguments: name == "haproxy")


def _leftover_keepers(folder: str) -> list[psutil.Process]:
    """Keepers of such HAProxies (``cluster.haproxy_keeper``)."""
    return _left_behind(
        folder,
        lambda _name, arguments: any(Path(argument).name == _KEEPER for argument in arguments),
    )


def _left_behind(folder: str, is_one: Callable[[str, Sequence[str]], bool]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = process.info["cmdline"] or []
        is_of_folder = any(argument.startswith(folder + "/") for argument in arguments)
        is_ours = is_of_folder and is_one(process.info["name"] or "", arguments)
        if is_ours and not _belongs_to_ray(process):
            found.append(process)
    return found


def end_leftovers(folder: str) -> list[int]:
    """End every leftover HAProxy configured below ``folder``; returns their process ids.

    Their keepers first: one that outlives its HAProxy stands in for it.
    """
    keepers = _leftover_keepers(folder)
    for process in keepers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(keepers, timeout=2.0)
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


def wanted_ports(http_port: int, environment: Mapping[str, str]) -> list[WantedPort]:
    """The ports that one node wants for itself, besides those of the replicas.

    Two Ray Serves that share one of them answer each other's calls.
    """

    def moved(setting: str, default: int, purpose: str) -> WantedPort:
        text = environment.get(setting, "")
        return WantedPort(int(text) if text.isdigit() else default, purpose, setting)

    return [
        WantedPort(http_port, "HAProxy: calls and webhooks", "CALLCLUSTER_PORT"),
        moved("RAY_SERVE_HAPROXY_STATS_PORT", 8404, "HAProxy: statistics"),
        moved("RAY_SERVE_HAPROXY_METRICS_PORT", 9101, "HAProxy: metrics"),
        moved("RAY_SERVE_FALLBACK_PROXY_HTTP_PORT", 8500, "Ray Serve: the stand-in proxy"),
    ]


def require_free(wanted: Sequence[WantedPort]) -> None:
    """Check that nobody listens on these.

    Raises:
        PortInUseError: Names each such port, the process and the setting.
    """
    by_port = {listener.port: listener for listener in listeners()}
    of_whom: dict[int | str | None, list[WantedPort]] = {}  # one sentence for all of one owner
    for each in wanted:
        if each.port in by_port:
            pid = by_port[each.port].pid
            of_whom.setdefault(_RAY if runs_under_ray(pid) else pid, []).append(each)
    if of_whom:
        raise PortInUseError(
            " ".join(
                _taken(ports, by_port, under_ray=owner == _RAY) for owner, ports in of_whom.items()
            )
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


def _taken(ports: Sequence[WantedPort], by_port: Mapping[int, Listener], *, under_ray: bool) -> str:
    """Which ports, by which processes, and what to do about it."""
    owners = (by_port[each.port] for each in ports)
    who = dict.fromkeys(f"{owner.name} (process {owner.pid})" for owner in owners)
    several = len(ports) > 1
    what = (
        f"port{'s' * several} {', '.join(str(each.port) for each in ports)} "
        f"{'are' if several else 'is'} taken by {' and '.join(who)}"
    )
    what += (
        ", of a Ray cluster that runs here already. Stop what it runs ('callcluster stop' if that "
        "is callcluster)"
        if under_ray
        else ". End it"
    )
    settings = ", ".join(each.setting for each in ports)
    return f"{what}, or choose {'other ports' if several else 'another port'} with {settings}."


def _belongs_to_ray(process: psutil.Process) -> bool:
    """True when some ancestor is a living Ray process."""
    with contextlib.suppress(psutil.Error):
        return any("ray" in parent.name().lower() for parent in process.parents())
    return False
