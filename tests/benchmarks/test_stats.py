from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.stats import Spread, fit_line, nearest_rank, spread

finite = st.floats(-1e6, 1e6, allow_nan=False)


def test_nothing_is_described_as_nothing() -> None:
    assert spread([]) == Spread()


def test_quantiles_are_values_that_occurred_in_milliseconds() -> None:
    found = spread([n / 1_000 for n in range(100, 0, -1)])
    assert found == Spread(100, 50.5, 50.0, 95.0, 99.0, 100.0)


def test_one_value_is_every_quantile() -> None:
    assert spread([0.012]) == Spread(1, 12.0, 12.0, 12.0, 12.0, 12.0)


@pytest.mark.parametrize(("q", "value"), [(0.01, 1), (0.5, 2), (0.51, 3), (0.75, 3), (1.0, 4)])
def test_nearest_rank(q: float, value: int) -> None:
    assert nearest_rank([1, 2, 3, 4], q) == value


@pytest.mark.parametrize(("values", "q"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_rank_that_cannot_be_is_refused(values: list[float], q: float) -> None:
    with pytest.raises(ValueError, match=r"no values|q must be"):
        nearest_rank(values, q)


@given(st.lists(finite, min_size=1), st.floats(0.001, 1.0))
@settings(max_examples=50)
def test_at_least_the_share_is_not_larger(values: list[float], q: float) -> None:
    value = nearest_rank(sorted(values), q)
    assert sum(other <= value for other in values) >= q * len(values) - 1e-9


def test_a_line_is_found_again() -> None:
    line = fit_line([(calls, 120.0 + 31.5 * calls) for calls in (1, 5, 10, 20, 25)])
    assert line is not None
    assert line.slope == pytest.approx(31.5)
    assert line.intercept == pytest.approx(120.0)
    assert line.r_squared == pytest.approx(1.0)
    assert line.n == 5


@pytest.mark.parametrize("points", [[], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 3.0)]])
def test_no_line_without_two_different_places(points: list[tuple[float, float]]) -> None:
    assert fit_line(points) is None


def test_points_at_one_height_lie_on_their_line() -> None:
    line = fit_line([(1.0, 7.0), (2.0, 7.0), (3.0, 7.0)])
    assert line is not None
    assert (line.slope, line.intercept, line.r_squared) == (0.0, 7.0, 1.0)


@given(
    st.lists(st.tuples(finite, finite), min_size=2, max_size=8, unique_by=lambda p: round(p[0], 1))
)
@settings(max_examples=50)
def test_the_line_leaves_no_slope_in_what_remains(points: list[tuple[float, float]]) -> None:
    """Least squares: residuals add up to nothing."""
    line = fit_line(points)
    if line is None:
        return
    residuals = [y - line.intercept - line.slope * x for x, y in points]
    scale = max(abs(y) for _, y in points) + abs(line.slope) * max(abs(x) for x, _ in points) + 1
    assert abs(sum(residuals)) <= 1e-6 * scale * len(points)
