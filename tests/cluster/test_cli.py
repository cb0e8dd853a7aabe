"""What a person sees who types a command that cannot work: one line that says what to change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cluster.cli import main
from cluster.cli_simulate import parse_faults
from cluster.errors import SettingsError
from simulation.errors import SimulationError
from simulation.faults import Faults

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CALLCLUSTER_", "TWILIO_", "OPENAI_", "AZURE_", "ELEVENLABS_")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "agents", tmp_path / "agents")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_serving_without_keys_names_every_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "serve", "--development") == 2
    text = said(capsys)
    assert text.startswith("callcluster: agent reception uses azure: set AZURE_SPEECH_KEY")
    assert "OPENAI_API_KEY" in text
    assert "ELEVENLABS_API_KEY" in text
    assert "make demo" in text
    assert "Traceback" not in text


def test_serving_without_a_carriers_token_says_how_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "serve") == 2
    assert "TWILIO_AUTH_TOKEN is not set" in said(capsys)


def test_a_broken_agent_file_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "agents", "validate") == 0
    assert "ok reception: en-US" in said(capsys)
    Path("agents/broken.yaml").write_text("language: en-US\n")
    assert run(monkeypatch, "agents", "validate") == 2
    assert "agents/broken.yaml: prompt: Field required" in said(capsys)


@pytest.mark.parametrize(
    "text", ["azure", "azure:status", "polly:status=1", "openai:status=many", "openai:x=1"]
)
def test_a_fault_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises((SettingsError, SimulationError)):
        parse_faults([text])


def test_faults_are_read_by_service() -> None:
    assert parse_faults(["openai:status=503", "openai:times=2", "azure:never_end=true"]) == {
        "openai": Faults(status=503, times=2),
        "azure": Faults(never_end=True),
    }
