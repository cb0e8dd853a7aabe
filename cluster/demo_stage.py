"""The stage of a demo: emulated providers and the product under Ray Serve, started side by side.

Both run as a person would run them, through the command line, and find each other by ports chosen
beforehand, so that neither waits for the other. Everything the product would take from its
surroundings (keys, database, cluster, public name) is made up for the run.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import httpx

from cluster import serve_env
from cluster.demo_children import ROOT, Child, clean_environment, free_ports
from cluster.emulator_ports import UNASKED
from cluster.run_serve import PYTHON_PROXY_COST, START_FAILED, haproxy_folder
from simulation.espeak_voice import INSTALL_HINT

PUBLIC_URL = "https://demo.callcluster.example"
AGENTS = ROOT / "simulation" / "demo_agents"
LAGS: Mapping[str, float] = {
    "--interim-lag-s": 0.15,
    "--final-lag-s": 0.1,
    "--first-token-s": 0.25,
    "--per-token-s": 0.012,
    "--first-byte-s": 0.12,
}
LAGS_IN_WORDS = (
    "hypotheses after 150 ms, final transcript 100 ms, first token 250 ms and 12 ms a token, "
    "first byte of speech 120 ms"
)
_EMULATORS_WITHIN_S = 30.0
_RAY_WITHIN_S = 60.0
_READY_WITHIN_S = 120.0


class Progress(Protocol):
    """Who is told how the start goes."""

    def started(self, what: str) -> None:
        """``what`` is being waited for."""

    def done(self, what: str) -> None:
        """``what`` is there."""

    def note(self, text: str) -> None:
        """Something a person should know."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running product.

    Attributes:
        url: Where its HAProxy listens.
        auth_token: Signs what the carrier sends; made up for this run.
        store_url: Its call store.
        haproxy: True when HAProxy carries the audio.
        speaks: True when the emulated voice is a voice and no hum.
        children: Its processes.
    """

    url: str
    auth_token: str
    store_url: str
    haproxy: bool
    speaks: bool
    children: tuple[Child, ...]


@dataclass(frozen=True, slots=True)
class StagePorts:
    """Ports of a run, in a row.

    Attributes:
        first: The first of ``StagePorts.COUNT``.
    """

    COUNT: ClassVar[int] = 180
    first: int

    @property
    def azure(self) -> int:
        """The emulated Azure Speech."""
        return self.first

    @property
    def openai(self) -> int:
        """The emulated OpenAI."""
        return self.first + 1

    @property
    def elevenlabs(self) -> int:
        """The emulated ElevenLabs."""
        return self.first + 2

    @property
    def http(self) -> int:
        """The product's HAProxy."""
        return self.first + 3

    @property
    def replicas(self) -> tuple[int, int]:
        """First and last port of the product's replicas, which HAProxy connects to.

        Ray Serve gives the port of a replica that is gone to no other one for twenty minutes
        (``RAY_SERVE_PORT_QUARANTINE_S``). Without a port left none can start.
        """
        return self.first + 30, self.first + 179

    @property
    def serve_environment(self) -> dict[str, str]:
        """What moves every port of Ray Serve.

        Two Serve clusters of one machine share the ports of their replicas (from 30000 on) and of
        the proxy that stands in while there are none (8500) unless told otherwise, and then
        HAProxy of the one sends its calls to the other.
        """
        return {
            "RAY_SERVE_HAPROXY_STATS_PORT": str(self.first + 4),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(self.first + 5),
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(self.first + 6),
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(self.first + 7),
            "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(self.replicas[0]),
            "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(self.replicas[1]),
            "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(self.first + 20),
            "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(self.first + 29),
        }


@asynccontextmanager
async def running_stage(logs: Path, progress: Progress) -> AsyncIterator[Stage]:
    """Start everything, yield it once calls would be answered, stop everything.

    Args:
        logs: Folder for the logs of the processes.
        progress: Told what is going on.

    Raises:
        DemoFailed: A process did not start; shows why.
    """
    ports = StagePorts(free_ports(StagePorts.COUNT)[0])
    # Short, for Ray's unix sockets; gone with the run.
    scratch = Path(tempfile.mkdtemp(prefix="ccdemo-"))
    auth_token = secrets.token_hex(16)
    children: list[Child] = []
    try:
        emulators = await Child.start(
            "the emulators",
            ("simulate", "providers", "--first-served", *_emulator_options(ports)),
            environment=clean_environment(os.environ, {}),
            log_path=logs / "emulators.log",
            cwd=scratch,
        )
        children.append(emulators)
        product = await Child.start(
            "callcluster serve",
            ("serve", "--no-dashboard"),
            environment=clean_environment(
                os.environ, product_environment(ports, scratch, auth_token)
            ),
            log_path=logs / "serve.log",
            cwd=scratch,
            folders=(scratch, haproxy_folder(ports.http)),
        )
        children.append(product)
        haproxy = serve_env.haproxy_available()
        if not haproxy:
            progress.note(PYTHON_PROXY_COST)
        await _wait_for_emulators(emulators, progress)
        url = f"http://127.0.0.1:{ports.http}"
        await wait_for_product(product, url, haproxy=haproxy, progress=progress)
        yield Stage(
            url=url,
            auth_token=auth_token,
            store_url=f"sqlite+aiosqlite:///{scratch / 'callcluster.sqlite3'}",
            haproxy=haproxy,
            speaks=INSTALL_HINT not in emulators.log(),
            children=tuple(children),
        )
    finally:
        for child in children:
            child.let_go()
        await asyncio.gather(*(child.stop() for child in children))
        shutil.rmtree(scratch, ignore_errors=True)


def product_environment(ports: StagePorts, scratch: Path, auth_token: str) -> dict[str, str]:
    """What the product is told: emulators instead of services, its own ports, its own Ray."""
    return {
        "AZURE_SPEECH_HOST": f"ws://127.0.0.1:{ports.azure}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{ports.openai}/v1",
        "OPENAI_API_KEY": "emulated",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{ports.elevenlabs}",
        "ELEVENLABS_API_KEY": "emulated",
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_AUTH_TOKEN": auth_token,
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(ports.http),
        "CALLCLUSTER_DATA_DIR": str(scratch),
        "CALLCLUSTER_CACHE": "off",  # every turn is to be thought about
        "CALLCLUSTER_AGENTS_DIR": str(AGENTS),
        "CALLCLUSTER_DEFAULT_AGENT": "frontdesk",
        "RAY_TMPDIR": str(scratch),  # another Ray on this machine is not ours to join
        "RAY_worker_niceness": "0",  # nothing else of ours runs here, and calls are in real time
        **ports.serve_environment,
    }


def _emulator_options(ports: StagePorts) -> list[str]:
    options = [*UNASKED, f"--azure-port={ports.azure}", f"--openai-port={ports.openai}"]
    options.append(f"--elevenlabs-port={ports.elevenlabs}")
    return options + [f"{name}={seconds}" for name, seconds in LAGS.items()]


async def _wait_for_emulators(emulators: Child, progress: Progress) -> None:
    what = "emulators of Azure Speech, OpenAI and ElevenLabs"
    progress.started(what)
    await emulators.said(ready_line, _EMULATORS_WITHIN_S)
    progress.done(what)


async def wait_for_product(product: Child, url: str, *, haproxy: bool, progress: Progress) -> None:
    """Wait until ``callcluster serve`` would answer a call. Raises ``DemoFailed``."""
    progress.started("Ray")
    await product.said(lambda log: "starting Ray Serve" in log or None, _RAY_WITHIN_S)
    progress.done("Ray")
    serve = f"Ray Serve with {'HAProxy' if haproxy else 'its Python proxy'}"
    progress.started(serve)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _READY_WITHIN_S
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while True:
            product.require_alive()
            report = await readiness(http, url)
            if report.get("ready"):
                break
            waiting_for = report.get("waiting_for", [])
            if any(START_FAILED in str(item) for item in waiting_for):
                raise product.failed(f"cannot become ready: {'; '.join(waiting_for)}")
            if loop.time() >= deadline:
                reasons = "; ".join(map(str, waiting_for)) or "no answer"
                raise product.failed(f"was not ready after {_READY_WITHIN_S:.0f} s ({reasons})")
            if waiting_for:
                progress.started(f"{serve}: {', '.join(map(str, waiting_for))}")
            await asyncio.sleep(0.1)
    progress.done(
        f"{serve}: {report.get('cluster_capacity', '?')} lines, connections and greeting warm"
    )


async def readiness(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The report of ``/readyz``; empty when there is no such answer yet."""
    try:
        answer = await http.get(f"{url}/readyz")
        report = answer.json()
    except (httpx.HTTPError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}


def ready_line(log: str) -> dict[str, Any] | None:
    """What the emulators announce once they listen; None until then."""
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                wire = json.loads(line)
            except ValueError:
                return None  # half a line: the rest is on its way
            if wire.get("ready"):
                return dict(wire)
    return None
