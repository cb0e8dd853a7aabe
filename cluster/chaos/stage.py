"""The stage: the product under Ray Serve, and three rows of emulated providers.

Each is a process of its own, started through the command line as a person would start it. The
first row holds the first provider of each chain, so that what is broken there leaves those that
stand in whole.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import serve_env
from cluster.chaos.faults import ROWS, USUAL_S
from cluster.chaos.plan import ChaosPlan
from cluster.demo_children import Child, clean_environment, free_ports
from cluster.demo_stage import Progress, StagePorts, ready_line, wait_for_product
from cluster.emulator_ports import UNASKED
from cluster.run_serve import haproxy_folder

PUBLIC_URL = "https://chaos.callcluster.example"
AGENT = """
language: en-US
voice: 21m00Tcm4TlvDq8ikWAM
greeting: Good morning!
prompt: You are the friendly receptionist of a small company.
recogniser: [azure, deepgram]
thinker: [openai, openrouter, azure_openai]
speaker: elevenlabs
spare_voices:
  - {speaker: azure, voice: en-US-AvaMultilingualNeural}
  - {speaker: openai, voice: alloy}
"""
_SERVICES = ("azure", "openai", "elevenlabs", "twilio", "deepgram", "azure-tts", "openai-tts")
_EMULATORS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A running product.

    Attributes:
        url: Where it listens.
        auth_token: Signs what the carrier sends.
        store_url: Its call store.
        control_urls: Where the emulators of each row are told what to do.
        logs: Folder of Ray's session, in which every process writes its log.
    """

    url: str
    auth_token: str
    store_url: str
    control_urls: tuple[str, ...]
    logs: Path


@dataclass(frozen=True, slots=True)
class RowPorts:
    """Ports of one row of emulators, in a row.

    Attributes:
        first: The first of them.
    """

    first: int

    def of(self, service: str) -> int:
        """The port of one of ``_SERVICES``."""
        return self.first + _SERVICES.index(service)

    @property
    def control_url(self) -> str:
        """Never of a service that is dropped: the answer would be dropped too."""
        return f"http://127.0.0.1:{self.of('twilio')}"

    @property
    def options(self) -> tuple[str, ...]:
        """Of ``callcluster simulate providers``."""
        ports = tuple(f"--{service}-port={self.of(service)}" for service in _SERVICES)
        return (
            *UNASKED,
            *ports,
            f"--interim-lag-s={USUAL_S['recognise']}",
            f"--first-token-s={USUAL_S['think']}",
            f"--first-byte-s={USUAL_S['speak']}",
        )


@asynccontextmanager
async def running_stage(plan: ChaosPlan, logs: Path, progress: Progress) -> AsyncIterator[Stage]:
    """Start everything, yield it once calls would be answered, stop everything.

    Args:
        plan: How many processes.
        logs: Folder for what the processes say.
        progress: Told what is going on.

    Raises:
        DemoFailed: A process did not start; shows why.
    """
    first = free_ports(StagePorts.COUNT + ROWS * len(_SERVICES))[0]
    ports = StagePorts(first)
    rows = [RowPorts(first + StagePorts.COUNT + row * len(_SERVICES)) for row in range(ROWS)]
    scratch = Path(tempfile.mkdtemp(prefix="ccchaos-"))  # short, for Ray's unix sockets
    (scratch / "agents").mkdir()
    (scratch / "agents" / "chaos.yaml").write_text(AGENT, "utf-8")
    auth_token = secrets.token_hex(16)
    children: list[Child] = []
    try:
        for number, row in enumerate(rows):
            child = await Child.start(
                f"emulators {number}",
                ("simulate", "providers", "--first-served", *row.options),
                environment=clean_environment(os.environ, {}),
                log_path=logs / f"emulators-{number}.log",
                cwd=scratch,
            )
            children.append(child)
        product = await Child.start(
            "callcluster serve",
            ("serve", "--no-dashboard"),
            environment=clean_environment(
                os.environ, product_environment(plan, ports, rows, scratch, auth_token)
            ),
            log_path=logs / "serve.log",
            cwd=scratch,
            folders=(scratch, haproxy_folder(ports.http)),
        )
        emulators = [*children]
        children.append(product)
        progress.started("emulators of all providers, three times")
        for child in emulators:
            await child.said(ready_line, _EMULATORS_WITHIN_S)
        progress.done("emulators of all providers, three times")
        url = f"http://127.0.0.1:{ports.http}"
        haproxy = serve_env.haproxy_available()
        await wait_for_product(product, url, haproxy=haproxy, progress=progress)
        yield Stage(
            url=url,
            auth_token=auth_token,
            store_url=f"sqlite+aiosqlite:///{scratch / 'callcluster.sqlite3'}",
            control_urls=tuple(row.control_url for row in rows),
            logs=scratch,
        )
    finally:
        for child in children:
            child.let_go()
        await asyncio.gather(*(child.stop() for child in children))
        shutil.rmtree(scratch, ignore_errors=True)


def product_environment(
    plan: ChaosPlan, ports: StagePorts, rows: list[RowPorts], scratch: Path, auth_token: str
) -> dict[str, str]:
    """What the product is told: a chain of emulators for each kind of work, its own Ray."""
    first, second, third = rows
    return {
        "AZURE_SPEECH_HOST": f"ws://127.0.0.1:{first.of('azure')}",
        "DEEPGRAM_BASE_URL": f"http://127.0.0.1:{second.of('deepgram')}",
        "DEEPGRAM_API_KEY": "emulated",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{first.of('openai')}/v1",
        "OPENAI_API_KEY": "emulated",
        "OPENROUTER_BASE_URL": f"http://127.0.0.1:{second.of('openai')}/v1",
        "OPENROUTER_API_KEY": "emulated",
        "OPENROUTER_MODEL": "openai/gpt-5.4-mini",
        "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{third.of('openai')}",
        "AZURE_OPENAI_API_KEY": "emulated",
        "AZURE_OPENAI_DEPLOYMENT": "gpt-5.4-mini",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{first.of('elevenlabs')}",
        "ELEVENLABS_API_KEY": "emulated",
        "AZURE_TTS_HOST": f"ws://127.0.0.1:{second.of('azure-tts')}",
        "OPENAI_TTS_BASE_URL": f"http://127.0.0.1:{third.of('openai-tts')}/v1",
        "OPENAI_TTS_API_KEY": "emulated",
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_AUTH_TOKEN": auth_token,
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(ports.http),
        "CALLCLUSTER_DATA_DIR": str(scratch),
        "CALLCLUSTER_CACHE": "off",  # every turn is to be thought about
        "CALLCLUSTER_AGENTS_DIR": str(scratch / "agents"),
        "CALLCLUSTER_DEFAULT_AGENT": "chaos",
        "CALLCLUSTER_INGRESS_REPLICAS": str(plan.replicas),
        "CALLCLUSTER_CALL_ACTORS": str(plan.call_actors),
        "CALLCLUSTER_TURN_MODEL": "none",  # its CPU is another subject
        "RAY_TMPDIR": str(scratch),  # another Ray on this machine is not ours to join
        "RAY_worker_niceness": "0",
        **ports.serve_environment,
    }
