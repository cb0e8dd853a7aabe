"""The same conversation in the three modes: the same words, the same tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.evaluate.mode_talk import all_differences
from simulation.mode_script import SHORT, WHOLE
from tests.support.modes_stage import ModesStage

YUE = "開到五點。"


@pytest.fixture
def stage() -> Iterator[ModesStage]:
    with ModesStage().running() as stage:
        yield stage


USED = (
    ("remember(name=card, value=ten of clubs)", "noted"),
    ("press(digits=12#)", "pressed"),
    ("sales()", "put through"),
    ("sales()", "busy"),
    ("stock(item=seven)", "done"),
    ("switch_language(language=zh-HK)", "done"),
)


@pytest.mark.e2e
def test_tools_an_interruption_a_refusal_and_a_language_are_the_same_in_three_modes(
    stage: ModesStage,
) -> None:
    had = stage.play(stage.converse_in_all(SHORT, quiet_s=0.6), limit_s=60.0)
    talks = [talk for _, talk in had.values()]
    assert all_differences(talks) == []
    assert [len(talk.turns) for talk in talks] == [len(SHORT)] * len(talks)
    assert talks[0].interruptions == (0,)
    assert talks[0].tools == USED
    assert [turn.heard_text for turn in talks[0].turns[-3:]] == ["Three are left.", "OK.", YUE]
    changes = [stage.doors[mode].counters["language_changes"] for mode in had]
    assert changes == [1] * len(talks), "the ear and the mouth have changed, not only the record"
    asked = stage.service_of_tools.asked
    assert [each.path for each in asked] == ["/stock/seven"] * len(talks)
    assert len({each.key for each in asked}) == len(talks), "each use has a key of its own"


@pytest.mark.cluster
def test_thirty_turns_are_the_same_in_three_modes(stage: ModesStage) -> None:
    had = stage.play(stage.converse_in_all(WHOLE), limit_s=400.0)
    talks = [talk for _, talk in had.values()]
    assert len(WHOLE) == 30
    assert all_differences(talks) == []
    assert [len(talk.turns) for talk in talks] == [30, 30, 30]
    assert [len(talk.tools) for talk in talks] == [21, 21, 21]
