"""Deploy on a Ray cluster that runs, and leave it running."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.serve_view import ServeView
from actors.stream_watch import ReplicaPlace
from cluster import run_node, serve_env
from cluster.deploy_progress import DeployStep, DeployView, counted, deploy_step
from cluster.errors import ClusterError
from cluster.found_cluster import FoundCluster, look_around
from cluster.run_serve import (
    READY_WITHIN_S,
    START_FAILED,
    begin_deploy,
    connect,
    deployment_trouble,
)
from cluster.settings import Settings

LOOK_EVERY_S = 0.5
ASK_WITHIN_S = 2.0
# Serve's controller takes what it is told up in its next round: what it said before is not news.
FAILED_FOR_S = 3.0
# Beyond the wait, until the last call has found a pause or was cut, and its replica is gone.
GONE_WITHIN_S = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deploying:
    """One deploy.

    Attributes:
        look: What the cluster says now.
        replaced: Names of the replicas that were there before.
        fewest: Replicas that were asked for; where they follow the calls there may be more.
        is_same: The release is the one that ran before.
        trouble: Why what was deployed does not start, in Serve's words.
        clock: Seconds.
        sleep: Waits so many seconds.
        is_scaled: Replicas follow the calls: Serve says how many there are to be.
        release: What is deployed; empty where nobody says.
    """

    look: Callable[[], DeployView]
    replaced: frozenset[str]
    fewest: int
    is_same: bool
    trouble: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = threading.Event().wait
    is_scaled: bool = False
    release: str = ""

    def step(self) -> DeployStep:
        """How far it has come. Raises ``ClusterError`` when a newer deploy has come."""
        view = self.look()
        if self.release and view.release > self.release:
            raise ClusterError(
                f"{view.release} was deployed after {self.release}, and takes its place: somebody "
                "else has deployed to this cluster meanwhile. One deploy at a time; if this one is "
                "the one to stay, deploy again"
            )
        told = view.serve.wanted if self.is_scaled and view.serve is not None else 0
        wanted = max(self.fewest, told)
        return deploy_step(view, replaced=self.replaced, wanted=wanted, is_same=self.is_same)

    def until_answering(self, say: Say) -> DeployStep:
        """Wait until new calls are answered by it; says what changes meanwhile.

        Raises:
            ClusterError: It does not start, nothing changes for two minutes, or a newer deploy
                takes its place.
        """
        said, changed_at, failed_at = "", self.clock(), None
        while not (step := self.step()).is_answering:
            now = self.clock()
            if step.line != said:
                said, changed_at = step.line, now
                say(step.line)
            if step.has_failed:
                failed_at = now if failed_at is None else failed_at
                if now - failed_at >= FAILED_FOR_S:
                    raise ClusterError(f"{START_FAILED} {self.trouble()}")
            if now - changed_at > READY_WITHIN_S:
                why = self.trouble() or "'callcluster doctor' and the logs of the cluster say more"
                raise ClusterError(f"the deploy does not go on: {step.line}: {why}")
            self.sleep(LOOK_EVERY_S)
        return step

    def until_gone(self, step: DeployStep, within_s: float, say: Say) -> None:
        """Wait until what was replaced has no calls any more and is gone.

        Raises:
            ClusterError: It is not, after so many seconds.
        """
        said, began = "", self.clock()
        while step.retiring:
            if step.left != said:
                said = step.left
                say(step.left)
            if self.clock() - began > within_s:
                raise ClusterError(f"after {within_s:.0f} s: {step.left}")
            self.sleep(LOOK_EVERY_S)
            step = self.step()
        say("what was replaced is gone")


def require_ours(found: FoundCluster, port: int) -> None:
    """See that nobody else's deployment is replaced by ours.

    Raises:
        ClusterError: The cluster that Ray has found here answers calls at another port.
    """
    differs = found.differs(port, None)
    if differs:
        raise ClusterError(
            f"nothing was deployed: {found.name} is another deployment's ({differs}). To replace "
            f"that one, name it: RAY_ADDRESS={found.address} callcluster deploy"
        )


def _living(nodes: list[dict[str, Any]]) -> int:
    return sum(bool(node["Alive"]) for node in nodes)


def deploy_on(address: str, settings: Settings, *, wait: bool, say: Say) -> None:
    """Deploy, and return once new calls are answered by what was deployed.

    Args:
        address: Of Ray, or ``auto`` for the cluster of this machine.
        settings: Of the deployment.
        wait: Return only when what was replaced has no calls any more.
        say: Told what happens.

    Raises:
        ClusterError: There is no such cluster, or what was deployed does not start.
    """
    serve_env.prepare(os.environ)  # read as Ray Serve is imported
    import ray

    from actors.named import deployed_release
    from actors.serve_replicas import serve_view

    connect(address)
    try:
        if address == "auto":
            require_ours(look_around(), settings.port)
        nodes = _living(ray.nodes())  # type: ignore[no-untyped-call]
        run_node.say_in_memory(nodes, run_node.gcs_here(), say)
        before = deployed_release()
        was = asyncio.run(serve_view())
        settings = begin_deploy(settings)
        release = settings.release
        if release != before:
            say(f"deploying {release}")
        deploying = Deploying(
            lambda: _view(asyncio.run(serve_view())),
            frozenset() if was is None else frozenset(each.name for each in was.replicas),
            settings.ingress_replicas,
            release == before,
            deployment_trouble,
            is_scaled=settings.most_replicas > settings.ingress_replicas,
            release=release,
        )
        step = deploying.until_answering(say)
        count = 0 if was is None else was.count("running")
        if release == before and count != step.replicas:
            now = counted(step.replicas, "replica")
            say(f"{release} runs already: {now} instead of {count}")
        elif release == before:
            say(f"{release} runs already: nothing has changed")
        else:
            say(f"{release} is deployed: new calls are answered by it")
        if wait:
            deploying.until_gone(step, settings.drain_s + GONE_WITHIN_S, say)
        elif step.left:
            say(
                f"{step.left}: after {settings.drain_s:.0f} s (CALLCLUSTER_DRAIN_S) calls go on "
                "elsewhere, between two turns"
            )
    finally:
        ray.shutdown()


def _view(serve: ServeView | None) -> DeployView:
    from actors.named import deployed_status

    status = deployed_status()
    return DeployView(
        serve,
        _calls(),
        # A directory of an older version counts no releases.
        int(status.get("current", len(status.get("actors", ())))),
        int(status.get("min_actors", 1)),
        str(status.get("trouble") or ""),
        _proxies(),
        str(status.get("release", "")),
    )


def _proxies() -> tuple[str, ...]:
    """What Serve says of the HAProxy of each node; empty when it says nothing."""
    import ray
    from ray import serve

    try:
        found = serve.status().proxies
    except (ray.exceptions.RayError, RuntimeError, TimeoutError):
        return ()
    return tuple(str(getattr(each, "value", each)) for each in found.values())


def _calls() -> dict[ReplicaPlace, int] | None:
    """Calls in progress by replica; None when the back office is away, or of an older version."""
    import ray

    from actors.placement import BACK_OFFICE_NAME, NAMESPACE

    try:
        office: Any = ray.get_actor(BACK_OFFICE_NAME, namespace=NAMESPACE)
        found = ray.get(office.streams.remote(), timeout=ASK_WITHIN_S)
    except (ValueError, AttributeError, ray.exceptions.RayError):
        return None
    return {ReplicaPlace(each["node"], each["pid"]): each["calls"] for each in found}
