"""The shell of the directory: a named Ray actor that keeps the pool of CallActors."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import os
import time
import uuid
from typing import Any

import ray

from actors.actor_repr import actor_repr
from actors.directory import Directory, DirectoryConfig
from actors.draining_nodes import DrainingNodes
from actors.placement import CALL_ACTOR_PREFIX, NAMESPACE, call_actor_options
from actors.rounds import for_ever
from actors.wire import ReplicaSync

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
SETTLE_LOOK_S = 0.05
ASK_NODES_EVERY_S = 1.0
STATUS_TIMEOUT_S = 1.0
START_TIMEOUT_S = 60.0
MISSED_BEFORE_LOST = 3  # of the directory's own questions
REPORTED_BEFORE_LOST = 2  # when an ingress replica had no answer either


class CallDirectoryActor:
    """Owns the ``Directory`` machine; starts, watches and replaces CallActors.

    Args:
        config: ``DirectoryConfig`` as a dict.
        actor_class: The Ray actor class of a CallActor.
        actor_args: What its constructor takes.
    """

    def __init__(
        self, config: dict[str, Any], actor_class: Any, actor_args: tuple[Any, ...]
    ) -> None:
        self._directory = Directory(DirectoryConfig(**config), term=time.time_ns() // 1_000)
        self._config = DirectoryConfig(**config)
        self._actor_class = actor_class
        self._actor_args = actor_args
        self._handles: dict[str, Any] = {}
        self._missed: dict[str, int] = {}
        self._missed_at: dict[str, float] = {}  # when the newest question was given up
        self._told_at: dict[str, float] = {}  # when the newest answer of an actor was asked for
        self._asked_at: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._asking_nodes: asyncio.Task[None] | None = None
        self._nodes = DrainingNodes()
        self._trouble = ""

    def __repr__(self) -> str:
        return actor_repr("CallDirectory", "keeps the pool of CallActors", "leases their seats")

    async def start(self) -> None:
        """Begin to supervise. Idempotent; ``status`` tells when the actors are there."""
        if self._supervisor is None:
            self._adopt()
            loop = asyncio.get_running_loop()
            self._supervisor = loop.create_task(self._supervise())
            self._asking_nodes = loop.create_task(
                for_ever(self._ask_who_is_drained, ASK_NODES_EVERY_S, "drained nodes")
            )

    async def deployed(
        self, config: dict[str, Any], actor_args: tuple[Any, ...], release: str
    ) -> None:
        """This is what CallActors are to be from now on; see ``Directory.deployed``."""
        known = DirectoryConfig(**config)
        if self._directory.deployed(known, release):
            self._config, self._actor_args = known, actor_args
            if self._directory.actor_names:
                logger.info("deployed: %s; CallActors are replaced", release)

    async def sync(self, plain: dict[str, Any]) -> dict[str, Any]:
        """One ingress replica reports and is granted leases."""
        if self._supervisor is None:  # restarted by Ray: nobody calls start() again
            await self.start()
        loop, report = asyncio.get_running_loop(), ReplicaSync.from_plain(plain)
        self._directory.heard(report, now=loop.time())
        while not self._is_settled:
            await asyncio.sleep(SETTLE_LOOK_S)
        return self._directory.answer(report).to_plain()

    async def report_lost(self, name: str) -> None:
        """An ingress replica saw this CallActor fail: look at it at once."""
        self._directory.actor_suspected(name)
        for _ in range(REPORTED_BEFORE_LOST):
            handle = self._handles.get(name)
            if handle is None:
                return
            self._missed[name] = max(
                self._missed.get(name, 0), MISSED_BEFORE_LOST - REPORTED_BEFORE_LOST
            )
            if not await self._ask(name, handle):
                self._lose(name)
            elif name not in self._missed:
                return  # it has answered

    async def status(self) -> dict[str, Any]:
        """For people and readiness: actors, the fewest there should be, slots, last trouble."""
        return {
            "pid": os.getpid(),
            "actors": list(self._directory.actor_names),
            "current": self._directory.current,
            "release": self._directory.release,
            "min_actors": self._config.min_actors,
            "capacity": self._directory.capacity,
            "unused": self._directory.unused,
            "starting": len(self._starting),
            "trouble": self._trouble,
            "is_settled": self._supervisor is not None and self._is_settled,
            "calls_by_node": self._directory.calls_by_node,
            "calls_by_tenant": self._directory.calls_by_tenant,
        }

    async def shutdown(self) -> None:
        """Kill every CallActor of the pool; the directory itself is killed by the caller."""
        if self._supervisor is not None:
            self._supervisor.cancel()
        if self._asking_nodes is not None:
            self._asking_nodes.cancel()
        for task in (*self._starting.values(), *self._asking.values()):
            task.cancel()
        for handle in self._handles.values():
            ray.kill(handle)
        self._handles.clear()

    @property
    def _is_settled(self) -> bool:
        return self._directory.is_settled(now=asyncio.get_running_loop().time())

    def _adopt(self) -> None:
        """Take over the CallActors that an earlier incarnation of this actor started."""
        for item in ray.util.list_named_actors(all_namespaces=True):
            name = item["name"]
            if item["namespace"] == NAMESPACE and name.startswith(CALL_ACTOR_PREFIX):
                try:
                    self._handles[name] = ray.get_actor(name, namespace=NAMESPACE)
                except ValueError:
                    logger.info("CallActor %s vanished while it was adopted", name)
        self._directory.found(self._handles, now=asyncio.get_running_loop().time())

    async def _supervise(self) -> None:
        await for_ever(self._look_after_all, LOOK_EVERY_S, "a round of the directory failed")

    async def _ask_who_is_drained(self) -> None:
        nodes = await self._nodes.ask()
        self._directory.nodes_drained(nodes.keys(), now=asyncio.get_running_loop().time())

    async def _look_after_all(self) -> None:
        for name in self._due():
            task = asyncio.get_running_loop().create_task(self._look_after(name))
            self._asking[name] = task
            task.add_done_callback(functools.partial(self._asked, name))
        # Those that were adopted and have not reported yet are there all the same.
        adopted = len(self._handles.keys() - set(self._directory.actor_names))
        for _ in range(self._directory.wanted_actors() - len(self._starting) - adopted):
            name = CALL_ACTOR_PREFIX + uuid.uuid4().hex[:8]
            self._starting[name] = asyncio.get_running_loop().create_task(self._start_actor(name))
        now = asyncio.get_running_loop().time()
        going = {
            name: self._handles.pop(name, None) for name in self._directory.idle_actors(now=now)
        }
        for name in going:
            logger.info("CallActor %s gets no calls any more and is empty: released", name)
            self._directory.actor_lost(name)
            self._told_at.pop(name, None)
        await asyncio.gather(*(self._release(name, each) for name, each in going.items() if each))

    async def _look_after(self, name: str) -> None:
        handle = self._handles[name]
        if not await self._ask(name, handle) and self._handles.get(name) is handle:
            self._lose(name)

    def _asked(self, name: str, task: asyncio.Task[None]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("CallActor %s was not looked after: %s", name, type(error).__name__)

    def _due(self) -> list[str]:
        """Those whose turn it is: thousands at once would keep replicas waiting for seconds."""
        now, every_s = asyncio.get_running_loop().time(), self._directory.ask_every_s
        self._asked_at = {name: self._asked_at.get(name, 0.0) for name in self._handles}
        due = [
            name
            for name, at in self._asked_at.items()
            if now - at >= every_s - LOOK_EVERY_S / 2 and name not in self._asking
        ]
        due.sort(key=self._asked_at.__getitem__)
        names = due[: math.ceil(len(self._handles) * LOOK_EVERY_S / every_s)]
        self._asked_at.update(dict.fromkeys(names, now))
        return names

    async def _release(self, name: str, handle: Any) -> None:
        """A planned end: what is not written yet is written first."""
        try:
            await asyncio.wait_for(handle.aclose.remote(), STATUS_TIMEOUT_S)
        except (TimeoutError, ray.exceptions.RayError) as error:
            logger.warning("CallActor %s did not close: %s", name, type(error).__name__)
        ray.kill(handle)

    async def _start_actor(self, name: str) -> None:
        handle = self._actor_class.options(**call_actor_options(name)).remote(
            name, *self._actor_args
        )
        try:
            report = await asyncio.wait_for(handle.ready.remote(), START_TIMEOUT_S)
            self._handles[name] = handle
            self._note(name, report)
            self._trouble = ""
        except (ray.exceptions.RayError, TimeoutError) as error:
            self._trouble = _start_trouble(error)
            logger.error("CallActor %s did not start: %s", name, self._trouble)
            ray.kill(handle)
            await asyncio.sleep(1.0)  # a start that fails at once must not spin
        except asyncio.CancelledError:
            ray.kill(handle)
            raise
        finally:
            self._starting.pop(name, None)

    async def _ask(self, name: str, handle: Any) -> bool:
        """True while the actor answers; one slow answer is forgiven, a dead one is not.

        Of questions that waited at the same time one counts: when an actor with many calls is late,
        each of them reports it, and it would be ended for a single second.
        """
        asked_at = asyncio.get_running_loop().time()
        try:
            report = await asyncio.wait_for(handle.status.remote(), STATUS_TIMEOUT_S)
        except TimeoutError:
            if asked_at >= self._missed_at.get(name, 0.0):
                self._missed[name] = self._missed.get(name, 0) + 1
                self._missed_at[name] = asyncio.get_running_loop().time()
            return self._missed.get(name, 0) < MISSED_BEFORE_LOST
        except ray.exceptions.RayError:
            return False
        if self._handles.get(name) is not handle:
            return True  # given up or let go meanwhile: nobody would ever ask it again
        self._missed.pop(name, None)
        if asked_at >= self._told_at.get(name, 0.0):  # else a later question was answered first
            self._told_at[name] = asked_at
            self._note(name, report)
        return True

    def _note(self, name: str, report: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        recent = [str(call_id) for call_id in report.get("seated_lately", ())]
        self._directory.actor_reported(
            name,
            capacity=int(report["capacity"]),
            active=int(report["active_calls"]),
            now=now,
            # An actor of an older release does not say all of it.
            taken=int(report["capacity"]) - int(report["free"]) if "free" in report else None,
            recent=recent,
            release=str(report.get("release", "")),
            node=str(report.get("node", "")),
        )
        by_tenant = report.get("taken_by_tenant", {})
        self._directory.tenants_reported(name, by_tenant, recent, now=now)

    def _lose(self, name: str) -> None:
        logger.warning("CallActor %s does not answer: replaced", name)
        self._directory.actor_lost(name)
        for times in (self._missed, self._missed_at, self._told_at):
            times.pop(name, None)
        handle = self._handles.pop(name, None)
        if handle is not None:
            ray.kill(handle)


def _start_trouble(error: Exception) -> str:
    """Why a CallActor did not start, in one line that a person can act on."""
    if isinstance(error, TimeoutError):
        return (
            f"not started within {START_TIMEOUT_S:.0f} s: is a CPU slot free (num_cpus of the "
            "nodes, 'ray status')?"
        )
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() or [""]
    return f"{type(cause).__name__}: {lines[-1]}"
