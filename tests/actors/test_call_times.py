"""When a call has to be looked at because of its length: never before ``look_at``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.call_times import CallTimes, spent_s
from actors.comeback import Comeback
from actors.wire import TurnEntry
from dialogue.tool_use import late_result
from tests.support.scripted_call import AGENT
from voice.config import VoiceConfig

SWITCHES = replace(VoiceConfig(), trouble_action={"verb": "switch", "mode": "relay"})


@pytest.mark.parametrize(
    ("switch_after_s", "config", "looks_at"),
    [
        (None, VoiceConfig(), 160.0),
        (None, SWITCHES, 160.0),
        (20.0, VoiceConfig(), 160.0),  # there is nowhere to go to
        (20.0, SWITCHES, 120.0),
        (90.0, SWITCHES, 160.0),
    ],
)
def test_it_is_looked_at_when_the_first_of_its_times_is_due(
    switch_after_s: float | None, config: VoiceConfig, looks_at: float
) -> None:
    agent = replace(AGENT, max_call_s=60.0, switch_after_s=switch_after_s)
    assert CallTimes(agent, config, now=100.0).look_at == looks_at


def test_nothing_is_due_before() -> None:
    times = CallTimes(replace(AGENT, max_call_s=60.0, switch_after_s=20.0), SWITCHES, now=0.0)
    assert not times.switch(now=times.look_at - 0.01)
    assert not times.is_up(now=times.look_at - 0.01)
    assert times.switch(now=times.look_at)


def test_a_call_that_shall_go_elsewhere_is_looked_at_from_now_on() -> None:
    times = CallTimes(replace(AGENT, max_call_s=60.0), VoiceConfig(), now=0.0)
    times.go_elsewhere("", now=7.0)
    assert times.look_at == 7.0
    assert times.switch(now=7.0)


def test_a_call_that_was_long_enough_is_told_once_and_still_moved() -> None:
    times = CallTimes(replace(AGENT, max_call_s=60.0), VoiceConfig(), now=0.0)
    assert times.is_up(now=60.1)
    assert not times.is_up(now=60.2)
    assert times.look_at == float("inf")
    times.go_elsewhere("", now=61.0)
    assert times.look_at == 61.0


def turn(turn_id: int, at_s: float, *tools: dict[str, object]) -> TurnEntry:
    return TurnEntry(turn_id, "caller", at_us=int(at_s * 1e6), tools=tools)


MOVED = Comeback("switch", "", "moved")
BACK = turn(2, 800.0, late_result("transfer", "busy", 1))
RESULT_OF_A_TOOL = turn(2, 800.0, {"name": "order", "id": "u1", "result": "{}", "of_turn": 1})


@pytest.mark.parametrize(
    ("log", "comeback", "spent"),
    [
        ((), None, 0.0),
        ((turn(0, 0.0),), None, 0.0),  # of a version that did not say when
        ((turn(0, 100.0), turn(1, 500.0)), None, 900.0),
        ((turn(0, 100.0), turn(1, 500.0)), MOVED, 900.0),
        ((turn(0, 100.0), turn(1, 500.0)), Comeback("dial", "transfer", "busy"), 0.0),
        ((turn(0, 100.0), turn(1, 500.0), BACK), MOVED, 200.0),
        ((turn(0, 100.0), turn(1, 500.0), RESULT_OF_A_TOOL), MOVED, 900.0),
        ((turn(0, 1_003.0),), None, 0.0),  # by the clock of another node
        ((turn(0, 100.0), turn(1, 86_500.0), turn(2, 300.0)), None, 1_200.0),  # ahead for a turn
    ],
)
def test_what_went_by_in_earlier_streams_is_told_by_the_log(
    log: tuple[TurnEntry, ...], comeback: Comeback | None, spent: float
) -> None:
    assert spent_s(log, comeback, now_us=1_000_000_000) == spent


@pytest.mark.parametrize("ahead_s", [3_600.0, 86_400.0, -3_600.0, -86_400.0])
def test_a_node_with_a_wrong_clock_ends_no_call_that_comes_to_it(ahead_s: float) -> None:
    log = tuple(turn(number, 100_000.0 + 10.0 * number) for number in range(6))
    spent = spent_s(log, MOVED, now_us=int((100_060.0 + ahead_s) * 1e6))
    times = CallTimes(AGENT, VoiceConfig(), now=0.0)
    times.count_in(spent)
    assert spent >= 50.0
    assert not times.is_up(now=600.0)


def test_time_that_went_by_before_counts() -> None:
    times = CallTimes(replace(AGENT, max_call_s=60.0), VoiceConfig(), now=100.0)
    times.count_in(50.0)
    assert times.look_at == 110.0
    assert not times.is_up(now=109.9)
    assert times.is_up(now=110.1)
    late = CallTimes(replace(AGENT, max_call_s=60.0), VoiceConfig(), now=100.0)
    late.count_in(90.0)
    assert late.is_up(now=100.1)
