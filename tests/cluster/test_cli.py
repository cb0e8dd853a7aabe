"""What a person sees who types a command that cannot work: one line that says what to change."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from rich.table import Table

from cluster import cli_console
from cluster.cli import main
from cluster.errors import SettingsError
from cluster.run_emulators import parse_faults
from simulation.caller_call import CallResult
from simulation.carrier_parts import LegReport
from simulation.carrier_ticker import Lateness
from simulation.errors import SimulationError
from simulation.faults import Faults
from simulation.load import LoadConfig
from simulation.load_report import Effort, LoadReport, build_report

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CALLCLUSTER_", "TWILIO_", "OPENAI_", "AZURE_", "ELEVENLABS_")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tests/fixtures/agents", tmp_path / "agents")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["callcluster", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "typed", [[], ["--head"], ["--head", "--port=6379"], ["--address=10.0.0.5"]]
)
def test_a_node_that_was_not_told_what_to_be_is_shown_how(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    assert run(monkeypatch, "node", *typed) == 2
    text = said(capsys)
    assert "callcluster node -- --head" in text
    assert "callcluster node -- --address=" in text


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
    assert "agents/broken.yaml: prompt: is missing" in said(capsys)


def test_a_model_that_is_gone_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cluster.run_serve.serve_until_stopped", lambda *_, **__: None)
    for name in ("OPENAI_API_KEY", "ELEVENLABS_API_KEY", "AZURE_SPEECH_KEY"):
        monkeypatch.setenv(name, "k" * 32)
    monkeypatch.setenv("AZURE_SPEECH_REGION", "westeurope")
    monkeypatch.setenv("OPENAI_MODEL", "gpt-3.5-turbo")
    assert run(monkeypatch, "serve", "--development") == 0
    assert "model gpt-3.5-turbo retired on 2026-10-23" in said(capsys)


def test_an_error_is_one_line_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_console.console, "width", 20)
    assert run(monkeypatch, "serve", "--development") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("callcluster: agent reception uses azure: set AZURE_SPEECH_KEY")
    assert len(line) > 100


def test_an_error_of_several_lines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cli_console.complain("it failed:\n[red]so[/red]")
    assert capsys.readouterr().err == "callcluster: it failed: [red]so[/red]\n"


def test_a_table_in_a_pipe_keeps_every_row_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("key id", "name", box=None)
    table.add_row("a" * 200, "my crm " * 40)
    cli_console.show(table)
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["a" * 200, *["my", "crm"] * 40]


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


def test_the_help_of_load_lists_its_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "load", "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    for line in ("0 valid", "2 the settings", "3 the callers", "4 the callers were punctual, but"):
        assert line in text


@pytest.mark.parametrize(("lateness_s", "code"), [(0.001, 4), (0.5, 3)])
def test_load_ends_with_the_exit_code_of_its_report(
    lateness_s: float,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One call of two is refused; the callers are punctual or late."""

    async def two_calls(config: LoadConfig, _take: object) -> LoadReport:
        lateness = Lateness()
        lateness.add(lateness_s)
        legs = (
            LegReport("CA1", status="completed", ended_by="caller", streams=1),
            LegReport("CA2", status="completed", ended_by="agent", said=["Busy."]),
        )
        results = [CallResult(n, leg, (), 0.5) for n, leg in enumerate(legs)]
        return build_report(config.seed, config.concurrent, results, Effort(1, 1, lateness, False))

    monkeypatch.setattr("simulation.load.run_load", two_calls)
    monkeypatch.setattr("cluster.cli_load.require_listener", lambda _url: None)
    assert run(monkeypatch, "load", "--calls", "2", "--json", "report.json") == code
    assert json.loads(Path("report.json").read_text())["counts"]["calls_offered"] == 2
    text = capsys.readouterr().out
    assert text.startswith("NOT VALID")
    assert "1 of 2 offered calls were refused (say_hangup x1)" in text


def test_a_report_that_cannot_be_written_is_said_before_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("simulation.load.run_load", None)  # is not come to
    Path("report.json").mkdir()
    assert run(monkeypatch, "load", "--json", "report.json") == 2
    assert said(capsys) == "callcluster: --json report.json: cannot be written: Is a directory"
