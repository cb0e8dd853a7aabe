"""The stage: the product under Ray Serve on one machine, emulated providers, and a carrier.

The product and the providers are processes of their own, started through the command line as a
person would start them. The carrier is in this process, so that its calls can be steered by the
product over REST, and cut by us.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cluster import serve_env
from cluster.chaos.stage import RowPorts
from cluster.demo_children import Child, clean_environment, free_ports
from cluster.demo_stage import Progress, StagePorts, readiness, ready_line, wait_for_product
from cluster.run_serve import haproxy_folder
from cluster.survival.database import DatabaseSwitch, postgres_folder, running_postgres
from cluster.survival.distance import FarTransport, open_far_socket
from cluster.survival.front import running_front
from cluster.survival.listening import listening
from cluster.survival.network import NodeNetwork, node_network
from cluster.survival.nodes import HEAD, Nodes
from cluster.survival.parts import ProcessTable
from cluster.survival.plan import SurvivalPlan
from cluster.survival.presence import calls_by_node
from cluster.survival.redis import redis_binary, running_redis
from simulation.control import Control
from simulation.exchange import Exchange, ExchangeConfig
from simulation.faults import FaultBoard
from simulation.twilio_rest import TwilioRestApi
from simulation.wire_server import WireServer

LOOPBACK = "127.0.0.1"
PUBLIC_URL = "https://survival.callcluster.example"
CALLS_PER_REPLICA = 25
# Fewer than a replica hears, so that a lost actor shows; more than there are calls, so that one
# actor has room for all of them and for those that are placed meanwhile.
CALLS_PER_ACTOR = 24
AGENT = """
language: en-US
voice: 21m00Tcm4TlvDq8ikWAM
greeting: Good morning!
prompt: You are the friendly receptionist of a small company.
recogniser: azure
thinker: [openai, scripted]
speaker: elevenlabs
phrases:
  resume: I am with you again.
"""
DRAIN_S = 5.0  # short, so that calls of a replica that retires have to be moved
NODE_DRAIN_S = 90.0
_EMULATORS_WITHIN_S = 60.0
_READY = "ready on port"
_READY_WITHIN_S = 180.0  # also where other work has the machine
_EMULATED_PORTS = 8
_ASK_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running product.

    Attributes:
        url: Where the carrier finds it: its HAProxy, or the front of several nodes.
        auth_token: Signs what the carrier sends.
        store_url: Its call store.
        exchange: The carrier; nobody has entered it.
        processes: Those of the product.
        replica_places: Where ingress replicas may listen: address, port.
        database: Starts and stops PostgreSQL; None when the store is a file.
        nodes: When there are several.
        logs: Folder of Ray's session, in which every process writes its log.
    """

    url: str
    auth_token: str
    store_url: str
    exchange: Exchange
    processes: ProcessTable
    replica_places: tuple[tuple[str, int], ...]
    logs: Path
    database: DatabaseSwitch | None = None
    nodes: Nodes | None = None

    async def deploy(self) -> None:
        """Deploy other agents on the nodes, as a person does. Raises ``DemoFailed``."""
        if self.nodes is not None:
            await self.nodes.deploy()

    async def scale(self, replicas: int) -> None:
        """Deploy the same with another number of ingress replicas. Raises ``DemoFailed``."""
        if self.nodes is not None:
            await self.nodes.scale(replicas)

    async def replicas(self) -> list[dict[str, object]]:
        """What ``/readyz`` of each ingress replica says, asked past HAProxy."""
        # Reading certificates, which nobody needs here, would hold the callers' clock up.
        http = httpx.AsyncClient(trust_env=False, timeout=_ASK_WITHIN_S, verify=False)  # noqa: S501
        async with http:
            there = await asyncio.to_thread(listening, self.replica_places)
            urls = (f"http://{address}:{port}" for address, port in there)
            found = await asyncio.gather(*(readiness(http, url) for url in urls))
        return [report for report in found if "pid" in report]

    async def calls_by_node(self) -> dict[int, int]:
        """Calls in the ingress replicas of each node, by its number."""
        reports, nodes = await self.replicas(), self.nodes
        numbers = range(nodes.count) if nodes is not None else ()
        there = await asyncio.to_thread(
            lambda: {number: nodes.pids(number) for number in numbers} if nodes else {}
        )
        return calls_by_node(reports, there)


@asynccontextmanager
async def running_stage(
    plan: SurvivalPlan,
    logs: Path,
    progress: Progress,
    *,
    cache: bool,
    postgres: bool,
    nodes: int = 1,
) -> AsyncIterator[Stage]:
    """Start everything, yield it once calls would be answered, stop everything.

    Args:
        plan: How many processes.
        logs: Folder for what the processes say.
        progress: Told what is going on.
        cache: Answers may come from the response cache; otherwise every turn is thought about.
        postgres: The records go to PostgreSQL; otherwise to SQLite.
        nodes: Ray nodes, each in a namespace of its own when there are several: behind a front,
            with PostgreSQL and Redis where these are installed.

    Raises:
        DemoFailed: A process did not start; shows why.
    """
    first = free_ports(StagePorts.COUNT + _EMULATED_PORTS)[0]
    ports, row = StagePorts(first), RowPorts(first + StagePorts.COUNT)
    scratch = _scratch()
    auth_token = secrets.token_hex(16)
    # The first port of a demo's stage is nobody's here: it is the front's.
    url = f"http://127.0.0.1:{ports.http if nodes == 1 else ports.first}"
    exchange = _far_exchange(url, auth_token)
    children: list[Child] = []
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        network = stack.enter_context(node_network(nodes)) if nodes > 1 else None
        host = network.host if network else LOOPBACK
        has_postgres = postgres or (network is not None and postgres_folder() is not None)
        database = stack.enter_context(running_postgres(host)) if has_postgres else None
        rest = WireServer(TwilioRestApi(exchange), Control(FaultBoard()))
        rest_port = await rest.start(host, 0)
        stack.push_async_callback(rest.close)
        exchange.log.api_url = f"http://{host}:{rest_port}"
        stack.push_async_callback(_stop, children)
        emulators = await Child.start(
            "emulators",
            ("simulate", "providers", "--first-served", f"--host={host}", *row.options),
            environment=clean_environment(os.environ, {}),
            log_path=logs / "emulators.log",
            cwd=scratch,
        )
        children.append(emulators)
        environment = {
            **product_environment(plan, ports, row, scratch, auth_token, host),
            "TWILIO_ACCOUNT_SID": exchange.account.account_sid,
            "TWILIO_PHONE_NUMBER": exchange.account.numbers[0],
            "TWILIO_API_BASE_URL": exchange.log.api_url,
            "CALLCLUSTER_CACHE": "on" if cache else "off",
        }
        if database is not None:
            environment["DATABASE_URL"] = database.url
        processes, ray_nodes = ProcessTable(), None
        at = _addresses(network)
        if network is not None:
            environment |= node_environment(at, host, plan)
            if redis_binary():
                environment["RAY_REDIS_ADDRESS"] = stack.enter_context(running_redis(host))
            ray_nodes = Nodes(
                network,
                clean_environment(os.environ, environment),
                http_port=ports.http,
                logs=logs,
                scratch=scratch,
                processes=processes,
            )
            await _start_nodes(ray_nodes, stack, progress)
            stack.push_async_callback(_stop, children)  # the product before the nodes
            environment["RAY_ADDRESS"] = ray_nodes.ray_address
            front = running_front(scratch, ports.first, [f"{each}:{ports.http}" for each in at])
            await stack.enter_async_context(front)
        product = await Child.start(
            "callcluster serve",
            ("serve", "--no-dashboard"),
            environment=clean_environment(os.environ, environment),
            log_path=logs / "serve.log",
            cwd=scratch,
            folders=(haproxy_folder(ports.http),),
            prefix=ray_nodes.inside(HEAD) if ray_nodes else (),
        )
        children.append(product)
        processes.roots.insert(0, product.pid)
        progress.started("emulated providers")
        await emulators.said(ready_line, _EMULATORS_WITHIN_S)
        progress.done("emulated providers")
        await _until_ready(product, url, progress)
        yield Stage(
            url=url,
            auth_token=auth_token,
            store_url=(
                database.url
                if database is not None
                else f"sqlite+aiosqlite:///{scratch / 'callcluster.sqlite3'}"
            ),
            exchange=exchange,
            processes=processes,
            replica_places=tuple(
                (address, port)
                for address in at
                for port in range(ports.replicas[0], ports.replicas[1] + 1)
            ),
            logs=scratch,
            database=database,
            nodes=ray_nodes,
        )


def _addresses(network: NodeNetwork | None) -> tuple[str, ...]:
    """Where HAProxy and replicas listen, by node."""
    return (LOOPBACK,) if network is None else tuple(map(network.address, range(network.count)))


def _scratch() -> Path:
    """The folder of the run, with its agent; short, for Ray's unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ccsurv-"))
    (folder / "agents").mkdir()
    (folder / "agents" / "survival.yaml").write_text(AGENT, "utf-8")
    return folder


def _far_exchange(url: str, auth_token: str) -> Exchange:
    return Exchange(
        ExchangeConfig(url=url, auth_token=auth_token, public_url=PUBLIC_URL),
        seed=secrets.randbits(64),
        transport=FarTransport(),
        opener=open_far_socket,
    )


async def _until_ready(product: Child, url: str, progress: Progress) -> None:
    """Wait until calls are answered, and the command has seen it: Ctrl-C breaks off its start."""
    haproxy = serve_env.haproxy_available()
    await wait_for_product(product, url, haproxy=haproxy, progress=progress)
    await product.said(lambda log: _READY in log or None, _READY_WITHIN_S)


async def _start_nodes(nodes: Nodes, stack: AsyncExitStack, progress: Progress) -> None:
    stack.push_async_callback(nodes.stop)
    progress.started(f"{nodes.count} Ray nodes")
    for number in range(nodes.count):
        await nodes.start(number)
    progress.done(f"{nodes.count} Ray nodes")


async def _stop(children: list[Child]) -> None:
    for child in children:
        child.let_go()
    await asyncio.gather(*(child.stop() for child in children))


def node_environment(nodes: tuple[str, ...], host: str, plan: SurvivalPlan) -> dict[str, str]:
    """What several nodes are told besides: how to spread, and that no proxy lies between them."""
    near = ",".join((LOOPBACK, "localhost", host, *nodes))
    spare = any(fault.needs_spare for fault in plan.faults)
    # A replica that retires counts, too: its successor has to find room beside it.
    changes = any(fault.needs_room for fault in plan.faults)
    a_node = math.ceil(plan.replicas / (len(nodes) - spare)) + changes
    return {
        "CALLCLUSTER_HOST": "0.0.0.0",  # noqa: S104 - of a namespace of this run
        "CALLCLUSTER_MAX_REPLICAS_PER_NODE": str(a_node),
        # Who joins must know it; a token of this machine's own is none of this run's business.
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "NO_PROXY": near,
        "no_proxy": near,
    }


def product_environment(
    plan: SurvivalPlan,
    ports: StagePorts,
    row: RowPorts,
    scratch: Path,
    auth_token: str,
    host: str = LOOPBACK,
) -> dict[str, str]:
    """What the product is told: emulators instead of services, its own ports, its own Ray."""
    return {
        "AZURE_SPEECH_HOST": f"ws://{host}:{row.of('azure')}",
        "OPENAI_BASE_URL": f"http://{host}:{row.of('openai')}/v1",
        "OPENAI_API_KEY": "emulated",
        "ELEVENLABS_BASE_URL": f"http://{host}:{row.of('elevenlabs')}",
        "ELEVENLABS_API_KEY": "emulated",
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_AUTH_TOKEN": auth_token,
        "CALLCLUSTER_HOST": LOOPBACK,
        "CALLCLUSTER_PORT": str(ports.http),
        "CALLCLUSTER_DATA_DIR": str(scratch),
        "CALLCLUSTER_AGENTS_DIR": str(scratch / "agents"),
        "CALLCLUSTER_DEFAULT_AGENT": "survival",
        "CALLCLUSTER_INGRESS_REPLICAS": str(plan.replicas),
        "CALLCLUSTER_CALL_ACTORS": str(plan.call_actors),
        "CALLCLUSTER_MAX_CALL_ACTORS": str(plan.call_actors),
        "CALLCLUSTER_CALLS_PER_ACTOR": str(CALLS_PER_ACTOR),
        "CALLCLUSTER_AZURE_STREAMS_PER_PROCESS": str(CALLS_PER_REPLICA),
        # With a limit there is something to share, so the health of providers has its keeper.
        "CALLCLUSTER_PROVIDER_LIMITS": "recogniser.azure=200",
        # A call of this run loses its stream again and again; that is no reason to give it up.
        "CALLCLUSTER_MAX_RESUMES": "100",
        "CALLCLUSTER_DRAIN_S": f"{DRAIN_S:.0f}",
        "CALLCLUSTER_NODE_DRAIN_S": f"{NODE_DRAIN_S:.0f}",
        "CALLCLUSTER_TURN_MODEL": "none",  # its CPU is another subject
        "RAY_TMPDIR": str(scratch),  # another Ray on this machine is not ours to join
        "RAY_worker_niceness": "0",
        **ports.serve_environment,
    }
