"""Optional fields go only to models that are known to take them."""

from __future__ import annotations

from datetime import date

import pytest

from providers.models import CHAT_MODELS, DEFAULT_CHAT_MODEL, chat_model

WISHED = {"reasoning_effort": "none", "service_tier": "fast", "verbosity": "low"}


def test_the_default_is_in_the_table_and_not_retired() -> None:
    assert CHAT_MODELS[DEFAULT_CHAT_MODEL].retires_on is None


def test_the_default_is_told_not_to_reason() -> None:
    fields = chat_model(DEFAULT_CHAT_MODEL).optional_fields(**WISHED)
    assert fields["reasoning_effort"] == "none"
    assert fields["service_tier"] == "fast"
    assert fields["stream_options"] == {"include_usage": True, "include_obfuscation": False}


@pytest.mark.parametrize("name", ["my-deployment", "meta-llama/some-model", ""])
def test_an_unknown_model_gets_no_optional_field(name: str) -> None:
    assert chat_model(name).optional_fields(**WISHED) == {}
    assert chat_model(name).completion_tokens_field == "max_tokens"


def test_retirement_dates_are_dates() -> None:
    assert chat_model("gpt-4o").retires_on == date(2027, 1, 14)
    assert all(name == row.name for name, row in CHAT_MODELS.items())
