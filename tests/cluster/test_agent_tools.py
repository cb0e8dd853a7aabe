"""The tools of an agent's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.agents import load_agent
from cluster.errors import AgentFileError
from cluster.settings import Settings
from cluster.voice_config import voice_config
from dialogue.agent import Phrases
from dialogue.tools import Tool

GOOD = "language: en-US\nvoice: alto\nprompt: Be brief.\n"
TOOLS = """tools:
  - type: end_call
  - type: transfer
    name: sales
    description: To buy.
    to: "+14155550123"
    timeout_s: 30
    caller_id: "+14155550100"
    announce: I will get sales.
    no_answer: Sales is away.
  - type: transfer
    to: sip:front@pbx.example.com
  - type: send_digits
"""


def load(folder: Path, text: str) -> tuple[Tool, ...]:
    path = folder / "ann.yaml"
    path.write_text(GOOD + text, encoding="utf-8")
    return load_agent(path, "t").tools


def test_tools_are_read_in_order_with_their_defaults(tmp_path: Path) -> None:
    end, sales, other, keys = load(tmp_path, TOOLS)
    assert (end.type, end.name) == ("end_call", "end_call")
    assert "goodbye" in end.description
    assert sales == Tool(
        "transfer",
        "sales",
        "To buy.",
        to="+14155550123",
        timeout_s=30,
        caller_id="+14155550100",
        announce="I will get sales.",
        no_answer="Sales is away.",
    )
    assert (other.name, other.to, other.timeout_s) == ("transfer", "sip:front@pbx.example.com", 20)
    assert keys.name == "send_digits"


def test_an_agent_without_tools_has_none(tmp_path: Path) -> None:
    assert load(tmp_path, "") == ()


def test_the_version_covers_them(tmp_path: Path) -> None:
    path = tmp_path / "ann.yaml"
    versions = set()
    for number in ("3", "4"):
        path.write_text(GOOD + TOOLS.replace("0123", f"012{number}"), encoding="utf-8")
        versions.add(load_agent(path, "t").agent_version)
    assert len(versions) == 2


def test_phrases_of_tools_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "ann.yaml"
    path.write_text(GOOD + "phrases: {transfer: One sec., no_answer: Nobody.}\n", encoding="utf-8")
    phrases = load_agent(path, "t").phrases
    assert (phrases.transfer, phrases.no_answer) == ("One sec.", "Nobody.")
    assert phrases.digits == Phrases().digits


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("{type: beam}", "tools.0.type: there is no 'beam'; there are: 'end_call'"),
        ("{name: x}", "tools.0: has no type"),
        ("{type: transfer}", "tools.0.to: is missing"),
        ("{type: transfer, to: +14155550123}", "tools.0.to: write the number in quotes"),
        (
            "{type: transfer, to: '4155550123'}",
            "tools.0.to: a phone number begins",
        ),
        ("{type: transfer, to: 'sip:nobody'}", "tools.0.to: a SIP address is"),
        ("{type: transfer, to: '+14155550123', caller_id: me}", "tools.0.caller_id"),
        ("{type: transfer, to: '+14155550123', timeout_s: 1}", "tools.0.timeout_s"),
        (
            "{type: end_call, to: '+14155550123'}",
            "tools.0.to: there is no such field; there are: announce",
        ),
        ("{type: end_call, name: end the call}", "tools.0.name: must be a letter, then"),
        ("{type: end_call, description: ''}", "tools.0.description"),
        (
            "{type: send_digits, digits: 1}",
            "tools.0.digits: there is no such field; there are: announce",
        ),
        ("{type: end_call}\n  - {type: end_call}", "tools: two tools are named 'end_call'"),
    ],
)
def test_what_is_wrong_names_file_and_field(tmp_path: Path, tool: str, said: str) -> None:
    with pytest.raises(AgentFileError) as caught:
        load(tmp_path, f"tools:\n  - {tool}\n")
    assert str(caught.value).startswith(str(tmp_path / "ann.yaml"))
    assert said in str(caught.value)
    assert "4155550123" not in str(caught.value)


def test_a_call_in_trouble_goes_to_the_transfer_that_the_file_names(tmp_path: Path) -> None:
    path = tmp_path / "ann.yaml"
    path.write_text(GOOD + TOOLS + "on_trouble: sales\n", encoding="utf-8")
    agent = load_agent(path, "t")
    config = voice_config(agent, Settings())
    assert config.trouble_action["verb"] == "dial"
    assert config.trouble_action["to"] == "+14155550123"
    assert config.phrases.trouble == "I will get sales."
    assert "I will get sales." in agent.fixed_sentences()


def test_without_such_a_transfer_a_call_in_trouble_ends(tmp_path: Path) -> None:
    path = tmp_path / "ann.yaml"
    path.write_text(GOOD + TOOLS, encoding="utf-8")
    agent = load_agent(path, "t")
    config = voice_config(agent, Settings())
    assert (config.trouble_action, config.phrases.trouble) == ({}, Phrases().trouble)


@pytest.mark.parametrize("name", ["nobody", "end_call"])
def test_trouble_goes_to_no_other_tool(tmp_path: Path, name: str) -> None:
    with pytest.raises(AgentFileError, match=r"on_trouble: must name .* \(sales, transfer\)"):
        load(tmp_path, TOOLS + f"on_trouble: {name}\n")
