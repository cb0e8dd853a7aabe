"""Commands as they are typed: what they print, what they change, how they end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer.main

from cluster import number_setup
from cluster.cli import app, main
from cluster.cli_call import parse_variables
from cluster.errors import SettingsError
from telephony.rest import CarrierNumber
from tests.support.paper_carrier import PaperCarrier

ROOT = Path(__file__).parent.parent.parent
NUMBER = "+14155550100"
OURS = ("CALLCLUSTER_", "TWILIO_", "OPENAI_", "OPENROUTER_", "AZURE_", "ELEVENLABS_", "DATABASE_")


@pytest.fixture(autouse=True)
def _clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith((*OURS, "PUBLIC_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tests/fixtures/agents", tmp_path / "agents")


class Terminal:
    """Types commands and reads what they say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def type(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr with its blanks made single."""
        self._monkeypatch.setattr("sys.argv", ["callcluster", *arguments])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        said = self._capsys.readouterr()
        return code, said.out, " ".join(said.err.split())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its path, such as ``keys create``."""
    waiting = [("", typer.main.get_command(app))]
    while waiting:
        path, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield path, command
            continue
        waiting += [(f"{path} {name}".strip(), found) for name, found in inner.items()]


def test_the_commands_are_those_that_are_promised() -> None:
    assert {path for path, _ in commands()} >= {
        "serve",
        "stop",
        "call",
        "calls list",
        "calls show",
        "calls move",
        "calls hang-up",
        "load",
        "simulate providers",
        "doctor",
        "demo",
        "agents validate",
        "languages",
        "records check",
        "records migrate",
        "records export",
        "number use",
        "number list",
        "number drop",
        "keys create",
        "keys list",
        "keys revoke",
    }


@pytest.mark.parametrize("path", sorted(path for path, _ in commands()))
def test_help_has_examples_and_every_option_its_variable(terminal: Terminal, path: str) -> None:
    code, out, _ = terminal.type(*path.split(), "--help")
    assert code == 0
    assert "Examples" in out
    assert f"callcluster {path}" in out
    prefix = f"CALLCLUSTER_{path.replace(' ', '_')}_".upper()
    for option in dict(commands())[path].params:
        if option.param_type_name != "option" or option.name == "help":
            continue
        variable = option.envvar or (prefix + option.name).upper()
        flag = next(flag for flag in option.opts if flag.startswith("--"))
        derived = f"{prefix}{flag[2:].replace('-', '_')}".upper()
        if variable.startswith(prefix):  # told once for all
            assert variable in {derived, (prefix + option.name).upper()}
            assert prefix in out
        else:
            assert f"[env var: {variable}]" in out


@pytest.mark.parametrize("path", ["", *sorted(path for path, _ in commands())])
def test_help_fits_a_terminal_of_80_columns(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = terminal.type(*path.split(), "--help")
    lines = [line.rstrip() for line in out.splitlines()]
    assert "…" not in out  # nothing is cut off
    for number, line in enumerate(lines):
        if line.strip() in {"Exit code", "Examples", "Exit code of every command"}:
            until = lines.index("", number)
            assert all(line.startswith("   ") for line in lines[number + 1 : until])


# --- agents --------------------------------------------------------------------------------------


def test_a_voice_that_the_speaker_does_not_have_is_said_by_validate(terminal: Terminal) -> None:
    Path("agents/quiet.yaml").write_text(
        "language: en-US\nprompt: x\nspeaker: espeak\nvoice: Rachel\n"
    )
    code, _, said = terminal.type("agents", "validate")
    assert code == 2
    assert "agents/quiet.yaml:4: voice: the speaker espeak has no voice 'Rachel'" in said
    Path("agents/quiet.yaml").write_text("language: en-US\nprompt: x\nspeaker: espeak\nvoice: f1\n")
    code, _, said = terminal.type("agents", "validate")
    assert code == 0
    assert "quiet: en-US, azure / openai / espeak" in said


def test_a_model_that_is_gone_is_said_by_validate(terminal: Terminal) -> None:
    """As at the start: another server of the protocol may have a model of that name."""
    Path("agents/old.yaml").write_text(
        "language: en-US\nprompt: x\nvoice: v\nmodel: gpt-3.5-turbo\n"
    )
    code, _, said = terminal.type("agents", "validate")
    assert code == 0
    assert "model gpt-3.5-turbo retired on 2026-10-23 (agent old): change model in the" in said


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(terminal: Terminal) -> None:
    code, secret, _ = terminal.type("keys", "create", "my crm")
    assert code == 0
    assert secret.startswith("cck_")
    assert len(secret.split()) == 1  # so that $(...) takes it
    key_id = secret.split("_")[1]
    _, listed, _ = terminal.type("keys", "list")
    assert key_id in listed
    assert "my crm" in listed
    assert secret.strip() not in listed
    assert terminal.type("keys", "revoke", key_id)[0] == 0
    code, _, said = terminal.type("keys", "revoke", key_id)
    assert (code, f"has no good key {key_id}" in said) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a\nb",), "the name of a key is one line"),
        ((" ",), "the name of a key is one line"),
        (("x" * 201,), "up to 200 characters"),
        (("crm", "--tenant", "our team/.."), "--tenant: letters, digits, _ and -"),
    ],
)
def test_a_key_for_nobody_is_not_made(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    code, secret, text = terminal.type("keys", "create", *arguments)
    assert (code, secret) == (2, "")
    assert said in text


def test_a_file_of_settings_that_cannot_be_read_is_named(
    terminal: Terminal, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00=x\n")
    code, _, said = terminal.type("agents", "validate")
    assert code == 2
    assert said == "callcluster: the file .env of this folder cannot be read: it is not UTF-8"


@pytest.mark.parametrize("option", ["--azure-port", "--twilio-port"])
def test_a_port_that_is_none_is_said(terminal: Terminal, option: str) -> None:
    code, _, said = terminal.type("simulate", "providers", option, "99999")
    assert (code, said) == (2, "callcluster: there is no port 99999: 0 (any free one) to 65535")


def test_keys_need_neither_a_carrier_nor_a_public_address(terminal: Terminal) -> None:
    assert terminal.type("keys", "list")[2] == "no keys yet: 'callcluster keys create NAME'"


# --- numbers -------------------------------------------------------------------------------------


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> PaperCarrier:
    """The account of the settings, on paper."""
    monkeypatch.setenv("PUBLIC_URL", "https://v.example")
    paper = PaperCarrier(CarrierNumber(sid="PN1", number=NUMBER, voice_url="https://old.example/x"))
    monkeypatch.setattr(number_setup, "open_carrier", lambda _settings: paper)
    return paper


def test_a_number_is_used_listed_and_dropped(terminal: Terminal, carrier: PaperCarrier) -> None:
    code, _, said = terminal.type("number", "use", NUMBER, "--yes")
    assert code == 0
    assert "is answered by https://old.example/x now" in said
    assert "rings here: reception answers (tenant default)" in said
    assert carrier.urls["PN1"][0] == "https://v.example/twilio/voice"
    assert carrier.closed
    _, listed, _ = terminal.type("number", "list", "--check")
    assert NUMBER in listed
    assert "rings at https://old.example/x" in listed  # the paper keeps what it was
    assert terminal.type("number", "drop", NUMBER)[0] == 0
    assert terminal.type("number", "drop", NUMBER)[0] == 2
    assert "no numbers yet" in terminal.type("number", "list")[2]


def test_a_number_of_another_region_gets_its_route_here(
    terminal: Terminal, carrier: PaperCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "does not ring in another region" in terminal.type("number", "use", NUMBER, "--spare")[2]
    monkeypatch.setenv("CALLCLUSTER_REGIONS", "eu=https://v.example DE us=https://old.example *")
    monkeypatch.setenv("CALLCLUSTER_REGION", "eu")
    _, _, said = terminal.type("number", "use", NUMBER, "--yes")
    assert "fallback https://old.example/twilio/voice" in said
    assert carrier.fallbacks == {"PN1": "https://old.example/twilio/voice"}


def test_the_number_of_the_settings_is_listed_too(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_PHONE_NUMBER", NUMBER)
    own = f"{NUMBER} is yours by TWILIO_PHONE_NUMBER: calls are placed from it, and reception "
    assert own in terminal.type("number", "list")[2]
    assert own not in terminal.type("number", "list", "--tenant", "acme")[2]


def test_a_number_of_somebody_is_left_alone_without_a_yes(
    terminal: Terminal, carrier: PaperCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_args, **_kwargs: False)
    code, _, said = terminal.type("number", "use", NUMBER)
    assert (code, "nothing was changed" in said) == (2, True)
    assert carrier.urls == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("use", "4155550100"), "begins with + and the country code"),
        (
            ("use", NUMBER, "--agent", "nobody"),
            "has no agent 'nobody' in agents: reception",
        ),
        (("use", NUMBER), "PUBLIC_URL is http://127.0.0.1:8000"),
        (("drop", NUMBER), "is not a number of tenant default"),
    ],
)
def test_a_number_that_cannot_be_used_says_why(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    code, _, text = terminal.type("number", *arguments)
    assert code == 2
    assert said in text
    assert "Traceback" not in text


def test_without_an_account_the_setting_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://v.example")
    code, _, said = terminal.type("number", "use", NUMBER)
    assert (code, "TWILIO_ACCOUNT_SID" in said) == (2, True)


# --- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--to: whom to call?"),
        (("--to", "4155550123"), "--to: a phone number begins with +"),
        (("--to", NUMBER, "--var", "name"), "--var name: write NAME=VALUE"),
        (("--to", NUMBER, "--machine", "sing"), "--machine sing: one of off, hang_up"),
        (("--to", NUMBER, "--machine", "leave_message"), "--message and --machine leave_message"),
        (("--to", NUMBER, "--message", "Call us."), "--message and --machine leave_message"),
        (("--to", NUMBER, "--url", "http://127.0.0.1:1"), "is 'callcluster serve' running?"),
    ],
)
def test_a_call_that_cannot_be_placed_says_why(
    terminal: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    code, _, text = terminal.type("call", *arguments)
    assert code == 2
    assert said in text


def test_variables_are_read_by_name() -> None:
    assert parse_variables(["name=Ann", "sum=1=1"]) == {"name": "Ann", "sum": "1=1"}
    for text in ("name", "=x", "a b=x"):
        with pytest.raises(SettingsError):
            parse_variables([text])


# --- doctor --------------------------------------------------------------------------------------


def test_the_doctor_speaks_json_and_keeps_secrets(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "do-not-show-me")
    monkeypatch.setenv("CALLCLUSTER_PORT", "7809")
    code, out, _ = terminal.type("doctor", "--offline", "--json")
    report = json.loads(out)
    assert code == 1
    assert report["ok"] is False
    assert report["counts"]["fail"]
    assert {"Settings", "Keys", "Ports", "Database"} <= {f["check"] for f in report["findings"]}
    assert "do-not-show-me" not in out
    assert "set, 14 characters" in out


def test_the_doctor_tells_a_misspelt_setting(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLCLUSTER_INGRES_REPLICAS", "2")
    monkeypatch.setenv("CALLCLUSTER_CALL_JSON", "1")  # of an option of 'callcluster call'
    _, out, _ = terminal.type("doctor", "--offline", "--json")
    told = [f for f in json.loads(out)["findings"] if "is read by nobody" in f["found"]]
    assert [(f["status"], f["subject"]) for f in told] == [("warn", "CALLCLUSTER_INGRES_REPLICAS")]
    assert "is CALLCLUSTER_INGRESS_REPLICAS meant?" in told[0]["found"]


def test_the_doctor_reads_even_settings_that_cannot_be(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLCLUSTER_CALL_ACTORS", "0")
    code, out, _ = terminal.type("doctor", "--offline")
    assert code == 1
    assert "CALLCLUSTER_CALL_ACTORS" in out


# --- the command itself --------------------------------------------------------------------------


def test_the_version_is_that_of_the_package(terminal: Terminal) -> None:
    assert terminal.type("--version") == (0, f"callcluster {metadata.version('callcluster')}\n", "")


def test_help_names_an_option_as_it_is_typed(terminal: Terminal) -> None:
    _, out, _ = terminal.type("doctor", "--help")
    assert "CALLCLUSTER_DOCTOR_JSON for --json" in out


def test_validate_names_every_file_that_is_wrong_and_every_one_that_is_good(
    terminal: Terminal,
) -> None:
    Path("agents/a.yaml").write_text("language: en-US\nvoice: x\n")
    Path("agents/acme").mkdir()
    Path("agents/acme/b.yaml").write_text("language: en-US\nvoice: x\nprompt: y\ncolour: red\n")
    Path("agents/acme/c.yaml").write_text(
        "language: en-US\nvoice: x\nprompt: Call {name}.\ntools: [{type: end_call}]\n"
        "recogniser: [azure, deepgram]\n"
    )
    Path("agents/acme/d.yaml").write_text(
        "language: en-US\nvoice: x\nprompt: y\nlanguages: [es-ES]\nmode: [realtime, pipeline]\n"
    )
    code, _, said = terminal.type("agents", "validate")
    assert code == 2
    assert "agents/a.yaml: prompt: is missing" in said
    assert "agents/acme/b.yaml:4: colour: there is no such field" in said
    assert "ok reception: en-US" in said
    assert "ok acme/d: en-US es-ES, realtime > pipeline, azure / openai / elevenlabs" in said
    assert (
        "ok acme/c: en-US, azure > deepgram / openai / elevenlabs, tools end_call, variables name"
        in said
    )


# --- load, calls ---------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [("--state", "ended"), ("--state", "failed", "--all")])
def test_a_state_that_there_is_not_is_said(terminal: Terminal, typed: tuple[str, ...]) -> None:
    code, _, said = terminal.type("calls", "list", *typed)
    assert code == 2
    assert "one of answered, placed, dialing, queued, busy, canceled, completed" in said


@pytest.mark.parametrize(
    "typed", [("load", "--mode", "telex"), ("calls", "move", "c1", "--mode", "telex")]
)
def test_a_mode_that_there_is_not_is_said(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]
) -> None:
    monkeypatch.setattr("cluster.cli_load.require_listener", lambda _url: None)
    code, _, said = terminal.type(*typed)
    assert (code, said) == (2, "callcluster: --mode telex: one of pipeline, relay, realtime")
