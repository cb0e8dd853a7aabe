"""What errors say of a unit, how long to wait, and what a unit is called."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.health.deadline import LIMITS, Quantiles, probe_limit_s, timing
from providers.health.errors import UnitKeyInvalid
from providers.health.signals import WEIGHTS, Sign, signal_of_error
from providers.health.unit import OPERATIONS, Operation, Unit, credential_label, unit_of_key


@pytest.mark.parametrize(
    ("error", "sign", "weight"),
    [
        (ProviderUnavailable(), Sign.UNAVAILABLE, "bad"),
        (ProviderTimeout(), Sign.LATE, "bad"),
        (ProviderProtocolError(), Sign.GARBAGE, "bad"),
        (ProviderBusy(retry_after_s=7.0), Sign.BUSY, "shut"),
        (ProviderBusy(), Sign.BUSY, "shut"),
        (ProviderBusy("full", "x", "X_STREAMS"), Sign.NO_PLACE, "nothing"),  # our own limit
        (ProviderUnavailable(retry_after_s=3.0), Sign.BUSY, "shut"),  # a 503 with Retry-After
        (ProviderRefused(), Sign.REFUSED, "shut"),
        (ProviderRejected(), Sign.OUR_MISTAKE, "alarm"),
    ],
)
def test_what_an_error_says(error: ProviderError, sign: Sign, weight: str) -> None:
    signal = signal_of_error(error)
    assert (signal.sign, signal.weight) == (sign, weight)
    assert signal.retry_after_s == error.retry_after_s


@pytest.mark.parametrize("sign", ["abandoned", "tool_only", "filtered", "outrun", "stale_socket"])
def test_what_is_no_failure(sign: str) -> None:
    assert WEIGHTS[Sign(sign)] == "nothing"


def test_every_sign_has_a_weight() -> None:
    assert set(WEIGHTS) == set(Sign)


positive = st.floats(0.001, 30.0)


@given(st.sampled_from(OPERATIONS), st.tuples(positive, positive, positive), st.booleans())
def test_a_hedge_comes_before_silence_and_silence_before_the_deadline(
    operation: Operation, values: tuple[float, float, float], suspect: bool
) -> None:
    limits = LIMITS[operation]
    known = Quantiles(*sorted(values))
    found = timing(operation, known, suspect=suspect)
    assert limits.shortest_s <= found.deadline_s <= limits.longest_s
    assert limits.shortest_s / 4 <= found.silent_after_s <= found.deadline_s
    if found.hedge_after_s is not None:
        assert limits.shortest_s / 4 <= found.hedge_after_s <= found.silent_after_s
    assert (found.hedge_after_s is not None) == limits.hedged
    last = timing(operation, known, suspect=suspect, last=True)
    assert last.hedge_after_s is None
    assert last.deadline_s == pytest.approx(1.5 * found.deadline_s)
    assert 0 < probe_limit_s(operation, known) <= found.deadline_s


def test_suspicion_hedges_earlier() -> None:
    known = Quantiles(0.3, 0.5, 0.7)
    assert timing("llm.ttft", known, suspect=False).hedge_after_s == 0.7
    assert timing("llm.ttft", known, suspect=True).hedge_after_s == 0.5


def test_a_probe_six_times_slower_than_usual_is_no_good_one() -> None:
    usual = Quantiles(0.2, 0.3, 0.4)
    assert 0.4 <= probe_limit_s("llm.ttft", usual) < 6 * 0.2
    assert probe_limit_s("llm.ttft", None) < 6 * LIMITS["llm.ttft"].prior.p50_s


text = st.text(max_size=12)


@given(st.builds(Unit, text, st.sampled_from(get_args(Operation)), text, text, text))
def test_a_key_names_its_unit(unit: Unit) -> None:
    assert unit_of_key(unit.key) == unit


@pytest.mark.parametrize("key", ["", "a/b", "a/llm.ttft/b/c", "a/nothing/b/c/d", "a/b/c/d/e/f"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(UnitKeyInvalid):
        unit_of_key(key)


def test_a_credential_is_told_apart_and_not_told() -> None:
    assert credential_label("sk-one") != credential_label("sk-two")
    assert "sk" not in credential_label("sk-one")
    assert credential_label("") == ""
