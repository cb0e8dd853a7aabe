"""The stage of a conversation in three modes: one product, one agent for each mode."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from cluster import serve_env
from cluster.demo_children import Child, clean_environment, free_ports
from cluster.demo_stage import LAGS, Progress, StagePorts, ready_line, wait_for_product
from cluster.emulator_ports import UNASKED
from cluster.evaluate.mode_agent import agent_text, script_text
from cluster.run_serve import haproxy_folder
from dialogue.agent import CallMode
from records.database import Database
from records.edge_rows import NumberRow
from records.number_store import NumberStore
from records.schema import prepare
from simulation.tool_service import ToolService

MODES: tuple[CallMode, ...] = get_args(CallMode)
NUMBERS: Mapping[CallMode, str] = {mode: f"+1415555030{n}" for n, mode in enumerate(MODES)}
PUBLIC_URL = "https://modes.callcluster.example"
_EMULATORS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class ModeStage:
    """A running product.

    Attributes:
        product: Its process, and below it all others.
        tools: The service that the agents' tools ask.
    """

    url: str
    auth_token: str
    store_url: str
    product: Child
    tools: ToolService


@asynccontextmanager
async def running_stage(
    logs: Path,
    progress: Progress,
    *,
    replicas: int = 1,
    call_actors: int = 1,
    tool_answers_after_s: float = 0.0,
    may_move: bool = False,
) -> AsyncIterator[ModeStage]:
    """Start everything, yield it once calls would be answered, stop everything.

    Args:
        logs: Folder for what the processes say.
        progress: Told what is going on.
        replicas: Of the ingress.
        call_actors: At the beginning.
        tool_answers_after_s: How long the service behind a tool takes.
        may_move: Calls of each agent may go on in the other modes.

    Raises:
        DemoFailed: A process did not start; shows why.
    """
    first = free_ports(StagePorts.COUNT + 2)[0]
    ports, realtime_port = StagePorts(first), first + StagePorts.COUNT
    azure_tts_port = realtime_port + 1
    scratch = Path(tempfile.mkdtemp(prefix="ccmodes-"))  # short, for Ray's unix sockets
    store_url = f"sqlite:///{scratch / 'callcluster.sqlite3'}"
    auth_token = secrets.token_hex(16)
    children: list[Child] = []
    stack = ExitStack()
    try:
        tools = stack.enter_context(ToolService(tool_answers_after_s).running())
        script = scratch / "script.yaml"
        script.write_text(script_text(), "utf-8")
        (scratch / "agents").mkdir()
        for mode in MODES:
            file = scratch / "agents" / f"{mode}.yaml"
            others = [each for each in MODES if may_move and each != mode]
            file.write_text(agent_text(mode, tools.url, others), "utf-8")
        await _route(store_url)
        options = {
            "--azure-port": ports.azure,
            "--openai-port": ports.openai,
            "--elevenlabs-port": ports.elevenlabs,
            "--realtime-port": realtime_port,
            "--azure-tts-port": azure_tts_port,
            **dict.fromkeys(_UNUSED, 0),
            **LAGS,
            "--script": script,
        }
        emulators = await Child.start(
            "the emulators",
            (
                *("simulate", "providers", "--first-served", *UNASKED),
                *(f"{name}={value}" for name, value in options.items()),
            ),
            environment=clean_environment(os.environ, {}),
            log_path=logs / "emulators.log",
            cwd=scratch,
        )
        children.append(emulators)
        product = await Child.start(
            "callcluster serve",
            ("serve", "--no-dashboard"),
            environment=clean_environment(
                os.environ,
                {
                    **_environment(ports, realtime_port, scratch, auth_token),
                    "AZURE_TTS_HOST": f"ws://127.0.0.1:{azure_tts_port}",
                    "CALLCLUSTER_INGRESS_REPLICAS": str(replicas),
                    "CALLCLUSTER_CALL_ACTORS": str(call_actors),
                },
            ),
            log_path=logs / "serve.log",
            cwd=scratch,
            folders=(scratch, haproxy_folder(ports.http)),
        )
        children.append(product)
        what = "emulators of Azure Speech, OpenAI, OpenAI Realtime and ElevenLabs"
        progress.started(what)
        await emulators.said(ready_line, _EMULATORS_WITHIN_S)
        progress.done(what)
        url = f"http://127.0.0.1:{ports.http}"
        has_haproxy = serve_env.haproxy_available()
        await wait_for_product(product, url, haproxy=has_haproxy, progress=progress)
        yield ModeStage(url, auth_token, store_url, product, tools)
    finally:
        for child in children:
            child.let_go()
        await asyncio.gather(*(child.stop() for child in children))
        stack.close()
        shutil.rmtree(scratch, ignore_errors=True)


async def _route(store_url: str) -> None:
    database = Database(store_url, migrates=True)
    try:
        await prepare(database)
        store = NumberStore(database)
        for mode, number in NUMBERS.items():
            await store.put(NumberRow(number, "default", mode))
    finally:
        await database.aclose()


_UNUSED = ("--twilio-port", "--deepgram-port", "--openai-tts-port")


def _environment(
    ports: StagePorts, realtime_port: int, scratch: Path, auth_token: str
) -> dict[str, str]:
    return {
        "AZURE_SPEECH_HOST": f"ws://127.0.0.1:{ports.azure}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{ports.openai}/v1",
        "OPENAI_API_KEY": "emulated",
        "OPENAI_REALTIME_BASE_URL": f"http://127.0.0.1:{realtime_port}/v1",
        "OPENAI_REALTIME_API_KEY": "emulated",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{ports.elevenlabs}",
        "ELEVENLABS_API_KEY": "emulated",
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_AUTH_TOKEN": auth_token,
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(ports.http),
        "CALLCLUSTER_DATA_DIR": str(scratch),
        "CALLCLUSTER_CACHE": "off",  # every turn is to be thought about
        "CALLCLUSTER_AGENTS_DIR": str(scratch / "agents"),
        "CALLCLUSTER_DEFAULT_AGENT": "pipeline",
        "RAY_TMPDIR": str(scratch),  # another Ray on this machine is not ours to join
        "RAY_worker_niceness": "0",
        **ports.serve_environment,
    }
