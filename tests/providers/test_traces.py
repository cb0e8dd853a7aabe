"""What foreign exceptions say stays out of logs."""

from __future__ import annotations

import logging

import pytest

from actors.recogniser_words import reason_of
from providers.traces import place_of, trace_of

SECRET = "key=topsecret; caller said: my number is four"


def raised() -> Exception:
    try:
        raise RuntimeError(SECRET)
    except RuntimeError as error:
        return error


def test_kind_and_place_are_told_and_nothing_else() -> None:
    for told in (place_of(raised()), trace_of(raised())):
        assert told.startswith("RuntimeError")
        assert "test_traces.py" in told
        assert SECRET not in told
    assert place_of(ValueError(SECRET)) == "ValueError"


def test_a_recogniser_that_breaks_is_told_of_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert reason_of(raised()) == ("broke: RuntimeError", True)
    assert "topsecret" not in caplog.text
    assert "RuntimeError" in caplog.text
