"""The file of ``callcluster simulate providers --script``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cluster.emulator_script import EmulatorScript, load_script
from cluster.errors import SettingsError
from simulation.callee_book import Callee
from simulation.errors import ClipMissing
from simulation.openai_chat import OpenAIConfig
from simulation.openai_replies import answer
from simulation.providers import ProvidersConfig, run_providers

SCRIPT = """
replies:
  - {when: [Ten, clubs], say: A fine card., most_words: 3}
tools:
  - when: seven of (clubs|hearts)
    call: transfer
    say: One moment, please.
  - when: press (?P<digits>[0-9]+)
    call: [keys, send_digits]
callees:
  "+14155550123": {says: [card001], talk_s: 20}
  "*": {outcome: busy}
"""
TOOLS = [
    {"name": name, "parameters": {"type": "object", "properties": {"digits": {"type": "string"}}}}
    for name in ("transfer", "send_digits", "end_call")
]


@pytest.fixture
def script(tmp_path: Path) -> EmulatorScript:
    path = tmp_path / "script.yaml"
    path.write_text(SCRIPT)
    return load_script(path)


def said(script: EmulatorScript, text: str) -> tuple[str, list[tuple[str, str]]]:
    messages = [{"role": "user", "content": text}]
    found = answer(messages, TOOLS, script.replies, script.tool_rules, "")
    return found.text, [(call.name, call.arguments) for call in found.calls]


def test_without_a_file_the_emulators_know_what_they_always_knew() -> None:
    script, known = load_script(None), OpenAIConfig()
    assert (script.replies, script.tool_rules) == (known.script, known.tool_rules)
    assert script.callees == {}


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert load_script(tmp_path / "empty.yaml") == load_script(None)


def test_the_model_answers_and_calls_tools_as_the_file_says(script: EmulatorScript) -> None:
    assert said(script, "ten of clubs") == ("A fine card.", [])
    assert said(script, "seven of clubs") == ("One moment, please.", [("transfer", "{}")])
    assert said(script, "press 42") == ("", [("send_digits", '{"digits": "42"}')])


def test_rules_of_its_own_stay_for_tools_that_the_file_does_not_name(
    script: EmulatorScript,
) -> None:
    assert said(script, "goodbye")[1] == [("end_call", "{}")]
    assert said(script, "transfer me to a human")[1] == []


def test_phones_answer_as_the_file_says(script: EmulatorScript) -> None:
    assert script.callees == {
        "+14155550123": Callee(says=("card001",), talk_s=20),
        "*": Callee(outcome="busy"),
    }


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("tools: [", "script.yaml"),
        ("- a list", "script.yaml: the file must"),
        ("tool: []", "tool: there is no such field; did you mean tools"),
        ("tools: [{when: '(', call: transfer}]", "tools.0.when: .*no regular expression"),
        ("tools: [{when: a}]", "tools.0.call: is missing"),
        ("replies: [{when: [], say: x}]", "replies.0.when"),
        ("callees: {'4155550123': {}}", "callees: '4155550123'"),
        ("callees: {'*': {outcome: sings}}", "callees: outcome is one of"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "script.yaml").write_text(text)
    with pytest.raises(SettingsError, match=named):
        load_script(tmp_path / "script.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--script .*nowhere\.yaml: cannot be read: No such"):
        load_script(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"replies: \xe4")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_script(tmp_path / "latin.yaml")


@pytest.mark.e2e
def test_the_emulated_phones_have_the_book(script: EmulatorScript) -> None:
    async def body() -> None:
        async with run_providers(ProvidersConfig(callees=dict(script.callees))) as running:
            assert running.exchange.phones.find("+14155550123").says == ("card001",)
            assert running.exchange.phones.find("+14155550177").outcome == "busy"
        with pytest.raises(ClipMissing):
            async with run_providers(ProvidersConfig(callees={"*": Callee(says=("nothing",))})):
                pass

    asyncio.run(body())
