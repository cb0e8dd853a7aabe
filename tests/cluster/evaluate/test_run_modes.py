"""What is shown of one conversation in three modes."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.agents import load_agents
from cluster.emulator_script import load_script
from cluster.evaluate.mode_agent import agent_text, script_text
from cluster.evaluate.mode_page import mode_page
from cluster.evaluate.mode_stage import MODES, NUMBERS
from cluster.evaluate.mode_talk import Talk, TalkTurn
from cluster.evaluate.run_modes import (
    ModeResult,
    answer,
    cost_rows,
    render,
    said_rows,
    talk_rows,
)
from simulation.mode_script import CUES, SHORT, WHOLE, tool_rules

TURN = TalkTurn("ten of clubs", "A card.", "A card.", "heard", (("press", "pressed"),))
RESULTS = [
    ModeResult(Talk("pipeline", (TURN,)), {"think": 0.01, "carry": 0.02}, 120.0, (0.5, 0.7, 0.6)),
    ModeResult(Talk("relay", (TURN, TURN)), {"relay": 0.14}, 60.0, (), errors={"39001": 1}),
]


def test_the_cost_of_each_mode_stands_beside_the_others() -> None:
    assert cost_rows(RESULTS) == [
        ["", "pipeline", "relay"],
        ["carry", "$0.0200", "$0.0000"],
        ["relay", "$0.0000", "$0.1400"],
        ["think", "$0.0100", "$0.0000"],
        ["the whole call", "$0.0300", "$0.1400"],
        ["a minute of it", "$0.0150", "$0.1400"],
    ]


def test_what_was_had_is_told_and_every_difference() -> None:
    assert talk_rows(RESULTS)[1:] == [
        ["turns", "1", "2"],
        ["cut by the caller", "0", "0"],
        ["tools", "1", "2"],
        ["lasted, s", "120", "60"],
        ["answer after, median, ms", "600", "-"],
        ["carrier's errors", "none", "39001 x1"],
    ]
    assert "turn 3 <differs>" in render(RESULTS, ["turn 3 <differs>"])
    assert "The same words" in render(RESULTS, [])
    tables = (talk_rows(RESULTS), cost_rows(RESULTS), said_rows(RESULTS))
    page = mode_page(*tables, differences=["turn 3 <differs>"])
    assert "<li>turn 3 &lt;differs&gt;</li>" in page
    assert page.count("<tr>") == sum(map(len, tables))


def test_what_was_said_stands_turn_by_turn_with_what_was_done() -> None:
    assert said_rows(RESULTS) == [
        ["", "the caller", "pipeline", "relay"],
        ["1", "ten of clubs", "A card. [press: pressed]", "A card. [press: pressed]"],
        ["2", "ten of clubs", "-", "A card. [press: pressed]"],
    ]
    cut = TalkTurn("", "Long.", "Lo", "interrupted")
    assert answer(cut) == "Lo (cut)"
    assert said_rows([]) == [["", "the caller"]]


def test_agents_are_alike_but_for_their_mode(tmp_path: Path) -> None:
    agents = [yaml.safe_load(agent_text(mode, "http://127.0.0.1:9")) for mode in MODES]
    assert [agent.pop("mode") for agent in agents] == list(NUMBERS) == list(MODES)
    assert agents[0] == agents[1] == agents[2]
    file = tmp_path / "script.yaml"
    file.write_text(script_text(), "utf-8")
    script = load_script(file)
    assert len(script.replies) + sum(bool(cue.tool) for cue in CUES) == len(CUES)
    assert {rule.tools[0] for rule in script.tool_rules} >= {cue.tool for cue in CUES if cue.tool}
    assert {rule.tools[0]: rule.after for rule in script.tool_rules} == {
        rule.tools[0]: rule.after for rule in tool_rules()
    }


def test_the_product_can_read_them(tmp_path: Path) -> None:
    for mode in MODES:
        text = agent_text(mode, "http://127.0.0.1:9")
        (tmp_path / f"{mode}.yaml").write_text(text, "utf-8")
    agents = load_agents(tmp_path, "default")
    assert {agent.mode for agent in agents.values()} == set(MODES)
    tools = {cue.tool for cue in CUES if cue.tool}
    assert all(tools <= set(agent.toolbox.tools) for agent in agents.values())


def test_cues_with_one_tool_say_the_same_to_its_result() -> None:
    said: dict[str, set[str]] = {}
    for cue in CUES:
        if cue.tool:
            said.setdefault(cue.tool, set()).add(cue.reply)
    assert all(len(replies) == 1 for replies in said.values()), said


def test_every_line_can_be_said() -> None:
    assert {line.cue for line in (*SHORT, *WHOLE)} <= {cue.clip for cue in CUES}
    assert len(WHOLE) == 30
