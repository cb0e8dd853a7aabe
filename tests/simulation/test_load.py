"""A run of many calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulation.caller_call import CallResult
from simulation.caller_events import CallEnded, CallerEvent, CallStarted
from simulation.load import LoadConfig, LoadInvalid, _order, _place_all, run_load
from simulation.load_report import Effort, LoadReport, build_report
from tests.simulation.paper_server import (
    CONNECT,
    LOUD,
    QUIET,
    PaperAgent,
    PaperSocket,
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
    assert report.counts["calls_offered"] == report.counts["calls_completed"] == 2
    assert report.all_admitted
    assert report.distributions["greeting"].count == 2
    assert report.distributions["first_frame"].count == 2
    assert report.distributions["caller_lateness"].count == report.counts["frames_sent"] > 0
    assert report.violations == report.errors == {}
    assert json.loads(path.read_text()) == json.loads(json.dumps(report.as_dict()))
    assert sum(isinstance(event, CallEnded) for event in events) == 2


@pytest.mark.e2e
def test_the_same_run_again_is_of_other_calls() -> None:
    """A carrier never uses a CallSid twice, and a server refuses one that it has seen end."""
    events: list[CallerEvent] = []

    async def whole() -> None:
        async with tone_server(ToneConfig(greet_s=0.04)) as server:
            config = LoadConfig(server.url, calls=2, duration_s=0.1, seed=1, raise_priority=False)
            for _ in range(2):
                await run_load(config, events.append, CLIPS)

    asyncio.run(whole())
    sids = [event.call_sid for event in events if isinstance(event, CallStarted)]
    assert len(sids) == len(set(sids)) == 4


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


BUSY = "<Response><Say>All our lines are busy. Goodbye.</Say><Hangup/></Response>"


def offered_to(agent: PaperAgent, web: PaperWeb, **settings: Any) -> LoadReport:
    """The report of a run against a server in memory, on virtual time."""
    config = LoadConfig("http://127.0.0.1:1", turns=2, **settings)

    async def whole() -> LoadReport:
        async with paper_carrier(agent, web) as carrier:
            results = await _place_all(carrier, config, [tone_clip("a")], None)
            effort = Effort(1.0, 0.1, carrier.ticker.lateness, False)
        return build_report(config.seed, config.concurrent, results, effort)

    return run(whole())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (BUSY, "say_hangup"),
        ('<Response><Reject reason="busy"/></Response>', "reject_busy"),
        ("<Response><Reject/></Response>", "reject"),
        ("<Response><Hangup/></Response>", "other"),
        ("<Response/>", "other"),
        ("<Response><Redirect>/twilio/after</Redirect></Response>", "other"),
    ],
)
def test_a_server_beyond_its_capacity_does_not_pass_for_one_that_carries_all(
    answer: str, kind: str
) -> None:
    web = PaperWeb({"/twilio/voice": [CONNECT, CONNECT, answer]})
    report = offered_to(PaperAgent(), web, calls=4, concurrent=4)
    counts = report.counts
    assert (counts["calls_offered"], counts["calls_admitted"]) == (4, 2)
    assert counts["calls_refused"] == counts[f"calls_refused_{kind}"] == 2
    assert counts["calls_completed"] == counts["calls_at_once"] == 2
    assert counts["calls_failed"] == counts["turns_missing"] == 0
    assert (report.valid, report.all_admitted, report.punctual) == (False, False, True)
    assert f"2 of 4 offered calls were refused ({kind} x2)" in report.reasons
    assert report.distributions["response_latency"].count == counts["turns"] == 4


def test_a_server_that_refuses_everybody_measures_nothing() -> None:
    report = offered_to(PaperAgent(), PaperWeb({"/twilio/voice": [BUSY]}), calls=3, concurrent=3)
    assert report.counts["calls_refused"] == 3
    assert report.reasons == ("3 of 3 offered calls were refused (say_hangup x3)",)
    assert report.distributions["greeting"].count == 0
    assert report.cpu_ms_per_call_second == 0


def test_a_call_cut_off_in_the_middle_is_seen() -> None:
    def cut(socket: PaperSocket, chunk: int) -> None:
        if chunk == 100 and socket is agent.sockets[0]:
            socket.end(1000)

    agent = PaperAgent(on_frame=cut)
    report = offered_to(agent, PaperWeb(), calls=2, concurrent=2)
    assert report.all_admitted
    assert report.counts["calls_ended_early"] == report.counts["calls_short_of_turns"] == 1
    assert report.counts["turns_missing"] == 1
    assert report.reasons == ("1 of 2 admitted calls were ended early by the server",)


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
