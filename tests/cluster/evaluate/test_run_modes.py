"""What is shown of one conversation in three modes."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.emulator_script import load_script
from cluster.evaluate.mode_page import mode_page
from cluster.evaluate.mode_stage import MODES, NUMBERS, agent_text, script_text
from cluster.evaluate.mode_talk import Talk, TalkTurn
from cluster.evaluate.run_modes import ModeResult, cost_rows, render, talk_rows
from simulation.mode_script import CUES, SHORT, WHOLE

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
    page = mode_page(cost_rows(RESULTS), talk_rows(RESULTS), ["turn 3 <differs>"])
    assert "<li>turn 3 &lt;differs&gt;</li>" in page
    assert page.count("<tr>") == len(cost_rows(RESULTS)) + len(talk_rows(RESULTS))


def test_agents_are_alike_but_for_their_mode(tmp_path: Path) -> None:
    agents = [yaml.safe_load(agent_text(mode)) for mode in MODES]
    assert [agent.pop("mode") for agent in agents] == list(NUMBERS) == list(MODES)
    assert agents[0] == agents[1] == agents[2]
    file = tmp_path / "script.yaml"
    file.write_text(script_text(), "utf-8")
    script = load_script(file)
    assert len(script.replies) + sum(bool(cue.tool) for cue in CUES) == len(CUES)
    assert {rule.tools[0] for rule in script.tool_rules} >= {cue.tool for cue in CUES if cue.tool}


def test_every_line_can_be_said() -> None:
    assert {line.cue for line in (*SHORT, *WHOLE)} <= {cue.clip for cue in CUES}
    assert len(WHOLE) == 30
