"""What foreign exceptions say stays out of logs."""

from __future__ import annotations

import logging

import pytest

from actors.recogniser_words import reason_of
from providers.errors import ProviderError
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


def test_what_it_was_raised_from_comes_first_and_is_not_quoted_either() -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise RuntimeError(SECRET) from cause
    except RuntimeError as error:
        told = trace_of(error)
    assert told.index("KeyError") < told.index("then RuntimeError")
    assert SECRET not in told


def test_an_exception_that_is_its_own_cause_is_told_once() -> None:
    error = raised()
    error.__context__ = other = ValueError(SECRET)
    other.__context__ = error
    assert trace_of(error).count("then ") == 1


def test_an_error_of_ours_is_written_to_be_read() -> None:
    assert trace_of(ProviderError("set OPENAI_API_KEY", "openai")).startswith("ProviderError: ")
    assert "set OPENAI_API_KEY" in trace_of(ProviderError("set OPENAI_API_KEY", "openai"))


def test_a_recogniser_that_breaks_is_told_of_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert reason_of(raised()) == ("broke: RuntimeError", True)
    assert "topsecret" not in caplog.text
    assert "RuntimeError" in caplog.text
