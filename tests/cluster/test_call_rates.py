"""New calls a second, by number and by account: bursts come in, floods do not."""

from __future__ import annotations

import asyncio

import pytest

from cluster import call_rates
from cluster.call_rates import BURST_S, CallRates
from cluster.voice_routes import BUSY
from tests.cluster.test_edge_slots import ask

OURS, THEIRS, ACCOUNT = "+14155550100", "+14155550101", "AC1"


def taken(rates: CallRates, calls: int, *, now: float, number: str = OURS) -> int:
    return sum(not rates.refusal(number, ACCOUNT, now=now) for _ in range(calls))


def test_a_burst_comes_in_and_then_so_many_a_second() -> None:
    rates = CallRates(per_number=5, per_account=0)
    assert taken(rates, 100, now=10.0) == 5 * BURST_S
    assert taken(rates, 100, now=11.0) == 5
    assert taken(rates, 100, now=10.5) == 0, "a clock that goes back fills nothing"
    assert taken(rates, 1_000, now=1_000.0) == 5 * BURST_S, "and no more is saved up"


def test_another_number_is_not_touched_but_shares_the_account() -> None:
    rates = CallRates(per_number=1, per_account=1.5)
    assert taken(rates, 100, now=0.0) == 4
    assert rates.refusal(OURS, ACCOUNT, now=0.0) == "number_rate"
    assert taken(rates, 100, now=0.0, number=THEIRS) == 2
    assert rates.refusal(THEIRS, ACCOUNT, now=0.0) == "account_rate"
    assert rates.refusal(THEIRS, "AC2", now=0.0) == ""


def test_what_one_bucket_refuses_the_other_does_not_pay_for() -> None:
    rates = CallRates(per_number=1, per_account=1.5)
    taken(rates, 1_000, now=0.0)
    assert taken(rates, 10, now=0.0, number=THEIRS) == 2


def test_a_rate_below_one_call_a_second_lets_one_in() -> None:
    rates = CallRates(per_number=0.1, per_account=0)
    assert taken(rates, 5, now=0.0) == 1
    assert taken(rates, 5, now=9.9) == 0
    assert taken(rates, 5, now=10.1) == 1


def test_zero_is_no_limit() -> None:
    assert taken(CallRates(0, 0), 5_000, now=0.0) == 5_000


def test_the_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_rates, "MOST_BUCKETS", 3)
    rates = CallRates(per_number=1, per_account=0)
    for number in range(10):
        rates.refusal(str(number), ACCOUNT, now=0.0)
    assert len(rates._numbers._levels) == 3


def test_a_flood_hears_the_busy_tone_and_other_numbers_are_answered() -> None:
    form = {"To": OURS, "AccountSid": ACCOUNT}
    posts = [{**form, "CallSid": f"CA{n}"} for n in range(12)]
    posts += [{**posts[0]}, {**form, "CallSid": "CB", "To": THEIRS}]
    said, edge = asyncio.run(ask(posts, slots=50, calls_per_number_s=2.0))
    assert ["<Stream" in text for text in said[:12]].count(True) == 2 * BURST_S
    assert 'reason="busy"' in said[11]
    assert BUSY not in said[11], "nobody pays for it"
    assert said[12] == said[0], "a repeated webhook is no new call"
    assert "<Stream" in said[13]
    assert edge.parts.counters["calls_refused_number_rate"] == 12 - 2 * BURST_S
