"""What the page about agent files promises is what the loader does, field by field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from cluster import agents
from cluster.agent_relay import RelayFile
from cluster.agent_tool_files import (
    HttpFile,
    McpFile,
    PythonFile,
    RememberFile,
    SwitchLanguageFile,
)
from cluster.agent_tools import EndCallFile, SendDigitsFile, TransferFile
from cluster.agents import load_agent, load_agents
from cluster.settings import Settings
from cluster.voice_config import voice_configs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TOOLS = (EndCallFile, TransferFile, SendDigitsFile)
RUNS = (HttpFile, PythonFile, McpFile, RememberFile, SwitchLanguageFile)


def rows(title: str) -> dict[str, str]:
    """First cell to the row, of the table under this title."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.MULTILINE)
    return dict(found)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("```yaml") >= 5


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_is_an_agent(tmp_path: Path, number: int) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLES[number], encoding="utf-8")
    agent = load_agent(path, "t")
    assert voice_configs([agent], Settings())[agent.agent_id]


def test_every_field_is_on_the_page_and_no_other() -> None:
    assert set(rows("Every field")) == set(agents._AgentFile.model_fields)
    assert set(rows("Phrases")) == set(agents._PhrasesFile.model_fields)
    assert set(rows("Turn-taking")) == set(agents._TurnTakingFile.model_fields)
    assert set(rows("Answers that are given again")) == set(agents._ResponseCacheFile.model_fields)
    assert set(rows("Relay")) == set(RelayFile.model_fields)
    assert set(rows("Tools")) == {name for tool in TOOLS for name in tool.model_fields}


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Every field", agents._AgentFile),
        ("Turn-taking", agents._TurnTakingFile),
        ("Answers that are given again", agents._ResponseCacheFile),
        ("Relay", RelayFile),
    ],
)
def test_the_defaults_on_the_page_are_those_of_the_loader(
    title: str, kind: type[BaseModel]
) -> None:
    for name, row in rows(title).items():
        field, said = kind.model_fields[name], row.split("|")[0].strip().strip("`")
        if field.is_required():
            assert said == "required", name
        elif name not in {"phrases", "turn_taking", "response_cache", "relay", "realtime"}:
            assert said == _shown(field.default), name


def _shown(value: Any) -> str:
    if value in ("", None, ()):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_field_of_tools_that_bring_a_result_is_on_the_page() -> None:
    fields = {field.alias or name for tool in RUNS for name, field in tool.model_fields.items()}
    assert set(rows("Tools that bring a result")) == fields


def test_every_example_of_the_page_about_tools_is_an_agent(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "tools.md").read_text("utf-8")
    texts = re.findall(r"^```yaml\n(language.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(texts) == 3
    for text in texts:
        path = tmp_path / "example.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_agent(path, "t").tools


def test_the_examples_use_every_tool() -> None:
    used = {tool["type"] for text in EXAMPLES for tool in yaml.safe_load(text).get("tools", ())}
    runs = {"http", "python", "mcp", "remember", "switch_language"}
    assert used == {"end_call", "transfer", "send_digits"} | runs


def test_the_agents_of_the_project_load() -> None:
    for folder in ("agents", "simulation/demo_agents"):
        assert load_agents(ROOT / folder, "t")
