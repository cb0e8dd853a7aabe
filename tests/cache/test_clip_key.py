from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.clip_key import ClipSpec, clip_key

SPEC = ClipSpec("acme", "elevenlabs", "flash", "rachel", "en-US", "Hello.")
SPECS = st.builds(ClipSpec, *[st.text("ab", max_size=2)] * 7)


def test_is_the_same_in_every_process() -> None:
    assert clip_key(SPEC).hex() == "8086bb80890ee0856ed6cfe97d4ec5f7"


@pytest.mark.parametrize("field", [field.name for field in fields(ClipSpec)])
def test_every_field_counts(field: str) -> None:
    assert clip_key(replace(SPEC, **{field: "other"})) != clip_key(SPEC)


@settings(max_examples=25)
@given(SPECS, SPECS)
def test_different_specs_never_run_together(one: ClipSpec, other: ClipSpec) -> None:
    assert (clip_key(one) == clip_key(other)) == (one == other)


def test_takes_any_text() -> None:
    assert len(clip_key(replace(SPEC, text="\ud800 早晨"))) == 16
