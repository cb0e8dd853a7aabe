"""The bucket of seconds by tables, and its one promise by examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.local.processor_share import ProcessorShare


def test_a_burst_is_free_and_then_the_share_holds() -> None:
    share = ProcessorShare(0.5, burst_s=0.2)
    assert share.may_begin(now=10.0)
    share.took(0.3)  # one piece may overdraw it
    assert not share.may_begin(now=10.0)
    assert not share.may_begin(now=10.2)
    assert share.may_begin(now=10.3)


def test_time_without_work_fills_no_more_than_the_burst() -> None:
    share = ProcessorShare(1.0, burst_s=0.2)
    assert share.may_begin(now=0.0)
    assert share.may_begin(now=1_000.0)
    share.took(0.2)
    assert not share.may_begin(now=1_000.0)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    share = ProcessorShare(1.0, burst_s=0.2)
    assert share.may_begin(now=5.0)
    assert share.may_begin(now=4.0)


@given(
    st.floats(0.05, 2.0),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 0.3)), max_size=60),
)
def test_no_more_is_begun_than_the_share_allows(
    share: float, steps: list[tuple[float, float]]
) -> None:
    bucket, now, used = ProcessorShare(share, burst_s=0.5), 0.0, 0.0
    for wait_s, work_s in steps:
        now += wait_s
        if bucket.may_begin(now=now):
            bucket.took(work_s)
            used += work_s
    assert used <= 0.5 + share * now + 0.3 + 1e-9  # the burst, the share, one piece overdrawn


@pytest.mark.parametrize(("share", "burst_s"), [(0.0, 0.5), (-1.0, 0.5), (0.5, 0.0)])
def test_nothing_at_all_is_no_share(share: float, burst_s: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ProcessorShare(share, burst_s)
