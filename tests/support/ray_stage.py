"""The product on a Ray cluster of its own, with emulated providers: what the Ray suite plays on.

The emulators run on a thread of the test process, on ports of their own; the product is started
with the functions of ``callcluster serve``, so that HAProxy, three ingress replicas and two
CallActors are real processes that a test can kill.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import sqlite3
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from actors.placement import CALL_ACTOR_PREFIX, DIRECTORY_NAME, NAMESPACE
from cluster import ports
from cluster.call_store import open_call_store, require_call_store
from cluster.settings import Settings, load_settings
from records.edge_rows import NumberRow
from records.number_store import NumberStore
from simulation.azure_stt import AzureConfig
from simulation.elevenlabs_tts import ElevenLabsConfig
from simulation.exchange import ExchangeConfig
from simulation.openai_chat import OpenAIConfig
from simulation.openai_replies import ScriptLine
from simulation.providers import ProvidersConfig, RunningProviders, run_providers

ROOT = Path(__file__).parents[2]
AUTH_TOKEN = "carrier-token-of-the-ray-suite"
REPLICAS = 3
ACTORS = 2
CALLS_PER_ACTOR = 3
STREAMS = 200  # of the recogniser's key; far more than there are calls
# Thirty processes that begin at once: 60 s were not enough while other work had the machine.
READY_WITHIN_S = 180.0
LIMITED = "limited"  # a tenant of its own number, who may have so many calls at once:
LIMITED_NUMBER = "+14155550177"
LIMITED_CALLS = 2
GREETING = "Front desk, good day."
COLLEAGUE = "+14155550123"
AGENT = f"""
language: en-US
voice: 21m00Tcm4TlvDq8ikWAM
greeting: {GREETING}
prompt: You answer the telephone.
thinker: [openai, scripted]
phrases:
  resume: Here I am again.
turn_taking:
  idle_prompt_s: 35  # callers wait until a test has seen what it broke replaced
tools:
  - type: transfer
    to: "{COLLEAGUE}"
    timeout_s: 5
    announce: One moment, I will get her.
    no_answer: Nobody is there.
"""
# Short enough for a short suite, long enough to be killed in the middle of.
REPLIES = (
    ScriptLine(("clubs",), "That is a very fine card, and I have noted it."),
    ScriptLine(("meters",), "All right, we are going forward."),
    ScriptLine(("somewhere",), "I would be glad to do that."),
    ScriptLine(("weather",), "", tool="transfer"),
)


@contextmanager
def emulators() -> Iterator[RunningProviders]:
    """Emulated providers with small lags, on a thread of their own."""
    config = ProvidersConfig(
        azure=AzureConfig(interim_lag_s=0.05, final_lag_s=0.02),
        openai=OpenAIConfig(first_token_s=0.1, per_token_s=0.005, script=REPLIES),
        elevenlabs=ElevenLabsConfig(first_byte_s=0.02),
        twilio=ExchangeConfig(auth_token=AUTH_TOKEN),
    )
    ready = threading.Event()
    found: list[RunningProviders] = []
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def run() -> None:
        async with run_providers(config) as running:
            found.append(running)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="emulators")
    thread.start()
    try:
        if not ready.wait(20):
            raise RuntimeError("the emulators did not start")
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def provider_environment(running: RunningProviders) -> dict[str, str]:
    """What points the product at the emulators."""
    return {
        "AZURE_SPEECH_HOST": running.azure_host,
        "OPENAI_BASE_URL": running.openai_base_url,
        "OPENAI_API_KEY": "emulated",
        "ELEVENLABS_BASE_URL": running.elevenlabs_base_url,
        "ELEVENLABS_API_KEY": "emulated",
        "TWILIO_API_BASE_URL": running.twilio_api_base_url,
        "TWILIO_ACCOUNT_SID": running.exchange.account.account_sid,
        "TWILIO_PHONE_NUMBER": running.exchange.account.numbers[0],
    }


@dataclass(frozen=True, slots=True)
class Premises:
    """A folder and ports of a deployment's own.

    Attributes:
        environment: What its processes find in their environment.
    """

    folder: Path
    port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Where the product listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> Path:
        """The SQLite file of the records."""
        return self.folder / "var" / "callcluster.sqlite3"


@contextmanager
def premises(running: RunningProviders, **extra: str) -> Iterator[Premises]:
    """A folder with an agent and free ports; the folder is removed at the end.

    Args:
        running: The providers to use.
        extra: More of the environment.
    """
    # Short: unix sockets of Ray and HAProxy live below it.
    folder = Path(tempfile.mkdtemp(prefix="cc-ray-"))
    (folder / "agents").mkdir()
    (folder / "agents" / "reception.yaml").write_text(AGENT, "utf-8")
    port = ports.free_port()
    environment = {
        **provider_environment(running),
        "PYTHONPATH": str(ROOT),
        "RAY_TMPDIR": str(folder),  # a cluster that nobody takes for the one of this machine
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_metrics_report_interval_ms": "1000",  # 10 s otherwise: for Ray's own /metrics
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.free_port()),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.free_port()),
        # Else a second product of the suite would find the first one's, and does not start.
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.free_port()),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.free_port()),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "CALLCLUSTER_MODE": "development",  # ws:// to this machine is let through
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(port),
        "CALLCLUSTER_DATA_DIR": str(folder / "var"),
        "CALLCLUSTER_CACHE": "off",  # every turn is to be thought about
        "CALLCLUSTER_AGENTS_DIR": str(folder / "agents"),
        **extra,
    }
    try:
        yield Premises(folder, port, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def in_environment(values: dict[str, str]) -> Iterator[None]:
    """``os.environ`` with these values; as it was before afterwards."""
    before = dict(os.environ)
    os.environ.update(values)
    os.environ.pop("RAY_ADDRESS", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A row of the store's turns."""

    turn_id: int
    kind: str
    caller_text: str
    heard_text: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Stage:
    """The running product."""

    premises: Premises
    settings: Settings
    providers: RunningProviders
    haproxy: bool

    def readiness(self) -> dict[str, Any]:
        """What ``/readyz`` of some replica says."""
        return get_json(f"{self.premises.url}/readyz")[1]

    def replicas(self) -> list[dict[str, Any]]:
        """What ``/readyz`` of each ingress replica says, asked past HAProxy."""
        found = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "ServeReplica" in " ".join(process.cmdline()):
                    listening = {ports.port_of(c) for c in process.net_connections("tcp")}
                    found += [report for port in listening if port and (report := _readyz(port))]
        return found

    def replica_with_calls(self) -> int:
        """The process id of an ingress replica that carries a call just now."""
        busy = (r["pid"] for r in self.replicas() if r["active_calls"])
        return int(next(busy))

    def counters(self) -> dict[int, Counter[str]]:
        """The counters of all ingress replicas, by process id."""
        reports = until(lambda: len(found := self.replicas()) == REPLICAS and found)
        return {report["pid"]: Counter(report["counters"]) for report in reports}

    def actor_names(self) -> list[str]:
        """Every CallActor that has a name in the cluster."""
        import ray

        named = ray.util.list_named_actors(all_namespaces=True)
        return sorted(
            item["name"]
            for item in named
            if item["namespace"] == NAMESPACE and item["name"].startswith(CALL_ACTOR_PREFIX)
        )

    def directory(self) -> Any:
        """The handle of the directory."""
        import ray

        return ray.get_actor(DIRECTORY_NAME, namespace=NAMESPACE)

    def actor(self, name: str) -> Any:
        """The handle of a CallActor."""
        import ray

        return ray.get_actor(name, namespace=NAMESPACE)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the call store."""
        with sqlite3.connect(f"file:{self.premises.store}?mode=ro", uri=True) as store:
            return store.execute(query, values).fetchall()

    def turns(self, call_sid: str) -> list[RecordedTurn]:
        """The recorded turns of a call, oldest first."""
        query = (
            "select turn_id, kind, caller_text, heard_text, outcome from turns "
            "where call_sid = ? order by turn_id"
        )
        return [RecordedTurn(*row) for row in self.rows(query, call_sid)]

    async def until_recorded(self, call_sid: str) -> None:
        """Wait until the store says that the caller hung up, by stream or by status callback."""
        query = "select status, planned_end, end_reason from calls where call_sid = ?"
        wanted = [[("ended", 1, reason)] for reason in ("caller_hung_up", "carrier_completed")]
        async with asyncio.timeout(20):
            while self.rows(query, call_sid) not in wanted:
                await asyncio.sleep(0.05)

    async def busy_actor(self) -> dict[str, Any]:
        """The status of the one CallActor that has calls."""
        from ray.exceptions import RayError

        async with asyncio.timeout(10):
            while True:
                for name in self.actor_names():
                    # Of those that a test has killed or held, some are listed for a moment more.
                    with contextlib.suppress(ValueError, RayError, TimeoutError):
                        async with asyncio.timeout(1.0):
                            status = await self.actor_status(name)
                        if status["active_calls"]:
                            return status
                await asyncio.sleep(0.02)

    async def actor_status(self, name: str) -> dict[str, Any]:
        """What a CallActor says of itself."""
        status: dict[str, Any] = await self.actor(name).status.remote()
        return status

    async def whole_again(self, *, without: str = "") -> list[str]:
        """Wait until two CallActors (not this one) are alive and idle slots count; their names."""
        async with asyncio.timeout(60):
            while True:
                status = await self.directory().status.remote()
                names = [name for name in status["actors"] if name != without]
                if len(names) == ACTORS and status["capacity"] == ACTORS * CALLS_PER_ACTOR:
                    return names
                await asyncio.sleep(0.1)


@contextmanager
def product(running: RunningProviders) -> Iterator[Stage]:
    """Start Ray, Serve in HAProxy mode and the application; stop them all at the end."""
    with (
        premises(
            running,
            CALLCLUSTER_INGRESS_REPLICAS=str(REPLICAS),
            CALLCLUSTER_CALLS_PER_REPLICA="4",
            CALLCLUSTER_CALL_ACTORS="2",
            CALLCLUSTER_MAX_CALL_ACTORS="2",
            CALLCLUSTER_CALLS_PER_ACTOR=str(CALLS_PER_ACTOR),
            CALLCLUSTER_PROVIDER_LIMITS=f"recogniser.azure={STREAMS}",
            CALLCLUSTER_TENANT_CALLS=f"{LIMITED}={LIMITED_CALLS}",
        ) as place,
        in_environment(place.environment),
    ):
        from cluster import run_serve  # Serve reads its environment at import

        settings = load_settings()
        asyncio.run(_add_limited_tenant(place, settings))
        said: list[str] = []
        haproxy = run_serve.prepare_environment(settings, said.append)
        run_serve.start_ray(dashboard=False)
        try:
            run_serve.deploy(settings)
            run_serve.wait_until_ready(settings.port, within_s=READY_WITHIN_S)
            stage = Stage(place, settings, running, haproxy)
            until(lambda: stage.readiness()["cluster_capacity"] == 2 * CALLS_PER_ACTOR)
            until(lambda: sum(replica["ready"] for replica in stage.replicas()) == REPLICAS)
            yield stage
        finally:
            run_serve.stop_all(settings.port)


async def _add_limited_tenant(place: Premises, settings: Settings) -> None:
    """An agent and a number of it, there before the replicas read the table."""
    agents = place.folder / "agents" / LIMITED
    agents.mkdir()
    (agents / "reception.yaml").write_text(AGENT, "utf-8")
    await require_call_store(settings)
    database = open_call_store(settings)
    await NumberStore(database).put(NumberRow(LIMITED_NUMBER, LIMITED, "reception"))
    await database.aclose()


def _readyz(port: int) -> dict[str, Any]:
    """The readiness of the replica on this port; empty when the port speaks something else."""
    try:
        report = get_json(f"http://127.0.0.1:{port}/readyz")[1]
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return report if "pid" in report else {}


def get_json(url: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of a GET, errors included."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def until(condition: Callable[[], Any], within_s: float = 60.0, what: str = "it") -> Any:
    """The first true value of ``condition``; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s:.0f} s")
        threading.Event().wait(0.05)
    return value
