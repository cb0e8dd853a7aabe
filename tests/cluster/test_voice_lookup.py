"""The voices that agents name are asked for at the service: by the doctor, by ``agents``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import main
from cluster.doctor.check_voices import examine_voices, voice_finding
from cluster.doctor.place import Place
from cluster.settings import Settings
from cluster.voice_lookup import VoiceAnswer, voices_in
from dialogue.agent import SpareVoice
from simulation.elevenlabs_tts import ElevenLabsConfig
from simulation.providers import ProvidersConfig, RunningProviders, run_providers
from simulation.voice_sound import HummingVoice
from tests.support.scripted_call import AGENT

RACHEL = "21m00Tcm4TlvDq8ikWAM"
ANN = replace(AGENT, speaker="elevenlabs", voice=RACHEL)
BOB = replace(ANN, agent_id="bob", voice="nobody", spare_voices=(SpareVoice("azure", "x"),))


def test_only_voices_of_elevenlabs_are_asked_for_each_once() -> None:
    azure = replace(ANN, speaker="azure", spare_voices=(SpareVoice("elevenlabs", RACHEL),))
    assert voices_in([ANN, BOB, replace(azure, agent_id="cid")]) == {
        RACHEL: (ANN.agent_id, "cid"),
        "nobody": ("bob",),
    }


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (VoiceAnswer("v", ("a",), None, "there is no voice 'v'", True), "fail", "agents voices"),
        (VoiceAnswer("v", ("a",), None, "HTTP 401 missing_permissions"), "skipped", ""),
        (VoiceAnswer("v", ("a",), None, "no answer in time"), "warn", "try again"),
    ],
)
def test_what_an_answer_means(answer: VoiceAnswer, status: str, said: str) -> None:
    finding = voice_finding(answer)
    assert finding.status == status
    assert said in finding.advice


def place(try_keys: bool = True, key: str = "k", **fields: Any) -> Place:
    known = Settings(_env_file=None, elevenlabs_api_key=key, **fields)
    agents = {("default", agent.agent_id): agent for agent in (ANN, BOB)}
    return Place(settings=known, agents=agents, try_keys=try_keys)


def test_nothing_is_asked_unasked_or_without_a_key() -> None:
    for one in (place(try_keys=False), place(key=""), replace(place(), agents={})):
        (finding,) = asyncio.run(examine_voices(one))
        assert finding.status == "skipped"


@pytest.mark.e2e
def test_the_doctor_finds_a_voice_that_is_not_there_and_names_some_that_are() -> None:
    async def body() -> dict[str, Any]:
        async with run_providers(ProvidersConfig(voice=HummingVoice())) as running:
            url = running.elevenlabs_base_url
            found = await examine_voices(place(elevenlabs_base_url=url))
            return {finding.subject: finding for finding in found}

    found = asyncio.run(body())
    assert found[f"voice {RACHEL}"].found == f"Rachel, agent {ANN.agent_id}"
    missing = found["voice nobody"]
    assert missing.status == "fail"
    assert f"there are 2: {RACHEL} (Rachel)" in missing.found


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RunningProviders]:
    """A running emulator on a thread of its own; the environment points to it."""
    import threading

    for name in list(os.environ):
        if name.startswith(("CALLCLUSTER_", "ELEVENLABS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    loop, over, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[RunningProviders] = []

    async def run() -> None:
        voices = ElevenLabsConfig(voices=((RACHEL, "Rachel"), ("adam", "Adam")))
        config = ProvidersConfig(voice=HummingVoice(), elevenlabs=voices)
        async with run_providers(config) as running:
            found.append(running)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="emulators")
    thread.start()
    assert ready.wait(20)
    monkeypatch.setenv("ELEVENLABS_BASE_URL", found[0].elevenlabs_base_url)
    monkeypatch.setenv("ELEVENLABS_API_KEY", "k")
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join(10)
    loop.close()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


@pytest.mark.e2e
def test_agents_voices_lists_them_and_validate_asks_for_each(
    emulated: RunningProviders,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "agents", "voices") == 0
    listed = capsys.readouterr().out
    assert [line.split()[:2] for line in listed.splitlines()[1:]] == [
        [RACHEL, "Rachel"],
        ["adam", "Adam"],
    ]
    folder = Path("agents")
    folder.mkdir()
    file = "language: en-US\nprompt: You are Ann.\nvoice: {}\n"
    (folder / "ann.yaml").write_text(file.format(RACHEL))
    assert run(monkeypatch, "agents", "validate", "--keys") == 0
    assert f"ok voice {RACHEL} (Rachel): ann" in capsys.readouterr().err
    (folder / "bob.yaml").write_text(file.format("bobs"))
    assert run(monkeypatch, "agents", "validate") == 0, "nobody is asked unasked"
    assert run(monkeypatch, "agents", "validate", "--keys") == 2
    assert "voice of bob: there is no voice 'bobs'; there are 2" in capsys.readouterr().err
    monkeypatch.setenv("ELEVENLABS_API_KEY", "bad")
    assert run(monkeypatch, "agents", "voices") == 2
    assert "ELEVENLABS_API_KEY" in capsys.readouterr().err
