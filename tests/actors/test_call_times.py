"""When a call has to be looked at because of its length: never before ``look_at``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.call_times import CallTimes
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
