"""Ray nodes of a run: each in a network namespace of its own, started as a person starts them.

Node 0 is the head. A node is struck as a whole: every process of it at once.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from cluster.demo_children import Child
from cluster.errors import DemoFailed
from cluster.ray_start import RUNS
from cluster.survival.network import NodeNetwork
from cluster.survival.parts import ProcessTable

RAY_PORT: Final = 6379
HEAD: Final = 0
_RAY_WITHIN_S = 60.0
_STARTS = 3
_DEPLOYED_WITHIN_S = 120.0
_DEPLOYED = "new calls are answered by it"
_SAME = "runs already"
_STORE_BYTES = 200 * 1024 * 1024
_CPUS = 4  # slots, not threads
_PROMPT = re.compile(r"prompt: (?=You|Be brief\. )")


class Nodes:
    """The nodes of a run.

    Args:
        network: Where they are.
        environment: Of all of them.
        http_port: Where HAProxy of each listens.
        logs: Folder for what each says.
        scratch: Of the run: Ray's files.
        processes: Told what runs.
    """

    def __init__(
        self,
        network: NodeNetwork,
        environment: Mapping[str, str],
        *,
        http_port: int,
        logs: Path,
        scratch: Path,
        processes: ProcessTable,
    ) -> None:
        self._network = network
        self._environment = environment
        self._http_port = http_port
        self._logs = logs
        self._scratch = scratch
        self._processes = processes
        self.children: dict[int, Child] = {}

    @property
    def ray_address(self) -> str:
        """Of the cluster."""
        return f"{self._network.address(HEAD)}:{RAY_PORT}"

    def inside(self, number: int) -> tuple[str, ...]:
        """What comes before a command that is to run on a node."""
        return self._network.inside(number)

    @property
    def count(self) -> int:
        """How many there are when all is well."""
        return self._network.count

    async def start(self, number: int) -> None:
        """Start one, or start it again. Raises ``DemoFailed``."""
        if old := self.children.pop(number, None):
            await old.stop()
            self._processes.roots.remove(old.pid)
            log = self._logs / f"node-{number}.log"
            log.replace(log.with_name(f"node-{number}-before.log"))
        self._network.join(number)
        address = self._network.address(number)
        role = ("--head", f"--port={RAY_PORT}", "--include-dashboard=false")
        child = await Child.start(
            f"node {number}",
            (
                "node",
                f"--port={self._http_port}",
                "--",
                *(role if number == HEAD else (f"--address={self.ray_address}",)),
                f"--node-ip-address={address}",
                f"--num-cpus={_CPUS}",
                f"--object-store-memory={_STORE_BYTES}",
                "--disable-usage-stats",
            ),
            environment=self._environment,
            log_path=self._logs / f"node-{number}.log",
            cwd=self._scratch,
            prefix=self._network.inside(number),
        )
        self.children[number] = child
        self._processes.roots.append(child.pid)
        await child.said(lambda log: RUNS in log or None, _RAY_WITHIN_S)

    async def start_again(self, number: int) -> None:
        """Start one that was struck, again if need be. Raises ``DemoFailed``.

        Ray gives a start up after half a minute, which on a busy machine proves nothing.
        """
        for left in reversed(range(_STARTS)):
            try:
                await self.start(number)
            except DemoFailed:
                if not left:
                    raise
            else:
                return

    async def deploy(self) -> None:
        """Change what the agents are told and deploy that. Raises ``DemoFailed``."""
        for path in (self._scratch / "agents").glob("*.yaml"):
            text = path.read_text("utf-8")
            path.write_text(newer(text), "utf-8")
        await self._deploy(_DEPLOYED)

    async def scale(self, replicas: int) -> None:
        """Deploy the same with another number of ingress replicas. Raises ``DemoFailed``."""
        await self._deploy(_SAME, CALLCLUSTER_INGRESS_REPLICAS=str(replicas))

    async def _deploy(self, says: str, **settings: str) -> None:
        child = await Child.start(
            "callcluster deploy",
            ("deploy",),
            environment={**self._environment, "RAY_ADDRESS": self.ray_address, **settings},
            log_path=self._logs / "deploy.log",
            cwd=self._scratch,
            prefix=self.inside(HEAD),
        )
        try:
            await child.said(lambda log: says in log or None, _DEPLOYED_WITHIN_S)
        finally:
            await child.stop()

    async def stop(self) -> None:
        """Stop all of them."""
        children = list(self.children.values())
        for number in self.children:
            self._ask_to_end(number)  # its guard asks once more, and then it ends without a drain
        for child in reversed(children):
            child.let_go()
        for child in children:
            await child.stop()

    def kill(self, number: int) -> list[int]:
        """Kill every process of a node; their ids."""
        struck = []
        for process in self._of(number):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
                struck.append(process.pid)
        return struck

    def drain(self, number: int) -> list[int]:
        """Ask a node to end, as systemd and Kubernetes do; the ids of those asked."""
        return self._ask_to_end(number)

    def pids(self, number: int) -> frozenset[int]:
        """Process ids of what runs on a node."""
        return frozenset(process.pid for process in self._of(number))

    def has_ended(self, number: int) -> bool:
        """Whether nothing of a node runs any more."""
        return not self._of(number)

    def _ask_to_end(self, number: int) -> list[int]:
        """SIGTERM for ``callcluster node``, which is what its guard has started."""
        with contextlib.suppress(psutil.Error):
            asked = psutil.Process(self.children[number].pid).children()
            for process in asked:
                process.terminate()
            return [process.pid for process in asked]
        return []

    def lose(self, number: int) -> list[int]:
        """As if its power had gone: nobody is told that its connections are over."""
        self._network.cut(number)
        return self.kill(number)

    def _of(self, number: int) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.children[number].pid).children(recursive=True)
        return []


def newer(agent: str) -> str:
    """An agent's file with another prompt: each time another, so that it is another release."""
    return _PROMPT.sub("prompt: Be brief. ", agent, count=1)
