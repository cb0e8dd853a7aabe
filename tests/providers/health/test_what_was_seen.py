"""Evidence, latencies and reports: lost, late and doubled ones change nothing."""

from __future__ import annotations

import contextlib
import json
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.health.errors import HealthDataInvalid
from providers.health.evidence import RUN_WINDOW_S, WINDOW_S, Evidence, Sighting, Window
from providers.health.latency import FadingLatency, merged_quantiles
from providers.health.reports import LatencyView, Report, report_of
from tests.providers.health.clockwork import START_S, UNIT


def test_a_run_ends_with_anybody_s_good_one() -> None:
    together, ann, bob = Evidence(), Window(), Window()
    for step in range(3):
        ann.bad(now=START_S + step)
    together.put("ann", ann.sighting(1))
    assert together.recent(now=START_S + 3).run == 3
    bob.good(now=START_S + 1.5)
    together.put("bob", bob.sighting(1))
    assert together.recent(now=START_S + 3).run == 1


def test_what_was_before_the_last_closing_counts_no_more() -> None:
    window = Window()
    for step in range(8):
        window.bad(now=START_S + step / 10)
    assert window.recent(now=START_S + 1).run == 8
    assert window.recent(now=START_S + 5, since_s=START_S + 2).run == 0
    assert window.recent(now=START_S + 5, since_s=START_S + 2).bad == 0


def test_the_window_forgets() -> None:
    window = Window()
    window.bad(now=START_S)
    window.good(now=START_S + WINDOW_S + 1)
    assert window.recent(now=START_S + WINDOW_S + 1).bad == 0


def test_four_failures_in_a_row_are_a_run_however_few_calls_there_are() -> None:
    window = Window()
    for step in range(4):
        window.bad(now=START_S + 15 * step)
    assert window.recent(now=START_S + 45).run == 4
    assert window.recent(now=START_S + 45 + RUN_WINDOW_S).run == 0


def test_what_is_recent_weighs_more() -> None:
    window = Window()
    for _ in range(10):
        window.good(now=START_S)
        window.bad(now=START_S + 6)
    assert window.recent(now=START_S + 6).fading_share > 0.85


steps = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=30)


@given(steps, st.randoms(use_true_random=False))
def test_sightings_may_come_late_doubled_and_in_any_order(
    seen: list[tuple[int, bool]], rng: random.Random
) -> None:
    windows = [Window() for _ in range(3)]
    told: list[tuple[str, Sighting]] = []
    for number, (who, good) in enumerate(seen, start=1):
        now = START_S + number * 0.2
        if good:
            windows[who].good(now=now)
        else:
            windows[who].bad(now=now)
        told.append((f"w{who}", windows[who].sighting(number)))
    in_order, shuffled = Evidence(), Evidence()
    for name, sighting in told:
        in_order.put(name, sighting)
    rng.shuffle(told)
    for name, sighting in told + told[:3]:
        shuffled.put(name, sighting)
    other = Evidence()
    other.merge(shuffled)
    expected = in_order.recent(now=START_S + 7)
    for found in (shuffled.recent(now=START_S + 7), other.recent(now=START_S + 7)):
        assert found.fading_share == pytest.approx(expected.fading_share)
        assert replace(found, fading_share=0.0) == replace(expected, fading_share=0.0)


def test_who_is_gone_counts_no_more() -> None:
    together, ann = Evidence(), Window()
    ann.bad(now=START_S)
    together.put("ann", ann.sighting(1))
    together.forget("ann")
    recent = together.recent(now=START_S)
    assert (recent.bad, recent.run) == (0, 0)


def test_quantiles_are_within_a_bin() -> None:
    latency, rng = FadingLatency(), random.Random(5)
    values = sorted(rng.lognormvariate(math.log(0.2), 0.3) for _ in range(5_000))
    for value in rng.sample(values, len(values)):
        latency.add(value, now=START_S)
    found = latency.quantiles(0.5, 0.95, 0.99, now=START_S)
    assert found is not None
    for share, value in zip((0.5, 0.95, 0.99), found, strict=True):
        assert value == pytest.approx(values[int(share * len(values)) - 1], rel=0.03)


def test_too_few_are_no_quantile_and_old_ones_fade() -> None:
    latency = FadingLatency(half_life_s=10.0)
    for _ in range(29):
        latency.add(0.2, now=START_S)
    assert latency.quantiles(0.5, now=START_S) is None
    for _ in range(100):
        latency.add(0.2, now=START_S)
    assert latency.quantiles(0.5, now=START_S) is not None
    assert latency.quantiles(0.5, now=START_S + 60) is None
    for _ in range(60):
        latency.add(2.0, now=START_S + 5_000)  # after a rebase
    found = latency.quantiles(0.5, now=START_S + 5_000)
    assert found is not None
    assert found[0] == pytest.approx(2.0, rel=0.03)


def test_nonsense_is_not_measured() -> None:
    latency = FadingLatency()
    for value in (math.nan, -1.0):
        latency.add(value, now=START_S)
    assert latency.count(now=START_S) == 0


def test_quantiles_of_all_reporters() -> None:
    quick, slow = FadingLatency(), FadingLatency()
    for _ in range(60):
        quick.add(0.1, now=START_S)
        slow.add(1.0, now=START_S)
    views = {
        "a": (START_S, quick.bins(now=START_S)),
        "b": (START_S, slow.bins(now=START_S)),
    }
    found = merged_quantiles(views, 0.25, 0.75, now=START_S + 1)
    assert found == pytest.approx((0.1, 1.0), rel=0.03)


def test_a_report_survives_json() -> None:
    window = Window()
    window.bad(now=START_S + 0.25)
    window.shut(START_S + 9)
    view = LatencyView(3, START_S, ((100, 2.5),))
    report = Report("w1", {UNIT: window.sighting(4)}, {UNIT: view})
    assert report_of(json.loads(json.dumps(report.to_plain()))) == report


def test_fields_of_a_later_version_are_ignored() -> None:
    plain = Report("w1").to_plain()
    assert report_of({**plain, "v": 2, "mood": "fine"}) == Report("w1")


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {},
        {"reporter": 3},
        {"reporter": "a", "seen": []},
        {"reporter": "a", "seen": {"u": []}},
        {"reporter": "a", "seen": {"u": [1, [[1, 2]], None, [], None]}},
        {"reporter": "a", "seen": {"u": [1, [], None, ["x"], None]}},
        {"reporter": "a", "seen": {"u": [-1, [], None, [], None]}},
        {"reporter": "a", "latency": {"u": [1, float("nan"), []]}},
        {"reporter": "a", "latency": {"u": [1, 2.0, [[1]]]}},
        {"reporter": "a", "seen": {str(n): [] for n in range(3_000)}},
    ],
)
def test_what_is_no_report(plain: object) -> None:
    with pytest.raises(HealthDataInvalid):
        report_of(plain)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"reporter": st.text(), "seen": json_like, "latency": json_like}))
def test_a_report_is_read_or_refused(plain: dict[str, object]) -> None:
    with contextlib.suppress(HealthDataInvalid):
        assert report_of(plain).reporter == plain["reporter"]
