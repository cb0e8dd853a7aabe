"""The ports that Ray Serve and HAProxy want: free, ours, or somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from cluster import ports
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.node_probe import raylet_above
from cluster.doctor.place import Place
from cluster.ports import WantedPort, wanted_ports

_FIRST_REPLICA = "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"
_LAST_REPLICA = "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"

Owner = Literal["ours", "another", "nobody"]  # nobody's: no process of Ray


async def examine_ports(place: Place) -> Findings:
    """See the top of this file."""
    settings = place.settings
    if settings is None:
        return [skipped("ports", "the settings cannot be read")]
    http_port, replicas = settings.port, settings.most_replicas

    def work() -> list[Finding]:
        found = list(ports.listeners())
        wanted = wanted_ports(http_port, place.environment)
        owner = owners(found, http_port)
        return [
            *(port_finding(port, found, owner) for port in wanted),
            replica_finding(place.environment, replicas, found, owner),
        ]

    return await in_thread(work)


def owners(found: Iterable[ports.Listener], http_port: int) -> Callable[[int | None], Owner]:
    """Tells whose a process is: of the Ray cluster whose proxy has our port, or of another one."""
    proxy = next((item.pid for item in found if item.port == http_port), None)
    ours = raylet_above(proxy) if proxy is not None else None

    def owner(pid: int | None) -> Owner:
        if pid is None or not ports.runs_under_ray(pid):
            return "nobody"
        return "ours" if ours is not None and raylet_above(pid) == ours else "another"

    return owner


def port_finding(
    wanted: WantedPort, found: Iterable[ports.Listener], owner: Callable[[int | None], Owner]
) -> Finding:
    """Who has this port?"""
    subject = f"port {wanted.port}"
    taken = [listener for listener in found if listener.port == wanted.port]
    if not taken:
        return ok(subject, f"free ({wanted.purpose})")
    by = taken[0]
    whose = owner(by.pid)
    if whose == "ours":
        return ok(subject, f"{by.name}, process {by.pid}, of the Ray cluster that runs here")
    if whose == "another":
        return fail(
            subject,
            f"taken by {by.name}, process {by.pid}, of another Ray cluster",
            f"'callcluster serve' does not start beside it ({wanted.purpose})",
            f"stop that one, or set {wanted.setting}",
        )
    return fail(
        subject,
        f"taken by {by.name}" + (f", process {by.pid}" if by.pid is not None else ""),
        f"'callcluster serve' does not start ({wanted.purpose})",
        f"end it ('callcluster stop' if it is a HAProxy left behind), or set {wanted.setting}",
    )


def replica_finding(
    environment: Mapping[str, str],
    replicas: int,
    found: Iterable[ports.Listener],
    owner: Callable[[int | None], Owner],
) -> Finding:
    """Is there room in the range of the replicas, and only ours in it?"""
    texts = {_FIRST_REPLICA: "30000", _LAST_REPLICA: "31000"}
    texts = {name: environment.get(name, usual) for name, usual in texts.items()}
    for name, text in texts.items():
        if not (text.isascii() and text.isdigit()):
            return fail(name, f"{text!r} is no number", "Ray Serve does not start", "write a port")
    first, last = (int(text) for text in texts.values())
    subject = f"ports {first}-{last}"
    inside = {item.port: item for item in found if first <= item.port <= last}
    strangers = {port: item for port, item in inside.items() if owner(item.pid) != "ours"}
    free = last - first + 1 - len(strangers)
    if free < replicas:
        return fail(
            subject,
            f"{free} free for {replicas} replicas",
            "replicas do not start",
            f"widen the range: {_FIRST_REPLICA}, {_LAST_REPLICA}",
        )
    if strangers:
        port, item = next(iter(strangers.items()))
        return warn(
            subject,
            f"{len(strangers)} taken by others, {port} by {item.name}",
            "replicas take the next one; a second Ray Serve on this host would answer our calls",
            f"keep the range for one Ray Serve: {_FIRST_REPLICA}, {_LAST_REPLICA}",
        )
    return ok(subject, f"room for {replicas} replicas ({len(inside)} listen now)")
