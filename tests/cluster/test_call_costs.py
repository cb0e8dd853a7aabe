"""What a call has used and what it cost, in its record and in the metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import pytest

from actors.mind_calls import MOVED_ON, MindCalls, MindConfig
from actors.wire import CloseCall, OpenCall, TurnEntry
from cluster.call_costs import MAX_CLOSED, CallCosts, services_of
from cluster.recorder import StoreRecorder
from dialogue.agent import Agent
from dialogue.session import CallIdentity
from providers.settings import ChatEndpoint, ElevenLabsConfig, OpenAIConfig, ProviderSettings
from records.rows import CallRow, Row, TurnRow
from telemetry import catalog as c
from telemetry.cost import Services, Unpriced, bill_of
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from telemetry.prices import load_prices

ANN = Agent("t1", "ann", "v1", "en-US", "You are Ann.", "Hello!", "alto")
LOCAL = replace(ANN, agent_id="local", model="my-llama")
TAPED = replace(ANN, agent_id="taped", record=True)
MOVED = replace(ANN, agent_id="moved", mode="realtime", then_modes=("relay", "pipeline"))
AGENTS = {(agent.tenant_id, agent.agent_id): agent for agent in (ANN, LOCAL, TAPED, MOVED)}
CALL = CallIdentity("t1", "ann", "v1", "c1", "CA1", (0, 1), started_at_us=1_000_000)
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 100, "spoken_chars": 200, "recognised_s": 20}


class FakeWriter:
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def put(self, row: Row) -> None:
        self.rows.append(row)

    @property
    def calls(self) -> list[CallRow]:
        return [row for row in self.rows if isinstance(row, CallRow)]


class Desk:
    """A recorder and everything that it tells."""

    def __init__(self) -> None:
        self.ledger = MetricsLedger("a", 1)
        self.writer = FakeWriter()
        self.costs = CallCosts(self.ledger, load_prices(), AGENTS, ProviderSettings())
        self.recorder = StoreRecorder(self.writer, self.costs)  # type: ignore[arg-type]

    def turn(
        self, turn_id: int, usage: Mapping[str, float] = USAGE, call: CallIdentity = CALL
    ) -> None:
        self.recorder.turn_settled(call, TurnEntry(turn_id, "caller", usage=dict(usage)))

    def close(
        self, *, after_s: float = 60.0, planned: bool = True, call: CallIdentity = CALL
    ) -> CallRow:
        at_us = call.started_at_us + round(after_s * 1e6)
        self.recorder.call_closed(call, planned=planned, reason="caller_hung_up", at_us=at_us)
        return self.writer.calls[-1]

    def counters(self, metric: c.Metric) -> dict[tuple[str, ...], float]:
        merged = MergedMetrics()
        merged.merge(self.ledger.snapshot())
        found = merged.counters().items()
        return {labels: value for (name, labels), value in found if name == metric.name}


def test_the_record_holds_the_sum_of_all_turns_and_its_cost() -> None:
    desk = Desk()
    desk.recorder.call_opened(CALL, at_us=1_000_000)
    desk.turn(1)
    desk.turn(2)
    desk.recorder.units_used(CALL, {"recognised_s": 15})
    row = desk.close(after_s=55.0)
    assert row.usage == {
        "prompt_tokens": 2_000,
        "completion_tokens": 200,
        "spoken_chars": 400,
        "recognised_s": 55,
        "call_s": 55,
        "stream_s": 55,
    }
    assert row.cost == pytest.approx(
        {
            "think": 2_000 * 0.20e-6 + 200 * 1.20e-6,
            "speak": 0.4 * 0.05,
            "hear": 55 / 60 * 0.016667,
            "carry": 0.0085,
            "stream": 0.004,
        }
    )
    assert row.cost_usd == pytest.approx(sum(row.cost.values()))
    assert (row.status, row.language, row.planned_end) == ("ended", "en-US", True)


def test_what_was_in_vain_is_told_in_dollars_by_turn_and_by_call() -> None:
    desk = Desk()
    wasted = {
        "speculative_calls": 2,
        "wasted_calls": 1,
        "wasted_prompt_tokens": 500,
        "wasted_completion_tokens": 50,
        "wasted_spoken_chars": 40,
    }
    desk.turn(1, {**USAGE, **wasted})
    desk.turn(2)
    first, second = (row for row in desk.writer.rows if isinstance(row, TurnRow))
    dollars = 500 * 0.20e-6 + 50 * 1.20e-6 + 0.04 * 0.05
    assert (first.speculative_calls, first.wasted_calls) == (2, 1)
    assert first.wasted_cost_usd == pytest.approx(dollars)
    assert (second.speculative_calls, second.wasted_calls, second.wasted_cost_usd) == (0, 0, 0.0)
    desk.recorder.units_used(CALL, {"prompt_tokens": 100, "wasted_prompt_tokens": 100})
    row = desk.close()
    assert row.wasted_cost_usd == pytest.approx(dollars + 100 * 0.20e-6)
    assert row.cost["think"] == pytest.approx(2_100 * 0.20e-6 + 200 * 1.20e-6)
    told = desk.counters(c.WASTED_COST)
    assert told["speak", "t1", "ann"] == pytest.approx(0.04 * 0.05)
    assert sum(told.values()) == pytest.approx(row.wasted_cost_usd)


def test_the_metrics_agree_with_the_records() -> None:
    desk = Desk()
    rows = []
    for number in range(20):
        call = replace(CALL, call_id=f"c{number}", agent_id="taped" if number % 2 else "ann")
        desk.recorder.call_opened(call, at_us=1_000_000)
        for turn_id in range(number):
            desk.turn(turn_id, call=call)
        rows.append(desk.close(after_s=7.0 * number + 1, call=call))
    counted = desk.counters(c.COST)
    assert sum(counted.values()) == pytest.approx(sum(row.cost_usd for row in rows))
    assert counted["record", "t1", "taped"] > 0
    for agent_id in ("ann", "taped"):
        mine = sum(usd for labels, usd in counted.items() if labels[2] == agent_id)
        assert mine == pytest.approx(sum(row.cost_usd for row in rows if row.agent_id == agent_id))
    assert desk.counters(c.CALLS_ENDED) == {("caller_hung_up",): 20}


def test_a_turn_told_twice_counts_once() -> None:
    desk = Desk()
    for _ in range(3):
        desk.turn(1)
    assert desk.close().usage["prompt_tokens"] == 1_000


def test_a_late_turn_changes_the_record_and_the_metrics_by_its_own_part() -> None:
    desk = Desk()
    desk.turn(1)
    before = desk.close()
    desk.turn(2)
    after = desk.writer.calls[-1]
    assert after.usage["prompt_tokens"] == 2 * before.usage["prompt_tokens"]
    assert (after.status, after.ended_at_us) == (before.status, before.ended_at_us)
    assert sum(desk.counters(c.COST).values()) == pytest.approx(after.cost_usd)
    assert desk.counters(c.UNITS)["prompt_tokens", "gpt-5.6-luna"] == 2_000


def test_a_call_that_comes_back_after_it_was_given_up_goes_on_counting() -> None:
    desk = Desk()
    desk.recorder.call_opened(CALL, at_us=1_000_000)
    desk.turn(1)
    lost = desk.close(after_s=120.0, planned=False)
    assert (lost.status, lost.usage["call_s"]) == ("lost", 20), "as long as audio came"
    desk.recorder.call_opened(CALL, at_us=121_000_000)
    rows = len(desk.writer.calls)
    desk.turn(2)
    assert len(desk.writer.calls) == rows, "it is open: its closing row is not written again"
    row = desk.close(after_s=180.0)
    assert row.usage["prompt_tokens"] == 2_000
    assert sum(desk.counters(c.COST).values()) == pytest.approx(row.cost_usd)


def test_a_call_that_was_handed_to_a_person_streams_no_more_than_it_did() -> None:
    desk = Desk()
    desk.turn(1)
    row = desk.close(after_s=600.0)
    assert (row.usage["call_s"], row.usage["stream_s"]) == (600, 20)
    assert row.cost["carry"] == pytest.approx(10 * 0.0085)
    assert row.cost["stream"] == pytest.approx(0.004)


def test_a_relayed_call_pays_its_relay_and_neither_stream_nor_voice_nor_recogniser() -> None:
    desk = Desk()
    desk.turn(0, {"relay_s": 2.0})
    desk.turn(1, {"relay_s": 61.0, "prompt_tokens": 1_000, "completion_tokens": 100})
    row = desk.close(after_s=70.0)
    assert row.usage["call_s"] == 70.0
    assert row.usage["stream_s"] == 0.0
    assert set(row.cost) == {"think", "carry", "relay"}
    assert row.cost["relay"] == pytest.approx(2 * 0.07)


def test_a_relayed_call_that_was_lost_lasted_as_long_as_its_relay() -> None:
    desk = Desk()
    desk.turn(0, {"relay_s": 20.0})
    assert desk.close(after_s=70.0, planned=False).usage["call_s"] == 20.0


def test_what_has_no_price_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            call = replace(CALL, call_id=f"c{number}", agent_id="local")
            desk.turn(1, call=call)
            row = desk.close(call=call)
            assert "think" not in row.cost
    assert desk.counters(c.UNPRICED) == {
        ("prompt_tokens", "my-llama"): 3_000,
        ("completion_tokens", "my-llama"): 300,
    }
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert all("my-llama" in line and "CALLCLUSTER_PRICES_FILE" in line for line in said)


def test_reasons_that_are_no_words_do_not_become_labels() -> None:
    desk = Desk()
    for reason in ("stream_lost: closed with 1006", "+15550100", ""):
        desk.recorder.call_closed(CALL, planned=True, reason=reason, at_us=2_000_000)
    assert desk.counters(c.CALLS_ENDED) == {("stream_lost",): 1, ("other",): 2}


def test_calls_that_nobody_had_ended_are_counted_as_lost() -> None:
    desk = Desk()
    for number, planned in enumerate((True, False, True, False, True)):
        call = replace(CALL, call_id=f"c{number}")
        desk.recorder.call_closed(call, planned=planned, reason="over", at_us=2_000_000)
    assert desk.counters(c.CALLS_ENDED) == {("over",): 5}
    assert desk.counters(c.CALLS_LOST) == {(): 2}


def test_a_call_of_an_agent_that_is_gone_has_units_and_no_price() -> None:
    desk = Desk()
    call = replace(CALL, agent_id="gone")
    desk.turn(1, call=call)
    row = desk.close(call=call)
    assert row.usage["prompt_tokens"] == 1_000
    assert set(row.cost) == {"carry", "stream"}


def test_the_names_of_the_services() -> None:
    known = ProviderSettings()
    assert services_of(ANN, known, direction="inbound") == Services(
        "gpt-5.6-luna", "eleven_flash_v2_5", "azure"
    )
    known = ProviderSettings(
        openai=OpenAIConfig(endpoint=ChatEndpoint(model="gpt-6-sol")),
        elevenlabs=ElevenLabsConfig(model="eleven_v3"),
    )
    found = services_of(ANN, known, direction="outbound")
    assert (found.language_model, found.voice, found.direction) == (
        "gpt-6-sol",
        "eleven_v3",
        "outbound",
    )
    for speaker, voice in (("openai", "gpt-4o-mini-tts"), ("azure", "azure"), ("espeak", "espeak")):
        services = services_of(replace(ANN, speaker=speaker), known, direction="inbound")
        assert services.voice == voice
        assert voice in load_prices().voices
    keyless = replace(ANN, thinker="scripted", speaker="tone", recogniser="scripted")
    assert services_of(keyless, known, direction="inbound") == Services(
        "scripted", "tone", "scripted"
    )


STANDING_IN = replace(
    ANN, agent_id="chain", model="gpt-5.6-luna", then_thinkers=("openrouter", "azure_openai")
)


def test_tokens_of_a_stand_in_cost_what_its_own_model_costs() -> None:
    known = ProviderSettings(
        openrouter=OpenAIConfig(ChatEndpoint("openrouter", model="gpt-5.4-mini")),
        azure_openai=OpenAIConfig(ChatEndpoint("azure", model="my-deployment")),
    )
    services = services_of(STANDING_IN, known, direction="inbound")
    assert services.language_model == "gpt-5.6-luna"
    usage = {
        "prompt_tokens": 1_000.0,
        "prompt_tokens@openrouter": 2_000.0,
        "cached_tokens@openrouter": 1_000.0,
        "completion_tokens@openrouter": 100.0,
        "prompt_tokens@azure_openai": 10.0,
    }
    bill = bill_of(usage, services, load_prices())
    own, other = 1_000 * 0.20e-6, 1_000 * 0.75e-6 + 1_000 * 0.075e-6 + 100 * 4.50e-6
    assert bill.usd == {"think": pytest.approx(own + other)}
    assert bill.unpriced == (Unpriced("prompt_tokens", "my-deployment", 10.0),)


def test_one_model_under_two_names_is_told_to_the_metrics_as_one() -> None:
    model = services_of(ANN, ProviderSettings(), direction="inbound").language_model
    own = replace(ANN, agent_id="two", then_thinkers=("azure_openai",))
    known = ProviderSettings(azure_openai=OpenAIConfig(ChatEndpoint("azure", model=model)))
    ledger = MetricsLedger("b", 1)
    costs = CallCosts(ledger, load_prices(), {("t1", "two"): own}, known)
    call = replace(CALL, agent_id="two")
    usage = {"prompt_tokens": 10.0, "prompt_tokens@azure_openai": 5.0}
    costs.turn_settled(call, TurnEntry(1, "caller", usage=usage))
    costs.call_closed(call, planned=True, reason="caller_hung_up", duration_s=5.0)
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    assert merged.counters()[c.UNITS.name, ("prompt_tokens", model)] == 15


@pytest.mark.parametrize(
    ("thinker", "wanted"),
    [("azure_openai", "my-deployment"), ("openrouter", "m/x"), ("scripted", "scripted")],
)
def test_every_thinker_is_known_by_its_model(thinker: str, wanted: str) -> None:
    known = ProviderSettings(
        openrouter=OpenAIConfig(ChatEndpoint("openrouter", model="m/x")),
        azure_openai=OpenAIConfig(ChatEndpoint("azure", model="my-deployment")),
    )
    agent = replace(ANN, thinker=thinker)
    assert services_of(agent, known, direction="inbound").language_model == wanted


def test_checks_of_the_cache_are_billed_also_after_the_call_and_told_apart() -> None:
    desk = Desk()
    desk.turn(1)
    before = desk.close()
    units = {"prompt_tokens": 500.0, "completion_tokens": 10.0}
    told = {**units, **{f"checked_{unit}": amount for unit, amount in units.items()}}
    desk.recorder.units_used(CALL, told)
    after = desk.writer.calls[-1]
    assert after.usage["checked_prompt_tokens"] == 500
    assert after.usage["prompt_tokens"] == before.usage["prompt_tokens"] + 500
    more = after.cost_usd - before.cost_usd
    assert more > 0
    assert desk.counters(c.CHECKED_COST) == {("think", "t1", "ann"): pytest.approx(more)}
    assert sum(desk.counters(c.COST).values()) == pytest.approx(after.cost_usd)
    assert after.wasted_cost_usd == before.wasted_cost_usd


CHECKED = {
    "prompt_tokens": 500.0,
    "checked_prompt_tokens": 500.0,
    "completion_tokens": 10.0,
    "checked_completion_tokens": 10.0,
}
CHECK_USD = 500 * 0.20e-6 + 10 * 1.20e-6


def moved_on(desk: Desk, call: CallIdentity = CALL, *, checked: bool = True) -> None:
    """One call as the actor tells of it that loses it to another."""
    agent = AGENTS[call.tenant_id, call.agent_id]
    calls = MindCalls({(agent.tenant_id, agent.agent_id): agent}, desk.recorder, MindConfig())
    opening = OpenCall(call.tenant_id, call.agent_id, "v1", call.call_id, call.call_sid, call.epoch)
    assert calls.open(opening, now=0.0, at_us=1_000_000).refusal == ""
    held = calls.find(call.tenant_id, call.call_id, call.epoch, now=1.0)
    calls.settle(held, [TurnEntry(1, "caller", usage=dict(USAGE))])
    if checked:
        desk.recorder.units_used(call, CHECKED)
    leaving = CloseCall(call.tenant_id, call.call_id, call.epoch, False, MOVED_ON)
    calls.close(held, leaving, now=2.0, at_us=2_000_000)


def test_a_call_that_moved_leaves_nothing_behind_and_its_checks_are_counted_once() -> None:
    desk = Desk()
    rows = len(desk.writer.calls)
    moved_on(desk)
    assert not desk.costs._tallies
    assert desk.counters(c.CHECKED_COST) == {("think", "t1", "ann"): pytest.approx(CHECK_USD)}
    assert desk.counters(c.COST) == {("think", "t1", "ann"): pytest.approx(CHECK_USD)}, "no turn"
    assert desk.counters(c.CALLS_ENDED) == desk.counters(c.CALLS_LOST) == {}
    assert len(desk.writer.calls) == rows + 1, "that it was opened"


def test_a_check_that_ends_after_its_call_has_moved_is_counted() -> None:
    desk = Desk()
    moved_on(desk, checked=False)
    assert desk.counters(c.COST) == {}
    rows = len(desk.writer.calls)
    desk.recorder.units_used(CALL, CHECKED)
    assert desk.counters(c.CHECKED_COST) == {("think", "t1", "ann"): pytest.approx(CHECK_USD)}
    assert not desk.costs._tallies
    assert len(desk.writer.calls) == rows, "its record is another's"


def test_a_call_that_comes_back_to_an_actor_is_billed_there_with_its_checks_once() -> None:
    desk = Desk()
    moved_on(desk)
    desk.recorder.call_opened(replace(CALL, epoch=(0, 3)), at_us=1_000_000)
    desk.turn(1)
    desk.turn(2)
    row = desk.close()
    assert row.usage["prompt_tokens"] == 2_500
    assert sum(desk.counters(c.COST).values()) == pytest.approx(row.cost_usd)
    assert sum(desk.counters(c.CHECKED_COST).values()) == pytest.approx(CHECK_USD)


def test_calls_that_moved_are_remembered_for_a_while_only() -> None:
    desk = Desk()
    for number in range(600):
        moved_on(desk, replace(CALL, call_id=f"c{number}"))
    assert not desk.costs._tallies
    assert len(desk.costs._closed) == MAX_CLOSED
    counted = sum(desk.counters(c.CHECKED_COST).values())
    assert counted == pytest.approx(600 * CHECK_USD)


def test_the_record_names_several_ways_in_the_order_of_the_agent() -> None:
    desk, call = Desk(), replace(CALL, agent_id="moved")
    desk.recorder.call_opened(call, at_us=1_000_000)
    desk.turn(1, {"recognised_s": 10.0, "conversed_s": 5.0}, call)
    desk.turn(2, {"relay_s": 5.0}, call)
    assert desk.close(call=call).mode == "realtime,relay,pipeline"


@pytest.mark.parametrize(
    ("usages", "mode", "streamed_s"),
    [
        ([{"recognised_s": 20.0}], "pipeline", 20.0),
        ([{"relay_s": 20.0}], "relay", 0.0),
        ([{"conversed_s": 20.0, "realtime_audio_in": 200.0}], "realtime", 20.0),
        ([{"relay_s": 20.0}, {"recognised_s": 10.0}], "pipeline,relay", 10.0),
        ([{"conversed_s": 20.0}, {"recognised_s": 10.0}], "pipeline,realtime", 30.0),
        ([], "pipeline", 0.0),
    ],
)
def test_the_record_says_how_a_call_was_carried_and_bills_its_stream(
    usages: list[dict[str, float]], mode: str, streamed_s: float
) -> None:
    desk = Desk()
    desk.recorder.call_opened(CALL, at_us=1_000_000)
    assert desk.writer.calls[-1].mode == "pipeline"  # as its agent begins
    for number, usage in enumerate(usages):
        desk.turn(number, usage)
    row = desk.close()
    assert row.mode == mode
    assert row.usage["stream_s"] == streamed_s
    assert ("stream" in row.cost) is (streamed_s > 0)
