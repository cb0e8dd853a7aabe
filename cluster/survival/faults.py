"""What dies, how, and what is promised then.

A fault strikes one process of a kind (``part``): killed with SIGKILL, or held with SIGSTOP, which
is what a process is that swaps, spins or waits for a disk. ``line`` is no process: all connections
between the carrier and the product are reset at once, as a front does that is started again.
``node`` is every process of a node that is not the head, in a cluster of two behind a front.
``release`` and ``replicas`` are what a person deploys there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

# Until what hangs was asked three times in vain, was ended and is there again.
HUNG_S: Final = 22.0

Part = Literal[
    "call_actor",
    "ingress",
    "haproxy",
    "haproxy_manager",
    "line",
    "directory",
    "health",
    "metrics",
    "cache",
    "office",
    "controller",
    "gcs",
    "database",
    "node",
    "release",
    "replicas",
]
How = Literal["kill", "hang", "cut", "stop", "lose", "drain", "deploy", "scale-out", "scale-in"]
Moment = Literal["listening", "thinking", "speaking"]
MOMENTS: Final[tuple[Moment, ...]] = ("listening", "thinking", "speaking")

# What a promise about silence is held against.
# heard: the longest silence that a caller heard, whatever its cause.
# added: how much longer it was than the longest one while all was well.
Silence = Literal["heard", "added"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of dying.

    Attributes:
        name: On the command line.
        title: In tables.
        part: What it strikes.
        how: ``kill``: SIGKILL. ``hang``: SIGSTOP, and SIGCONT when it is still there at the end.
            ``cut``: connections are reset. ``stop``: ended in order, started again at the end.
            ``lose``: as if its power had gone, so that no connection is closed; started again.
            ``drain``: SIGTERM, until it has lost its calls and ended; started again.
            ``deploy``: something newer takes its place. ``scale-out``, ``scale-in``: there is one
            more, one less; as before at the end.
        silence_s: The longest silence that is promised.
        silence: See above.
        watched_s: For how long callers are watched after it.
        moves_calls: Calls get a new stream by it.
        needs: A program that must be installed; empty for none.
    """

    name: str
    title: str
    part: Part
    how: How
    silence_s: float
    silence: Silence = "added"
    watched_s: float = 8.0
    moves_calls: bool = False
    needs: str = ""

    @property
    def needs_room(self) -> bool:
        """Whether a node has to take a replica more than its share.

        Where it may, both replicas stay on one node after the other has died and come back, and
        the next strike meets nobody.
        """
        return self.part in ("release", "replicas")

    @property
    def needs_spare(self) -> bool:
        """Whether there has to be a node without a replica, for the successor of one that goes.

        On the node of the other replica both would stay: Ray Serve moves none back to a node that
        returns.
        """
        return self.how == "drain"


FAULTS: Final[tuple[Fault, ...]] = (
    Fault("call-actor-kill", "CallActor killed", "call_actor", "kill", 1.0, "heard"),
    Fault("call-actor-hang", "CallActor hung", "call_actor", "hang", 2.0, "heard"),
    Fault("ingress-kill", "ingress replica killed", "ingress", "kill", 1.5, moves_calls=True),
    Fault(
        "ingress-hang",
        "ingress replica hung",
        "ingress",
        "hang",
        4.0,
        "heard",
        watched_s=12.0,
        moves_calls=True,
    ),
    Fault("haproxy-kill", "HAProxy killed", "haproxy", "kill", 1.5, moves_calls=True),
    Fault("haproxy-hang", "HAProxy hung", "haproxy", "hang", 5.0, "heard", 12.0, moves_calls=True),
    Fault(
        "haproxy-manager-kill",
        "HAProxy's process of Serve killed",
        "haproxy_manager",
        "kill",
        1.5,
        moves_calls=True,
    ),
    Fault("line-cut", "all connections reset", "line", "cut", 1.5, moves_calls=True),
    Fault("directory-kill", "directory killed", "directory", "kill", 0.0),
    Fault("directory-hang", "directory hung", "directory", "hang", 0.0, watched_s=HUNG_S),
    Fault("health-kill", "provider health killed", "health", "kill", 0.0),
    Fault("health-hang", "provider health hung", "health", "hang", 0.0, watched_s=HUNG_S),
    Fault("metrics-kill", "metrics killed", "metrics", "kill", 0.0),
    Fault("metrics-hang", "metrics hung", "metrics", "hang", 0.0, watched_s=HUNG_S),
    Fault("cache-kill", "response cache killed", "cache", "kill", 0.0),
    Fault("cache-hang", "response cache hung", "cache", "hang", 0.0, watched_s=HUNG_S),
    Fault("office-kill", "back office killed", "office", "kill", 0.0),
    Fault("controller-kill", "Serve controller killed", "controller", "kill", 0.0),
    Fault("controller-hang", "Serve controller hung", "controller", "hang", 0.0, watched_s=HUNG_S),
    Fault("gcs-hang", "GCS hung", "gcs", "hang", 0.0),
    Fault("gcs-kill", "GCS killed", "gcs", "kill", 0.0, watched_s=35.0, needs="redis-server"),
    Fault(
        "node-kill",
        "node killed",
        "node",
        "kill",
        3.0,
        watched_s=10.0,
        moves_calls=True,
        needs="namespaces",
    ),
    Fault(
        "node-loss",
        "node without power",
        "node",
        "lose",
        3.0,
        watched_s=12.0,
        moves_calls=True,
        needs="namespaces",
    ),
    Fault(
        "node-drain",
        "node drained",
        "node",
        "drain",
        1.5,
        watched_s=60.0,
        moves_calls=True,
        needs="namespaces",
    ),
    Fault(
        "deploy",
        "new release deployed",
        "release",
        "deploy",
        1.5,
        watched_s=40.0,
        moves_calls=True,
        needs="namespaces",
    ),
    Fault(
        "scale-out",
        "ingress replica added",
        "replicas",
        "scale-out",
        0.0,
        watched_s=10.0,
        needs="namespaces",
    ),
    Fault(
        "scale-in",
        "ingress replica retired",
        "replicas",
        "scale-in",
        1.5,
        watched_s=25.0,
        moves_calls=True,
        needs="namespaces",
    ),
    Fault(
        "database-stop",
        "PostgreSQL stopped for a minute",
        "database",
        "stop",
        0.0,
        watched_s=60.0,
        needs="postgres",
    ),
)
BY_NAME: Final[Mapping[str, Fault]] = {fault.name: fault for fault in FAULTS}

# How Ray and the operating system call the processes: the beginning of the title of a Ray worker,
# or the name of a program.
TITLES: Final[Mapping[Part, str]] = {
    "call_actor": "ray::CallActor",
    "ingress": "ray::ServeReplica:callcluster:ingress",
    "directory": "ray::CallDirectoryActor",
    "health": "ray::ProviderHealthActor",
    "metrics": "ray::MetricsActor",
    "cache": "ray::SemanticCacheActor",
    "office": "ray::BackOffice",
    "controller": "ray::ServeController",
    "haproxy_manager": "ray::HAProxyManager",  # Ray ends HAProxy with it
}
PROGRAMS: Final[Mapping[Part, str]] = {"haproxy": "haproxy", "gcs": "gcs_server"}
