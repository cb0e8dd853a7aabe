"""How far a deploy has come, from what the cluster says at one moment.

Rules
1. What was deployed answers new calls once enough of its replicas run, none of those that it
   replaces is asked any more, its CallActors are there, and so is the HAProxy of each node.
2. Replicas that retire may still have calls: that is no part of a deploy, but it is told.
3. A deploy of the same release replaces nobody; there may be more or fewer replicas after it.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actors.serve_view import ServeView
from actors.stream_watch import ReplicaPlace

_AWAY: Final = frozenset({"STARTING", "UNHEALTHY"})


@dataclass(frozen=True, slots=True)
class DeployView:
    """What the cluster says at one moment.

    Attributes:
        serve: Of the ingress replicas; None when nobody answers.
        calls: In progress, by replica; None when nobody knows.
        actors: CallActors of what is deployed.
        actors_wanted: How many there are to be at least.
        trouble: Why CallActors do not start; empty when nothing is wrong.
        proxies: What Serve says of the HAProxy of each node; empty when nobody knows.
        release: The newest that the directory knows; empty when it does not say.
    """

    serve: ServeView | None
    calls: Mapping[ReplicaPlace, int] | None = None
    actors: int = 0
    actors_wanted: int = 1
    trouble: str = ""
    proxies: tuple[str, ...] = ()
    release: str = ""


@dataclass(frozen=True, slots=True)
class DeployStep:
    """How far it has come.

    Attributes:
        line: For people.
        is_answering: New calls are answered by what was deployed.
        replicas: Those that answer new calls and are to stay.
        has_failed: Serve has given up to start it.
        retiring: Replicas that are to go and have not gone.
        calls_left: Calls in progress there; None when nobody knows.
    """

    line: str
    is_answering: bool = False
    replicas: int = 0
    has_failed: bool = False
    retiring: int = 0
    calls_left: int | None = None

    @property
    def left(self) -> str:
        """Who is still there of what was replaced, in words; empty for nobody."""
        if not self.retiring:
            return ""
        who = counted(self.retiring, "replica")
        if self.calls_left is None:
            return f"{who} still to go, with calls that nobody counts"
        return f"{counted(self.calls_left, 'call')} still on {who} to go"


def deploy_step(
    view: DeployView, *, replaced: frozenset[str], wanted: int, is_same: bool
) -> DeployStep:
    """How far a deploy has come.

    Args:
        view: What the cluster says.
        replaced: Names of the replicas that were there before.
        wanted: Replicas that were asked for.
        is_same: The release is the one that ran before: then nobody is replaced.
    """
    if view.serve is None:
        return DeployStep("waiting for Ray Serve")
    running = [each for each in view.serve.replicas if each.state == "running"]
    starting, retiring = view.serve.count("starting"), view.serve.count("stopping")
    older = 0 if is_same else sum(each.name in replaced for each in running)
    newer = len(running) - older
    calls_left = _calls_at(view.serve.places("stopping"), view.calls)
    parts = [f"replicas: {newer} of {wanted}" + ("" if is_same else " new")]
    if starting:
        parts.append(f"{starting} starting")
    if older:
        parts.append(f"{older} old")
    if retiring:
        calls = "" if calls_left is None else f" with {counted(calls_left, 'call')}"
        parts.append(f"{retiring} retiring{calls}")
    parts.append(f"CallActors: {min(view.actors, view.actors_wanted)} of {view.actors_wanted}")
    away = sum(each in _AWAY for each in view.proxies)
    if away:
        parts.append(f"HAProxy: {len(view.proxies) - away} of {counted(len(view.proxies), 'node')}")
    if view.trouble:
        parts.append(view.trouble)
    has_replicas = newer == wanted and not older
    return DeployStep(
        ", ".join(parts),
        is_answering=has_replicas and view.actors >= view.actors_wanted and not away,
        replicas=newer,
        has_failed=view.serve.status == "DEPLOY_FAILED",
        retiring=retiring,
        calls_left=calls_left,
    )


def _calls_at(
    places: frozenset[ReplicaPlace], calls: Mapping[ReplicaPlace, int] | None
) -> int | None:
    """A replica that is watched no more has said that it ends: it has none."""
    return None if calls is None else sum(calls.get(place, 0) for place in places)


def counted(count: int, what: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
