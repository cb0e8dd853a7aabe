"""The stage of a live run: emulated providers with published lags, the product behind HAProxy."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from cluster import serve_env
from cluster.demo_children import Child, clean_environment, free_ports
from cluster.demo_stage import Progress, StagePorts, ready_line, wait_for_product
from cluster.emulator_ports import UNASKED
from cluster.evaluate.lags import EARS, ReplyLags
from cluster.evaluate.live_dialogue import Reply
from cluster.evaluate.live_ready import Card, import_cards
from cluster.run_serve import haproxy_folder
from records.database import Database
from records.edge_rows import NumberRow
from records.number_store import NumberStore
from records.schema import prepare
from simulation.corpus_questions import OPEN, tongue

PUBLIC_URL = "https://evaluate.callcluster.example"
TENANT = "default"
_NUMBER = "+1415555{:04d}"
_EMULATORS_WITHIN_S = 60.0
_WITHIN_S = 5.0
# By whether Cantonese is spoken, which ElevenLabs does not.
_VOICES = {
    False: ("elevenlabs", "21m00Tcm4TlvDq8ikWAM"),
    True: ("azure", "zh-HK-HiuMaanNeural"),
}
_TOKENS_IN_FIRST_CLAUSE = 3
_PER_TOKEN_S = 0.012


@dataclass(frozen=True, slots=True)
class LiveStage:
    """A running product.

    Attributes:
        numbers: Language to the number that its agent answers.
        ready_numbers: Likewise, of agents whose answers stand in the response cache.
        control_url: Where the emulators tell what they were asked.
        has_haproxy: HAProxy carries the audio.
    """

    url: str
    auth_token: str
    store_url: str
    numbers: Mapping[str, str]
    control_url: str
    has_haproxy: bool
    ready_numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MorePorts:
    """Ports of emulators that a demo does without; the first of two in a row."""

    deepgram: int

    @property
    def azure_tts(self) -> int:
        """The emulated text-to-speech of Azure."""
        return self.deepgram + 1


@dataclass(frozen=True, slots=True)
class StagePlan:
    """What is to be run.

    Attributes:
        clips: Folder of ``live_clips.write_clips``.
        replies: What the emulated model answers.
        ear: Name of a recogniser in ``lags.EARS``.
        turn_taking: Of every agent; fields of an agent's file.
        speech_detector, turn_model: As the product's settings name them.
        logs: Folder for what the processes say.
        is_voice_steady: The agents' voices are a tone of one level.
        cards: By language, questions and answers that stand in the response cache.
    """

    clips: Path
    languages: tuple[str, ...]
    replies: tuple[Reply, ...]
    ear: str
    turn_taking: Mapping[str, float | str]
    speech_detector: str
    turn_model: str
    logs: Path
    is_voice_steady: bool = False
    cards: Mapping[str, Sequence[Card]] = field(default_factory=dict)


@asynccontextmanager
async def running_stage(plan: StagePlan, progress: Progress) -> AsyncIterator[LiveStage]:
    """Start everything, yield it once calls would be answered, stop everything.

    Raises:
        DemoFailed: A process did not start; shows why.
    """
    first = free_ports(StagePorts.COUNT + 2)[0]
    ports, more = StagePorts(first), MorePorts(first + StagePorts.COUNT)
    scratch = Path(tempfile.mkdtemp(prefix="cceval-"))  # short, for Ray's unix sockets
    numbers = {tag: _NUMBER.format(n) for n, tag in enumerate(plan.languages, 200)}
    ready_numbers = {tag: _NUMBER.format(n) for n, tag in enumerate(plan.cards, 300)}
    auth_token = secrets.token_hex(16)
    store_url = f"sqlite:///{scratch / 'callcluster.sqlite3'}"
    children: list[Child] = []
    try:
        _write_agents(plan, scratch / "agents")
        script = scratch / "replies.yaml"
        script.write_text(script_text(plan.replies, is_voice_steady=plan.is_voice_steady), "utf-8")
        await _route(
            {number: agent_id(tag) for tag, number in numbers.items()}
            | {number: agent_id(tag, is_ready=True) for tag, number in ready_numbers.items()},
            store_url,
        )
        emulators = await Child.start(
            "the emulators",
            ("simulate", "providers", "--first-served", *_options(plan, ports, more, script)),
            environment=clean_environment(os.environ, {}),
            log_path=plan.logs / "emulators.log",
            cwd=scratch,
        )
        children.append(emulators)
        settings = _environment(ports, more, scratch, plan, auth_token)
        if plan.cards:
            await _import(plan, settings, scratch, emulators, progress)
        product = await Child.start(
            "callcluster serve",
            ("serve", "--no-dashboard"),
            environment=clean_environment(os.environ, settings),
            log_path=plan.logs / "serve.log",
            cwd=scratch,
            folders=(scratch, haproxy_folder(ports.http)),
        )
        children.append(product)
        what = "emulators with the speech of this run"
        progress.started(what)
        await emulators.said(ready_line, _EMULATORS_WITHIN_S)
        progress.done(what)
        url = f"http://127.0.0.1:{ports.http}"
        has_haproxy = serve_env.haproxy_available()
        await wait_for_product(product, url, haproxy=has_haproxy, progress=progress)
        yield LiveStage(
            url=url,
            auth_token=auth_token,
            store_url=store_url,
            numbers=numbers,
            ready_numbers=ready_numbers,
            control_url=f"http://127.0.0.1:{ports.azure}",
            has_haproxy=has_haproxy,
        )
    finally:
        for child in children:
            child.let_go()
        await asyncio.gather(*(child.stop() for child in children))
        shutil.rmtree(scratch, ignore_errors=True)


async def questions_asked(stage: LiveStage) -> int:
    """Requests to the emulated language model so far. Raises ``httpx.HTTPError``."""
    async with httpx.AsyncClient(trust_env=False, timeout=_WITHIN_S) as http:
        answer = await http.get(f"{stage.control_url}/_control/stats")
    answer.raise_for_status()
    return int(answer.json()["openai"]["requests"])


def script_text(replies: Sequence[Reply], *, is_voice_steady: bool = False) -> str:
    """The emulators' script, as YAML."""
    lines = [{"when": list(reply.when), "say": reply.say} for reply in replies]
    script: dict[str, object] = {"replies": lines}
    if is_voice_steady:
        script["voice"] = "steady"
    return yaml.safe_dump(script, allow_unicode=True)


def agent_id(language: str, *, is_ready: bool = False) -> str:
    """The agent that speaks a language; the one with ready answers has a name of its own."""
    return f"evaluate-{language.lower()}" + ("-ready" if is_ready else "")


def agent_text(
    language: str,
    ear: str,
    turn_taking: Mapping[str, float | str],
    *,
    is_ready: bool = False,
) -> str:
    """An agent's file; only one with ready answers asks the response cache, and teaches it none."""
    greetings = OPEN.get(tongue(language), OPEN["en"])
    agent: dict[str, object] = {
        "language": language,
        "voice": _VOICES[tongue(language) == "yue"][1],
        "greeting": greetings[0],
        "prompt": "You are the friendly receptionist of a small company.",
        "recogniser": "deepgram" if ear == "flux" else "azure",
        "thinker": "openai",
        "speaker": _VOICES[tongue(language) == "yue"][0],
    }
    agent["response_cache"] = {"learn": False, "similar": False} if is_ready else "off"
    if turn_taking:
        agent["turn_taking"] = dict(turn_taking)
    return yaml.safe_dump(agent, allow_unicode=True)


def _write_agents(plan: StagePlan, folder: Path) -> None:
    folder.mkdir()
    wanted = [(language, False) for language in plan.languages]
    wanted += [(language, True) for language in plan.cards]
    for language, is_ready in wanted:
        text = agent_text(language, plan.ear, plan.turn_taking, is_ready=is_ready)
        file = folder / f"{agent_id(language, is_ready=is_ready)}.yaml"
        file.write_text(text, "utf-8")


async def _import(
    plan: StagePlan,
    settings: Mapping[str, str],
    scratch: Path,
    emulators: Child,
    progress: Progress,
) -> None:
    """Ready answers into the cache, one agent after another: they share one file."""
    await emulators.said(ready_line, _EMULATORS_WITHIN_S)  # they speak the answers
    what = "ready answers in the response cache, with their audio"
    progress.started(what)
    for language, known in plan.cards.items():
        await import_cards(agent_id(language, is_ready=True), known, settings, scratch)
    progress.done(what)


async def _route(numbers: Mapping[str, str], store_url: str) -> None:
    """Numbers to agents, by their ids."""
    database = Database(store_url, migrates=True)
    try:
        await prepare(database)
        store = NumberStore(database)
        for number, agent in numbers.items():
            await store.put(NumberRow(number, TENANT, agent))
    finally:
        await database.aclose()


def _options(plan: StagePlan, ports: StagePorts, more: MorePorts, script: Path) -> list[str]:
    ear, reply = EARS[plan.ear], ReplyLags()
    first_token_s = reply.first_clause.median_s - _TOKENS_IN_FIRST_CLAUSE * _PER_TOKEN_S
    return [
        *UNASKED,
        f"--azure-port={ports.azure}",
        f"--openai-port={ports.openai}",
        f"--elevenlabs-port={ports.elevenlabs}",
        f"--deepgram-port={more.deepgram}",
        f"--azure-tts-port={more.azure_tts}",
        f"--interim-lag-s={ear.word.median_s}",
        f"--final-lag-s={ear.final.median_s}",
        f"--first-token-s={first_token_s:.3f}",
        f"--per-token-s={_PER_TOKEN_S}",
        f"--first-byte-s={reply.first_audio.median_s}",
        f"--script={script}",
        f"--clips={plan.clips}",
    ]


def _environment(
    ports: StagePorts, more: MorePorts, scratch: Path, plan: StagePlan, auth_token: str
) -> dict[str, str]:
    return {
        "AZURE_SPEECH_HOST": f"ws://127.0.0.1:{ports.azure}",
        "DEEPGRAM_BASE_URL": f"http://127.0.0.1:{more.deepgram}",
        "DEEPGRAM_API_KEY": "emulated",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{ports.openai}/v1",
        "OPENAI_API_KEY": "emulated",
        "AZURE_TTS_HOST": f"ws://127.0.0.1:{more.azure_tts}",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{ports.elevenlabs}",
        "ELEVENLABS_API_KEY": "emulated",
        "PUBLIC_URL": PUBLIC_URL,
        "TWILIO_AUTH_TOKEN": auth_token,
        "CALLCLUSTER_HOST": "127.0.0.1",
        "CALLCLUSTER_PORT": str(ports.http),
        "CALLCLUSTER_DATA_DIR": str(scratch),
        # Without ready answers every turn is to be thought about.
        "CALLCLUSTER_CACHE": "on" if plan.cards else "off",
        "CALLCLUSTER_CACHE_DIR": str(scratch / "cache"),
        "CALLCLUSTER_AGENTS_DIR": str(scratch / "agents"),
        "CALLCLUSTER_SPEECH_DETECTOR": plan.speech_detector,
        "CALLCLUSTER_TURN_MODEL": plan.turn_model,
        "CALLCLUSTER_DEFAULT_AGENT": agent_id(plan.languages[0]),
        "RAY_TMPDIR": str(scratch),  # another Ray on this machine is not ours to join
        "RAY_worker_niceness": "0",
        **ports.serve_environment,
    }
