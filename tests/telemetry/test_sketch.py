from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.errors import SnapshotInvalid
from telemetry.sketch import RELATIVE_ERROR_RATIO, SMALLEST, QuantileSketch

VALUES = st.lists(
    st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) > 1e-6), min_size=1, max_size=30
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)


def filled(values: list[float]) -> QuantileSketch:
    sketch = QuantileSketch()
    for value in values:
        sketch.add(value)
    return sketch


def assert_accurate(sketch: QuantileSketch, values: list[float]) -> None:
    ordered = sorted(values)
    for share in (0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0):
        rank = share * (len(ordered) - 1)
        low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
        found = sketch.quantile(share)
        assert found is not None
        slack = RELATIVE_ERROR_RATIO * 1.000_001
        assert low - slack * abs(low) <= found <= high + slack * abs(high)


@settings(max_examples=25)
@given(VALUES)
def test_every_quantile_is_within_one_percent(values: list[float]) -> None:
    sketch = filled(values)
    assert sketch.count == len(values)
    assert sketch.total == pytest.approx(sum(values))
    assert_accurate(sketch, values)


@settings(max_examples=25)
@given(VALUES, VALUES)
def test_merging_equals_measuring_in_one_place(ours: list[float], theirs: list[float]) -> None:
    sketch, other = filled(ours), filled(theirs)
    before = other.to_plain()
    sketch.merge(other)
    assert_accurate(sketch, ours + theirs)
    assert sketch.to_plain()["positive"] == filled(ours + theirs).to_plain()["positive"]
    assert other.to_plain() == before


@settings(max_examples=25)
@given(VALUES)
def test_survives_json(values: list[float]) -> None:
    sketch = filled(values)
    again = QuantileSketch.from_plain(json.loads(json.dumps(sketch.to_plain())))
    assert again.to_plain() == sketch.to_plain()
    assert_accurate(again, values)


def test_stays_accurate_on_latencies_of_many_sizes() -> None:
    values = np.random.default_rng(1).lognormal(-1, 2, 5_000).tolist()
    sketch = filled(values)
    assert_accurate(sketch, values)
    assert len(json.dumps(sketch.to_plain())) < 12_000


def test_an_empty_sketch_has_no_quantile_and_merges_as_nothing() -> None:
    sketch = QuantileSketch()
    assert (sketch.quantile(0.5), sketch.count) == (None, 0)
    sketch.merge(QuantileSketch.from_plain(QuantileSketch().to_plain()))
    sketch.merge(filled([2.0]))
    assert (sketch.minimum, sketch.maximum) == (2.0, 2.0)


def test_a_wild_value_does_not_grow_the_sketch() -> None:
    """Cells are bounded: the smallest collapse, the quantiles that matter stay."""
    sketch = filled([SMALLEST * 2, 0.5, 1e300])
    assert sketch.count == 3
    assert len(sketch.to_plain()["positive"]) <= 6
    assert sketch.quantile(1.0) == pytest.approx(1e300, rel=RELATIVE_ERROR_RATIO)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e301])
def test_refuses_what_is_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        QuantileSketch().add(value)


@settings(max_examples=25)
@given(JSON, st.sampled_from(["positive", "negative", "zeros", "sum", "min", "max", "error"]))
def test_any_input_is_read_or_refused(value: object, field: str) -> None:
    plain = filled([1.0, -1.0, 0.0]).to_plain()
    plain[field] = value
    for candidate in (value, plain):
        try:
            QuantileSketch.from_plain(candidate).quantile(0.5)
        except SnapshotInvalid:
            continue
