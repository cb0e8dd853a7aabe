from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.deepgram_flux_settings import (
    FluxSettings,
    settings_of_configure,
    settings_of_query,
    thresholds_of,
)
from simulation.errors import WireViolation

RAW = (("model", "flux-general-en"), ("encoding", "mulaw"), ("sample_rate", "8000"))
MULTI = FluxSettings(model="flux-general-multi")


def test_the_query_of_a_telephone_call() -> None:
    more = (("eager_eot_threshold", "0.4"), ("keyterm", "Ray"), ("keyterm", "customer service"))
    assert settings_of_query(RAW + more) == FluxSettings(
        eager_eot_threshold=0.4, keyterms=("Ray", "customer service")
    )


def test_hints_bias_the_multilingual_model_and_exclude_nothing() -> None:
    fields = (("model", "flux-general-multi"), ("language_hint", "en"), ("language_hint", "pt-BR"))
    settings = settings_of_query(fields)
    assert settings.hints == ("en", "pt-BR")
    assert "de" in settings.languages
    assert settings_of_query(RAW).languages == ("en",)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"model": "nova-3"}, "model must be one of"),
        ({"model": ""}, "model must be one of"),
        ({"language_hint": "en"}, "language_hint is not supported for model flux-general-en"),
        ({"model": "flux-general-multi", "language_hint": "zh-HK"}, "unsupported language"),
        ({"model": "flux-general-multi", "language_hint": ""}, "unsupported language"),
        ({"encoding": "g729"}, "encoding must be one of"),
        ({"encoding": "opus"}, "this emulator listens to"),
        ({"sample_rate": "16000"}, "this emulator listens to"),
        ({"sample_rate": "7000"}, "sample_rate must be one of"),
        ({"eot_threshold": "0.4"}, "between 0.5 and 1"),
        ({"eot_threshold": "x"}, "must be a number"),
        ({"eager_eot_threshold": "0.95"}, "between 0.3 and 0.9"),
        ({"eager_eot_threshold": "0.8"}, "less than or equal to eot_threshold"),
        ({"eot_timeout_ms": "499"}, "between 500 and 60000"),
        ({"keyterm": ""}, "1 to 100 characters"),
        ({"keyterm": "x" * 101}, "1 to 100 characters"),
    ],
)
def test_what_the_service_refuses(fields: dict[str, str], says: str) -> None:
    with pytest.raises(WireViolation, match=says):
        settings_of_query(tuple((dict(RAW) | fields).items()))


def test_more_keyterms_than_it_takes() -> None:
    with pytest.raises(WireViolation, match="more than 100"):
        settings_of_query(RAW + tuple(("keyterm", f"t{n}") for n in range(101)))


def test_configure_changes_what_it_names() -> None:
    before = FluxSettings(keyterms=("Ray",))
    after = settings_of_configure(before, {"thresholds": {"eot_threshold": 0.8}})
    assert after == FluxSettings(eot_threshold=0.8, keyterms=("Ray",))
    assert thresholds_of(after) == {"eot_threshold": 0.8, "eot_timeout_ms": 5_000}
    assert settings_of_configure(after, {"keyterms": []}).keyterms == ()
    assert settings_of_configure(MULTI, {"language_hints": ["es"]}).hints == ("es",)
    assert settings_of_configure(MULTI, {"language_hints": None}).hints == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["eot_threshold", "eager_eot_threshold", "eot_timeout_ms"]), inner
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["thresholds", "keyterms", "language_hints"]), JSON))
def test_odd_messages_change_nothing_or_something_that_is_allowed(body: dict[str, object]) -> None:
    try:
        after = settings_of_configure(MULTI, body)
    except WireViolation:
        return
    assert 0.5 <= after.eot_threshold <= 1.0
    assert 500 <= after.eot_timeout_ms <= 60_000
