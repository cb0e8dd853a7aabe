"""The 20 ms clock."""

from __future__ import annotations

import asyncio

import pytest

from simulation.carrier_ticker import Lateness, Ticker
from tests.support.virtual_time import run


def test_ticks_are_20_ms_apart_and_do_not_drift() -> None:
    async def whole() -> list[float]:
        ticker, dues = Ticker(), list[float]()

        def tick(due_s: float, now: float) -> None:
            dues.append(due_s)

        ticker.add(tick)
        await asyncio.sleep(10.0)
        ticker.remove(tick)
        await asyncio.sleep(1.0)
        return dues

    dues = run(whole())
    assert len(dues) == pytest.approx(500, abs=1)
    assert dues[-1] - dues[0] == pytest.approx(0.02 * (len(dues) - 1))


def test_calls_are_spread_over_the_20_ms() -> None:
    async def whole() -> set[int]:
        ticker, phases = Ticker(slots=4), dict[int, float]()
        for call in range(8):
            ticker.add(lambda due_s, now, call=call: phases.__setitem__(call, due_s))
        await asyncio.sleep(0.1)
        return {round(due_s * 1_000) % 20 for due_s in phases.values()}

    assert run(whole()) == {0, 5, 10, 15}


def test_a_tick_may_remove_itself_and_others() -> None:
    async def whole() -> list[str]:
        ticker, seen = Ticker(slots=1), list[str]()

        def first(due_s: float, now: float) -> None:
            seen.append("first")
            ticker.remove(first)
            ticker.remove(second)

        def second(due_s: float, now: float) -> None:
            seen.append("second")

        ticker.add(first)
        ticker.add(second)
        await asyncio.sleep(0.1)
        return seen

    assert run(whole())[0] == "first"


def test_a_call_that_comes_late_is_not_owed_the_past() -> None:
    async def whole() -> tuple[float, float]:
        ticker = Ticker()
        await asyncio.sleep(5.0)
        added_s, dues = asyncio.get_running_loop().time(), list[float]()
        ticker.add(lambda due_s, now: dues.append(due_s))
        await asyncio.sleep(0.05)
        return added_s, dues[0]

    added_s, first_s = run(whole())
    assert added_s - 1e-9 <= first_s <= added_s + 0.021


def test_lateness_quantiles() -> None:
    lateness = Lateness()
    for n in range(100):
        lateness.add(n / 1_000)
    assert lateness.quantile_s(0.5) == pytest.approx(0.049, abs=0.0001)
    assert lateness.quantile_s(0.99) == pytest.approx(0.098, abs=0.0001)
    assert lateness.quantile_s(1.0) == lateness.max_s == 0.099
    assert lateness.mean_s == pytest.approx(0.0495)


def test_lateness_beyond_every_bin_is_the_maximum() -> None:
    lateness = Lateness()
    lateness.add(3.0)
    assert lateness.quantile_s(0.5) == 3.0


def test_no_lateness_is_zero() -> None:
    assert Lateness().quantile_s(0.99) == 0.0
