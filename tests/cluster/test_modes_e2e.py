"""The same conversation in the three modes: the same words, the same tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.evaluate.mode_talk import all_differences
from simulation.mode_script import SHORT, WHOLE
from tests.support.modes_stage import ModesStage


@pytest.fixture
def stage() -> Iterator[ModesStage]:
    with ModesStage().running() as stage:
        yield stage


@pytest.mark.e2e
def test_a_tool_an_interruption_and_a_transfer_refused_are_the_same_in_three_modes(
    stage: ModesStage,
) -> None:
    had = stage.play(stage.converse_in_all(SHORT, quiet_s=0.6))
    talks = [talk for _, talk in had.values()]
    assert all_differences(talks) == []
    assert [len(talk.turns) for talk in talks] == [len(SHORT)] * len(talks)
    assert talks[0].interruptions == (0,)
    assert talks[0].tools == (("press", "pressed"), ("sales", "put through"), ("sales", "busy"))


@pytest.mark.cluster
def test_thirty_turns_are_the_same_in_three_modes(stage: ModesStage) -> None:
    had = stage.play(stage.converse_in_all(WHOLE), limit_s=400.0)
    talks = [talk for _, talk in had.values()]
    assert len(WHOLE) == 30
    assert all_differences(talks) == []
    assert [len(talk.turns) for talk in talks] == [30, 30, 30]
