"""What a run measures: emulators in one process, the product in its own tree, through the CLI."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.cores import pinned
from benchmarks.plan import Lags, StagePlan
from cluster.demo_children import ROOT, Child, clean_environment, free_ports
from cluster.emulator_ports import UNASKED
from cluster.run_serve import haproxy_folder

AGENTS = ROOT / "benchmarks" / "agents"
EMULATORS_WITHIN_S = 30.0
READY_WITHIN_S = 150.0
READY_ANSWERS = 4
LAG_LINE = re.compile(
    r'^callcluster_event_loop_lag_seconds\{process="(\w+)",quantile="([0-9.]+)"\} (\S+)$',
    re.MULTILINE,
)


class StageFailed(Exception):
    """The product or its emulators did not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Emulated:
    """Ports of the emulated services of a run."""

    azure: int
    openai: int
    elevenlabs: int
    deepgram: int
    realtime: int

    def options(self) -> tuple[str, ...]:
        """For ``callcluster simulate providers``; what no run asks gets any port."""
        return (
            *UNASKED,
            f"--azure-port={self.azure}",
            f"--openai-port={self.openai}",
            f"--elevenlabs-port={self.elevenlabs}",
            f"--deepgram-port={self.deepgram}",
            f"--realtime-port={self.realtime}",
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """A running product.

    Attributes:
        url: Where its HAProxy listens.
        store: Its SQLite file.
        openai_base_url: Of the emulator, as the product has it.
        elevenlabs_base_url: Likewise.
        folder: Of this run: logs, reports, records.
        start_s: How long the product took to become ready.
        other_cores: Where callers run; empty for anywhere.
    """

    url: str
    store: Path
    openai_base_url: str
    elevenlabs_base_url: str
    folder: Path
    start_s: float
    other_cores: frozenset[int] = frozenset()

    async def active_calls(self, http: httpx.AsyncClient) -> int:
        """Calls in the cluster, as of the last sync of a replica (about once a second)."""
        report = await _readiness(http, self.url)
        return int(report.get("cluster_active_calls", 0)) if report else 0

    async def loop_lag_s(self, http: httpx.AsyncClient) -> dict[str, dict[str, float]]:
        """How late event loops were, by kind of process and quantile; of each second the worst.

        Over the whole life of the product; empty where its metrics cannot be read.
        """
        try:
            text = (await http.get(f"{self.url}/metrics")).text
        except httpx.HTTPError:
            return {}
        found: dict[str, dict[str, float]] = {}
        for process, quantile, value in LAG_LINE.findall(text):
            found.setdefault(process, {})[quantile] = float(value)
        return found


@asynccontextmanager
async def running_stage(plan: StagePlan) -> AsyncIterator[Stage]:
    """Start emulators and product, yield once calls would be answered, stop everything.

    Raises:
        StageFailed: One of them did not start.
    """
    http, stats, metrics, stand_in, stand_in_grpc = free_ports(5)
    folder = Path(tempfile.mkdtemp(prefix="ccb-"))  # short, for Ray's unix sockets
    places = Emulated(*free_ports(5))
    product = {
        "AZURE_SPEECH_HOST": f"ws://127.0.0.1:{places.azure}",
        "DEEPGRAM_BASE_URL": f"http://127.0.0.1:{places.deepgram}",
        "DEEPGRAM_API_KEY": "emulated",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{places.openai}/v1",
        "OPENAI_API_KEY": "emulated",
        "OPENAI_REALTIME_BASE_URL": f"http://127.0.0.1:{places.realtime}/v1",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{places.elevenlabs}",
        "ELEVENLABS_API_KEY": "emulated",
        "PUBLIC_URL": f"http://127.0.0.1:{http}",
        "CALLCLUSTER_MODE": "development",
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(http),
        "CALLCLUSTER_DATA_DIR": str(folder / "data"),
        "CALLCLUSTER_AGENTS_DIR": str(_agents(folder, AGENTS / plan.agents, plan.recogniser)),
        "CALLCLUSTER_DEFAULT_AGENT": "bench",
        "CALLCLUSTER_SPECULATE": "true" if plan.speculate else "false",
        "CALLCLUSTER_INGRESS_REPLICAS": str(plan.replicas),
        "CALLCLUSTER_CALL_ACTORS": str(plan.call_actors),
        "CALLCLUSTER_CACHE": "off",  # every turn is to be thought about
        "RAY_TMPDIR": str(folder),  # another Ray on this machine is not ours to join
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(stand_in),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(stand_in_grpc),
        **plan.environment,
    }
    children: list[Child] = []
    try:
        children.append(await start_emulators(plan, places, folder))
        await children[0].said(emulators_listen, EMULATORS_WITHIN_S)
        began_s = time.monotonic()
        with pinned(plan.product_cores):
            server = await Child.start(
                "callcluster serve",
                ("serve", "--no-dashboard"),
                environment=clean_environment(os.environ, product),
                log_path=folder / "serve.log",
                cwd=folder,
                folders=(haproxy_folder(http),),
            )
        children.append(server)
        url = f"http://127.0.0.1:{http}"
        await _wait_until_ready(children[1], url)
        store = folder / "data" / "callcluster.sqlite3"
        yield Stage(
            url,
            store,
            product["OPENAI_BASE_URL"],
            product["ELEVENLABS_BASE_URL"],
            folder,
            time.monotonic() - began_s,
            plan.other_cores,
        )
    finally:
        for child in children:
            child.let_go()
        await asyncio.gather(*(child.stop() for child in children))
        shutil.rmtree(folder, ignore_errors=True)


async def start_emulators(plan: StagePlan, places: Emulated, folder: Path) -> Child:
    """The emulated services of a plan, as late as it says; its log tells when they listen."""
    with pinned(plan.other_cores):
        return await Child.start(
            "the emulators",
            (
                "simulate",
                "providers",
                "--first-served",
                *places.options(),
                *_lag_options(plan.lags),
            ),
            environment=clean_environment(os.environ, {}),
            log_path=folder / "emulators.log",
            cwd=folder,
        )


def _agents(folder: Path, source: Path, recogniser: str) -> Path:
    """A folder with the agents of ``source``, who hear by ``recogniser``."""
    agents = folder / "agents"
    agents.mkdir()
    for file in source.glob("*.yaml"):
        text = f"{file.read_text('utf-8').rstrip()}\nrecogniser: {recogniser}\n"
        (agents / file.name).write_text(text, "utf-8")
    return agents


def _lag_options(lags: Lags) -> tuple[str, ...]:
    return (
        f"--interim-lag-s={lags.recognise_s}",
        f"--final-lag-s={lags.recognise_s}",
        f"--first-token-s={lags.think_s}",
        f"--per-token-s={lags.per_token_s}",
        f"--first-byte-s={lags.speak_s}",
    )


async def _wait_until_ready(product: Child, url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    answers = 0
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while True:
            product.require_alive()
            report = await _readiness(http, url)
            # Replicas answer in turn, and calls land on any of them.
            answers = answers + 1 if report is not None and report.get("ready") else 0
            if answers >= READY_ANSWERS:
                return
            if time.monotonic() > deadline:
                raise StageFailed(f"not ready after {READY_WITHIN_S:.0f} s: {report}")
            await asyncio.sleep(0.25)


async def _readiness(http: httpx.AsyncClient, url: str) -> dict[str, Any] | None:
    try:
        report = (await http.get(f"{url}/readyz")).json()
    except (httpx.HTTPError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def emulators_listen(log: str) -> bool | None:
    """Of what the emulators have printed: whether they listen, None while it is not told."""
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                return bool(json.loads(line)["ready"])
            except (ValueError, KeyError):
                return None  # half a line: the rest is on its way
    return None
