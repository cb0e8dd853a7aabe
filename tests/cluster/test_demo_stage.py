from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from cluster.agents import load_agents
from cluster.demo_children import clean_environment
from cluster.demo_script import AT_ONCE, ONE_AFTER_ANOTHER
from cluster.demo_stage import (
    AGENTS,
    StagePorts,
    product_environment,
    readiness,
    ready_line,
)
from cluster.settings import Settings
from simulation.caller_script import Interrupt, Leave
from simulation.clip_library import load_library

PORTS = StagePorts(20_001)


def test_the_product_checks_signatures_and_talks_to_the_emulators_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = clean_environment({}, product_environment(PORTS, tmp_path, "secret"))
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert not settings.development
    assert settings.twilio_auth_token.get_secret_value() == "secret"
    assert settings.azure_speech_host == "ws://127.0.0.1:20001"
    assert settings.openai_base_url == "http://127.0.0.1:20002/v1"
    assert settings.elevenlabs_base_url == "http://127.0.0.1:20003"
    assert settings.host == "127.0.0.1"
    assert settings.port == 20_004
    assert settings.data_dir == tmp_path


def test_every_port_of_a_run_is_its_own() -> None:
    serve = [int(port) for port in PORTS.serve_environment.values()]
    named = [PORTS.azure, PORTS.openai, PORTS.elevenlabs, PORTS.http, *serve]
    assert len(set(named)) == len(named)
    assert set(named) <= set(range(PORTS.first, PORTS.first + StagePorts.COUNT))


def test_the_demos_agent_can_be_loaded() -> None:
    assert "frontdesk" in load_agents(AGENTS, "default")


def test_six_callers_speak_human_recordings_and_one_of_them_interrupts() -> None:
    callers = [*ONE_AFTER_ANOTHER, *AT_ONCE]
    assert (len(ONE_AFTER_ANOTHER), len(AT_ONCE)) == (3, 3)
    library = load_library()
    assert {library.clip(line.clip).kind for c in callers for line in c.lines} == {"human"}
    scripts = [list(caller.script()) for caller in callers]
    assert sum(isinstance(step, Interrupt) for script in scripts for step in script) == 1
    assert all(isinstance(script[-1], Leave) for script in scripts)


@pytest.mark.parametrize(
    ("log", "is_ready"),
    [
        ("", False),
        ('a warning\n{"ready": true, "azure_host": "ws://x"}\n# to use', True),
        ('{"ready": tr', False),
        ('{"ready": false}\n', False),
    ],
)
def test_the_ready_line_of_the_emulators(log: str, is_ready: bool) -> None:
    assert (ready_line(log) is not None) is is_ready


@pytest.mark.parametrize(
    ("status", "body", "report"),
    [
        (
            503,
            '{"ready": false, "waiting_for": ["voice"]}',
            {"ready": False, "waiting_for": ["voice"]},
        ),
        (500, "no server is available", {}),
        (200, "[]", {}),
    ],
)
def test_an_answer_that_is_no_report_is_no_readiness(
    status: int, body: str, report: dict[str, object]
) -> None:
    async def ask() -> dict[str, object]:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, text=body))
        async with httpx.AsyncClient(transport=transport) as http:
            return await readiness(http, "http://127.0.0.1:1")

    assert asyncio.run(ask()) == report
