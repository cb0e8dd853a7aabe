from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.cost import Services, Unpriced, bill_of, item_of
from telemetry.prices import load_prices

PRICES = load_prices()
SERVICES = Services("gpt-5.6-luna", "eleven_flash_v2_5", "azure")
UNITS = (
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "spoken_chars",
    "recognised_s",
    "call_s",
    "stream_s",
    "relay_s",
    "recording_s",
    "detections",
)


def test_a_call_by_hand() -> None:
    usage = {
        "prompt_tokens": 10_000,
        "cached_tokens": 4_000,
        "completion_tokens": 1_000,
        "spoken_chars": 1_800,
        "recognised_s": 90,
        "call_s": 121.0,
        "stream_s": 90,
        "relay_s": 30,
        "recording_s": 119.5,
        "detections": 1,
    }
    bill = bill_of(usage, replace(SERVICES, direction="outbound"), PRICES)
    assert bill.usd == pytest.approx(
        {
            "think": 6_000 * 0.20e-6 + 4_000 * 0.02e-6 + 1_000 * 1.20e-6,
            "speak": 1.8 * 0.05,
            "hear": 1.5 * 0.016667,
            "carry": 3 * 0.014,
            "stream": 2 * 0.004,
            "relay": 0.07,
            "record": 2 * 0.0025,
            "detect": 0.0075,
        }
    )
    assert bill.total_usd == pytest.approx(sum(bill.usd.values()))
    assert bill.unpriced == ()


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, 0), (0.02, 1), (60, 1), (60.0004, 1), (61, 2)]
)
def test_minutes_begun_are_billed(seconds: float, minutes: int) -> None:
    bill = bill_of({"call_s": seconds}, SERVICES, PRICES)
    assert bill.usd.get("carry", 0.0) == pytest.approx(minutes * 0.0085)


def test_what_has_no_price_is_listed_and_not_guessed() -> None:
    usage = dict.fromkeys(UNITS, 10.0)
    bill = bill_of(usage, Services("llama", "robot", "whisper", "pigeon"), PRICES)
    assert bill.usd == {}
    assert set(bill.unpriced) == {
        Unpriced("prompt_tokens", "llama", 10),
        Unpriced("completion_tokens", "llama", 10),
        Unpriced("spoken_chars", "robot", 10),
        Unpriced("recognised_s", "whisper", 10),
        Unpriced("call_s", "pigeon", 10),
        Unpriced("stream_s", "pigeon", 10),
        Unpriced("relay_s", "pigeon", 10),
        Unpriced("recording_s", "pigeon", 10),
        Unpriced("detections", "pigeon", 10),
    }


def test_nothing_used_costs_nothing_and_misses_no_price() -> None:
    bill = bill_of({"new_unit": 5.0}, Services("llama", "robot", "whisper"), PRICES)
    assert (bill.usd, bill.unpriced, bill.total_usd) == ({}, (), 0.0)


def test_a_service_that_is_ours_costs_nothing_but_is_known() -> None:
    bill = bill_of(
        {"prompt_tokens": 9, "spoken_chars": 9}, Services("scripted", "tone", ""), PRICES
    )
    assert bill.usd == {"think": 0.0, "speak": 0.0}
    assert bill.unpriced == ()


@given(st.dictionaries(st.sampled_from(UNITS), st.floats(0, 1e7)))
def test_more_never_costs_less_and_cached_tokens_never_more_than_whole_ones(
    usage: dict[str, float],
) -> None:
    total = bill_of(usage, SERVICES, PRICES).total_usd
    assert total >= 0
    without_cache = {unit: n for unit, n in usage.items() if unit != "cached_tokens"}
    assert total <= bill_of(without_cache, SERVICES, PRICES).total_usd + 1e-9


def test_each_unit_belongs_to_a_service() -> None:
    assert [item_of(unit, SERVICES) for unit in UNITS] == [
        *["gpt-5.6-luna"] * 3,
        "eleven_flash_v2_5",
        "azure",
        *["twilio"] * 5,
    ]


def test_a_model_that_hears_and_speaks_is_paid_by_the_token_of_each_kind() -> None:
    usage = {
        "realtime_text_in": 1_000.0,
        "realtime_text_cached": 2_000.0,
        "realtime_text_out": 100.0,
        "realtime_audio_in": 300.0,
        "realtime_audio_cached": 400.0,
        "realtime_audio_out": 500.0,
        "transcribed_s": 30.0,
    }
    services = replace(
        SERVICES, realtime_model="gpt-realtime-2.1", transcriber="gpt-realtime-whisper"
    )
    bill = bill_of(usage, services, PRICES)
    assert bill.usd == pytest.approx(
        {
            "converse": (4_000 + 800 + 2_400 + 9_600 + 160 + 32_000) * 1e-6,
            "hear": 0.5 * 0.017,
        }
    )
    assert item_of("realtime_audio_out", services) == "gpt-realtime-2.1"
    assert item_of("transcribed_tokens", services) == "gpt-realtime-whisper"
    unknown = bill_of(usage, SERVICES, PRICES)
    assert {line.unit for line in unknown.unpriced} == set(usage)
