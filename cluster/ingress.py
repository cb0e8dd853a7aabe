"""The Ray Serve deployment of the edge: builds its parts, warms them, serves one application."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import ray
from ray import serve

from actors.end_process import direct_ports
from actors.greeting import OwnAddress
from actors.loop_priority import raise_this_thread
from actors.replica_drain import DrainTimes
from actors.replica_drain_driver import CLOSE_CODE, CLOSED_BECAUSE, ReplicaDrainDriver
from actors.stream_beats import StreamBeats
from cluster import descriptors, serve_env
from cluster.agents import load_tenants
from cluster.call_services import CallServices
from cluster.capacity import fitting
from cluster.edge import Edge
from cluster.edge_app import EdgeApp
from cluster.errors import ClusterError
from cluster.ingress_parts import IngressParts, build_ingress_parts
from cluster.logs import configure_logging
from cluster.provider_settings import provider_settings
from cluster.replica_scaling import ReplicaLoad, scaling_config
from cluster.retirements import retiring
from cluster.run_serve import START_FAILED
from cluster.settings import Settings
from cluster.watched_calls import watched
from providers.traces import trace_of
from records.errors import RecordsError

logger = logging.getLogger(__name__)

HANG_UP_WITHIN_S = 10.0
GRACEFUL_SHUTDOWN_TIMEOUT_S = 900.0
# Of all replicas, at least one: a successor answers before the one that it replaces is retired.
SURGE_PERCENT = 25
# A replica gets calls once it is made, and would refuse them until it is warm: so it is made when
# it is. One that lacks something says so instead, politely to callers and in /readyz.
HELD_S = 30.0
TROUBLED_S = 3.0
# The recognisers' threads take the interpreter ten thousand times a second, and the event loop has
# to ask it back each time: after Python's 5 ms, or after this. In one undisturbed pair of runs at
# 25 calls the median of turn decided to first frame went from 35 to 29 ms.
SWITCH_INTERVAL_S = 0.0005


@serve.ingress(None)
class Ingress:
    """One ingress replica: the ear and the mouth of many calls.

    Args:
        plain_settings: ``Settings.to_plain`` of the deployment.
    """

    async def __init__(self, plain_settings: dict[str, Any]) -> None:  # type: ignore[misc]
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        settings = Settings.from_plain(plain_settings)
        configure_logging(settings.log_level)
        if settings.loop_priority and not raise_this_thread(settings.loop_priority):
            logger.info("the event loop has no priority: this process may not raise itself")
        agents = load_tenants(settings.agents_dir, settings.tenant_id)
        settings = fitting(settings, agents.values())
        limit = descriptors.raise_limit()
        short = descriptors.complaints(settings.calls_per_replica, limit)
        for complaint in [*serve_env.complaints(), *short]:
            logger.warning("%s", complaint)
        today = datetime.now(UTC).date()
        for retirement in retiring(agents.values(), provider_settings(settings), today):
            logger.warning("%s", retirement.sentence(today))
        if settings.development and not settings.twilio_auth_token.get_secret_value():
            logger.warning(
                "DEVELOPMENT MODE: nobody's signature is checked. Set TWILIO_AUTH_TOKEN before "
                "this is reachable from outside."
            )
        self._replica_id = uuid.uuid4().hex[:12]
        self._is_closing = self._is_closed = False
        self._parts: IngressParts = build_ingress_parts(settings, self._replica_id, self._active)
        self._edge = Edge(settings, self._parts.edge_parts)
        self._services = CallServices(self._edge, self._parts.world)
        self._drain_of_calls = ReplicaDrainDriver(
            DrainTimes(wait_s=settings.drain_s),
            # A call that was moved may be sent here once more: that is another stream.
            lambda: {f"{c.call_id}/{c.epoch[0]}": c.driver for c in self._edge.registry},
            self._leave,
            lambda: {f"{c.call_id}/{c.epoch[0]}": c.road for c in self._edge.registry},
        )
        own_ports = functools.partial(direct_ports, os.getpid())
        host = str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
        self._address = OwnAddress(host, own_ports)
        self._finding: asyncio.Task[None] | None = None
        self._beats = StreamBeats(
            self._replica_id,
            ray.get_runtime_context().get_node_id(),
            self._parts.send_beat,
            lambda: watched(self._edge.registry),
            self._drain,
            self._services.switch_here,
            self._drain_of_calls,
            self._edge.registry.overtaken,
            self._parts.unheard,
            lambda: self._address.text,
        )
        self._warming = asyncio.get_running_loop().create_task(self._warm())
        await self._until_warm()

    def __serve_build_asgi_app__(self) -> EdgeApp:
        """The application that Ray Serve runs in this replica."""
        return EdgeApp(self._edge, self._services)

    def record_autoscaling_stats(self) -> dict[str, float]:
        """What Ray Serve asks twice a second where replicas are added and retired by load."""
        stock = self._edge.parts.pool.stock
        return ReplicaLoad(
            calls=self._active(),
            seats=self._edge.settings.calls_per_replica,
            waiting=stock.waiting,
            cluster_calls=stock.cluster_active + stock.cluster_on_way,
            late_s=self._parts.late_s(),
        ).to_plain()

    def _drain(self, is_draining: bool) -> None:
        if not self._is_closing:
            self._edge.draining = is_draining

    async def _leave(self) -> None:
        """The last call has gone: this process has nothing to wait for.

        Serve keeps a replica that retires for as long as its sockets might be open, ten minutes,
        whether they are or not, and the next deploy waits for it.
        """
        await self._edge.registry.leave(CLOSED_BECAUSE, CLOSE_CODE, HANG_UP_WITHIN_S)
        await self._close()
        me = ray.get_runtime_context().current_actor
        await asyncio.to_thread(ray.kill, me, no_restart=True)

    def _active(self) -> int:
        return len(self._edge.registry)

    async def _until_warm(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while missing := self._edge.not_ready:
            has_failed = missing[0].startswith(START_FAILED)
            most_s = TROUBLED_S if any(":" in what for what in missing) else HELD_S
            if has_failed or loop.time() - began >= most_s:
                return
            await asyncio.sleep(0.05)

    async def _warm(self) -> None:
        """Connections, greeting audio and leases; readiness waits for it, traffic is refused."""
        try:
            await self._parts.start(self._edge.not_ready, self._services.start)
            self._beats.start()
            self._finding = asyncio.get_running_loop().create_task(self._address.find())
            # What was loaded at start is never garbage: keep it out of later collections, which
            # would otherwise stop all calls of this process for as long as a frame or more.
            gc.collect()
            gc.freeze()
        except (RecordsError, ClusterError) as error:
            logger.error("this replica cannot become ready: %s", error)
            self._edge.not_ready[:] = [f"{START_FAILED} {error}"]
        except Exception as error:  # noqa: BLE001 - it is shown where readiness is asked for
            logger.error("this replica cannot become ready: %s", trace_of(error))
            self._edge.not_ready[:] = [f"{START_FAILED} {error!r}: see the log of this replica"]

    async def __del__(self) -> None:
        """Close everything; Serve calls this once, at the end of a planned stop.

        It comes after Serve's own drain, of ten minutes: the replica's own has been over for long
        (``actors.replica_drain``), unless nobody told it that it retires. So there is hardly ever a
        call here.
        """
        await self._close()

    async def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closing = self._is_closed = self._edge.draining = True
        self._warming.cancel()
        if self._finding is not None:
            self._finding.cancel()
        await self._drain_of_calls.aclose()
        await self._edge.registry.drain(None, HANG_UP_WITHIN_S)
        await self._beats.aclose()
        await self._services.aclose()
        await self._parts.aclose()
        logger.info("replica %s closed", self._replica_id)


def build_deployment(settings: Settings) -> serve.Application:
    """The Serve application: ``num_replicas`` ingresses, each for many calls.

    ``max_ongoing_requests`` counts sockets and webhooks together, and at the limit the next
    handshake hangs: it is far above our own limit, which refuses politely. What is deployed is told
    apart by its release: another number of replicas alone replaces none of them.
    """
    most = settings.max_replicas_per_node
    spread: dict[str, Any] = {"max_replicas_per_node": most} if most else {}
    if settings.most_replicas > settings.ingress_replicas:
        spread["autoscaling_config"] = scaling_config(
            settings.ingress_replicas, settings.most_replicas
        )
    else:
        spread["num_replicas"] = settings.ingress_replicas
    deployment = serve.deployment(
        name="ingress",
        max_ongoing_requests=4 * settings.calls_per_replica + 100,
        ray_actor_options={"num_cpus": 0.5},
        health_check_period_s=2.0,
        health_check_timeout_s=10.0,
        graceful_shutdown_timeout_s=GRACEFUL_SHUTDOWN_TIMEOUT_S,
        graceful_shutdown_wait_loop_s=0.5,
        max_surge_percent=SURGE_PERCENT,
        **spread,
    )(Ingress)
    if settings.release:
        # Serve's own word for it is drawn anew at each deploy, and replaces everything.
        deployment = deployment.options(version=settings.release, _internal=True)
    return deployment.bind(settings.to_plain())
