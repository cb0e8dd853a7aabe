"""What a call measures, by real calls on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from actors.metrics_calls import AgentMeter, CallMeter
from actors.wire import TurnEntry
from dialogue.tool_use import late_result, use_of
from telemetry import catalog as c
from telemetry.catalog import Metric
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from tests.support.fake_thinker import FakeThinker
from tests.support.scripted_call import AGENT, Stage, play
from voice.events import AbandonTurn, BeginTurn, CommitTurn

LABELS = (AGENT.tenant_id, AGENT.agent_id, AGENT.language)
LONG = "There is a lot to say about that. " + "It goes on and on and on. " * 10


def merged(ledger: MetricsLedger) -> MergedMetrics:
    result = MergedMetrics()
    result.merge(ledger.snapshot())
    return result


def count(ledger: MetricsLedger, metric: Metric, *labels: str) -> float:
    return merged(ledger).counters().get((metric.name, labels), 0)


def measured(ledger: MetricsLedger, metric: Metric, *labels: str) -> int:
    sketch = merged(ledger).sketches().get((metric.name, labels))
    return sketch.count if sketch else 0


def test_a_turn_is_measured_from_end_to_end() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        ledger, entry = stage.ledger, phone.driver.turn_log[1]
        assert count(ledger, c.TURNS, *LABELS, "greeting", "heard") == 1
        assert count(ledger, c.TURNS, *LABELS, "caller", "heard") == 1
        latency = merged(ledger).sketches()[c.RESPONSE_LATENCY.name, LABELS]
        assert latency.count == 1, "a greeting answers nobody"
        assert latency.maximum == entry.timeline["first_frame_out"]
        for stage_name in set(entry.timeline) - {"speech_ended"}:
            assert measured(ledger, c.TURN_STAGE, stage_name, *LABELS) == 1
        assert measured(ledger, c.COMMIT_TO_FRAME) == 1
        assert measured(ledger, c.PROVIDER_LATENCY, "fake", "first_token", "en-US") == 1
        assert measured(ledger, c.PROVIDER_LATENCY, "fake", "final_words", "en-US") == 1
        assert count(ledger, c.GUESSES, "taken") == 1

    play(scene)


@pytest.mark.parametrize(
    ("cache", "labels"),
    [
        ({"outcome": "hit", "tier": "exact", "lookup_s": 0.001}, ("hit", "exact", "")),
        ({"outcome": "miss", "reason": "late"}, ("miss", "", "late")),
    ],
)
def test_what_the_response_cache_said_is_counted(
    cache: dict[str, object], labels: tuple[str, ...]
) -> None:
    ledger = MetricsLedger("x", 1)
    meter = CallMeter(AgentMeter(ledger, AGENT), "call")
    meter.settled(TurnEntry(1, "caller"), 1, after_s=None)
    meter.settled(TurnEntry(2, "caller", cache=cache), 1, after_s=None)
    assert count(ledger, c.CACHE_TURNS, *LABELS[:2], *labels) == 1
    assert measured(ledger, c.CACHE_LOOKUP, labels[0]) == ("lookup_s" in cache)


def test_a_barge_in_is_one_and_a_lost_stream_is_none() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until_heard("It goes on")
        await phone.talk(0.5)
        assert count(stage.ledger, c.BARGE_INS, *LABELS) == 0, "so far it may be a cough"
        phone.ear.hear("no something else")
        assert count(stage.ledger, c.BARGE_INS, *LABELS) == 1
        await phone.until_heard("There is a lot", within_s=20)
        await asyncio.sleep(1.0)
        phone.lose_socket()
        await phone.ended()
        assert phone.log[-1][3] == "interrupted"
        assert count(stage.ledger, c.BARGE_INS, *LABELS) == 1

    play(scene, lambda: Stage({"fake": FakeThinker([LONG])}))


def test_keys_are_counted_and_cut_a_reply() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until_heard("It goes on")
        for digit in "42#":
            phone.press(digit)
        await phone.until(lambda: any(kind == "digits" for _, kind, _, _ in phone.log), 30.0)
        assert count(stage.ledger, c.DIGITS) == 3
        assert count(stage.ledger, c.BARGE_INS, *LABELS) == 1

    play(scene, lambda: Stage({"fake": FakeThinker([LONG])}))


def test_audio_is_counted_when_turns_end_and_every_second_of_it_is_billed() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        await asyncio.sleep(3.0)
        phone.hang_up()
        await phone.ended()
        frames = count(stage.ledger, c.FRAMES, "in")
        assert frames == phone._sent_frames
        assert count(stage.ledger, c.FRAMES, "out") > 0
        in_turns = sum(e.usage.get("recognised_s", 0) for e in phone.driver.turn_log)
        ((call_id, rest),) = stage.pool.homes["ann"].recorder.units
        assert call_id == "call-1"
        assert rest["recognised_s"] == pytest.approx(3.0, abs=0.1), "the silence at the end"
        assert in_turns + rest["recognised_s"] == pytest.approx(frames * 0.02)

    play(scene)


def test_a_call_that_was_moved_is_counted_once() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        stage.pool.kill("ann")
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        phone.hang_up()
        await phone.ended()
        assert count(stage.ledger, c.CALLS_REPLACED) == 1

    play(scene)


def test_tokens_of_guesses_that_were_thrown_away_are_billed() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        phone.ear.hear("what do you", final=False)
        await asyncio.sleep(0.8)  # long enough to guess and to be answered
        asked = len(stage.thinker.requests)
        await phone.say("have for dinner")
        await phone.until(lambda: len(phone.log) == 2, 30.0)
        tokens = phone.driver.turn_log[1].usage["completion_tokens"]
        assert len(stage.thinker.requests) >= asked >= 1
        assert tokens == 7 * (len(stage.thinker.requests) - stage.thinker.cancelled)

    play(scene)


# --- guesses, by hand -----------------------------------------------------------------------------


def meter() -> tuple[CallMeter, MetricsLedger]:
    ledger = MetricsLedger("a", 1)
    return CallMeter(AgentMeter(ledger, AGENT), "c1"), ledger


def begin(guess: int, *, speculative: bool = True) -> BeginTurn:
    return BeginTurn(1, guess, "caller", "words", speculative)


SETTLED = TurnEntry(1, "caller")


@pytest.mark.parametrize(
    ("steps", "spoken", "fates"),
    [
        ([begin(1), CommitTurn(1, 1, "")], 1, {"taken": 1}),
        ([begin(1), AbandonTurn(1, 1, "")], 2, {"dropped": 1}),
        ([begin(1), CommitTurn(1, 1, ""), AbandonTurn(1, 1, "barge-in")], 1, {"taken": 1}),
        ([begin(1), CommitTurn(1, 1, ""), AbandonTurn(1, 1, "failed")], 2, {"given_up": 1}),
        ([begin(1, speculative=False), CommitTurn(1, 1, "")], 1, {}),
        (
            [
                begin(1),
                AbandonTurn(1, 1, "went on"),
                begin(2),
                CommitTurn(1, 2, ""),
                AbandonTurn(1, 2, "went on"),
                begin(3),
                CommitTurn(1, 3, ""),
            ],
            3,
            {"dropped": 1, "given_up": 1, "taken": 1},
        ),
    ],
)
def test_every_guess_has_one_fate(
    steps: list[BeginTurn | CommitTurn | AbandonTurn], spoken: int, fates: dict[str, int]
) -> None:
    call, ledger = meter()
    for step in steps:
        if isinstance(step, BeginTurn):
            call.begun(step)
        elif isinstance(step, CommitTurn):
            call.committed(step)
        else:
            call.abandoned(step)
    call.settled(SETTLED, spoken, after_s=None)
    call.settled(TurnEntry(2, "caller"), 1, after_s=None)
    found = {
        labels[0]: n for (name, labels), n in merged(ledger).counters().items() if "guess" in name
    }
    assert found == fates


def test_a_turn_whose_end_of_speech_is_unknown_has_no_response_latency() -> None:
    call, ledger = meter()
    times = {"committed": 0.0, "first_frame_out": 0.01}
    call.settled(TurnEntry(1, "caller", timeline=times), 1, after_s=None)
    assert merged(ledger).sketches() == {}


def test_a_call_counts_when_its_first_stream_begins() -> None:
    ledger = MetricsLedger("a", 1)
    for resume in (0, 1, 0):
        AgentMeter(ledger, AGENT).call_began(resume=resume)
    assert count(ledger, c.CALLS, *LABELS) == 2


def test_tools_are_counted_by_what_came_of_them() -> None:
    ledger = MetricsLedger("ingress", 1)
    meter = CallMeter(AgentMeter(ledger, AGENT), "call-1")
    used = use_of({"verb": "dial", "tool": "sales"}, is_done=True)
    undone = use_of({"verb": "dial", "tool": "sales"}, is_done=False)
    back = late_result("sales", "busy", 1)
    for turn_id, tools in enumerate(((used,), (undone,), (back, {"name": "x"})), start=1):
        meter.settled(TurnEntry(turn_id, "caller", tools=tools), 1, after_s=None)
    where = LABELS[:2]
    assert {
        labels: total
        for (name, labels), total in merged(ledger).counters().items()
        if name == c.TOOLS.name
    } == {
        (*where, "sales", "put through"): 1,
        (*where, "sales", "not done"): 1,
        (*where, "sales", "busy"): 1,
        (*where, "x", "unknown"): 1,
    }
