"""A run of many calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from simulation.caller_call import CallResult
from simulation.caller_events import CallEnded, CallerEvent, CallStarted
from simulation.load import LoadConfig, LoadInvalid, _order, _place_all, run_load
from simulation.load_report import LoadReport
from tests.simulation.paper_server import (
    LOUD,
    QUIET,
    PaperAgent,
    PaperWeb,
    paper_carrier,
    tone_clip,
)
from tests.simulation.test_caller_script import PlainClip, PlainWord
from tests.simulation.tone_server import ToneConfig, tone_server
from tests.support.virtual_time import run

CLIPS = [
    PlainClip(name, f"says {name}", LOUD * 8 + QUIET * 4, (PlainWord(0.16),), 0.16)
    for name in "abc"
]


@pytest.mark.e2e
def test_a_run_is_measured_and_written_down(tmp_path: Path) -> None:
    path, events = tmp_path / "report.json", list[CallerEvent]()

    async def whole() -> LoadReport:
        async with tone_server(ToneConfig(greet_s=0.04)) as server:
            config = LoadConfig(
                server.url,
                calls=2,
                concurrent=2,
                duration_s=0.4,
                json_path=path,
                auth_token="12345",
                raise_priority=False,
            )
            return await run_load(config, events.append, CLIPS)

    report = asyncio.run(whole())
    assert report.counts["calls"] == report.counts["calls_completed"] == 2
    assert report.distributions["greeting"].count == 2
    assert report.distributions["caller_lateness"].count == report.counts["frames_sent"] > 0
    assert report.violations == report.errors == {}
    assert json.loads(path.read_text()) == json.loads(json.dumps(report.as_dict()))
    assert sum(isinstance(event, CallEnded) for event in events) == 2


def test_calls_are_ramped_and_never_more_than_asked_for_at_once() -> None:
    events: list[CallerEvent] = []
    clips = [tone_clip(name) for name in "abc"]
    config = LoadConfig("http://127.0.0.1:1", calls=5, concurrent=2, turns=2, ramp_s=1.0)

    async def whole() -> list[CallResult]:
        async with paper_carrier(PaperAgent(), PaperWeb()) as carrier:
            return await _place_all(carrier, config, clips, events.append)

    results = run(whole())
    assert [result.call for result in results] == [0, 1, 2, 3, 4]
    assert len({result.leg.call_sid for result in results}) == 5
    assert all(turn.outcome == "answered" for result in results for turn in result.turns)
    at_once, most = 0, 0
    for event in events:
        at_once += isinstance(event, CallStarted) - isinstance(event, CallEnded)
        most = max(most, at_once)
    assert (most, at_once) == (2, 0)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"calls": 0}, "calls"),
        ({"concurrent": 0}, "concurrent"),
        ({"turns": -1}, "turns"),
        ({"turns": 0}, "duration"),
        ({"duration_s": 0.0}, "duration"),
        ({"ramp_s": -1.0}, "ramp"),
        ({"interrupt_ratio": 1.5}, "interrupt_ratio"),
        ({"from_numbers": ()}, "from_numbers"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, object], named: str) -> None:
    config = LoadConfig("http://127.0.0.1:1", **settings)  # type: ignore[arg-type]
    with pytest.raises(LoadInvalid, match=named):
        asyncio.run(run_load(config, clips=CLIPS))


def test_a_url_that_is_none_is_refused() -> None:
    config = LoadConfig("127.0.0.1:8000", raise_priority=False)
    with pytest.raises(LoadInvalid, match="HOST:PORT"):
        asyncio.run(run_load(config, clips=CLIPS))


def test_scripts_depend_on_the_seed_and_the_calls_number_only() -> None:
    clips = [tone_clip(name) for name in "abcdef"]

    def scripts(seed: int, calls: list[int]) -> dict[int, list[object]]:
        config = LoadConfig("http://127.0.0.1:1", seed=seed, turns=5, interrupt_ratio=0.5)
        return {call: list(_order(config, call, clips).script) for call in calls}

    assert scripts(1, [0, 1, 2]) == scripts(1, [2, 1, 0])
    assert scripts(1, [0]) != scripts(2, [0])
