from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import json_fields
from telephony.errors import (
    BinaryFrame,
    InvalidField,
    MalformedMessage,
    MessageTooLarge,
    MissingField,
    NotJson,
)
from tests.telephony.properties import examples


def test_reads_an_object() -> None:
    assert json_fields.read_object(' {"a": 1} ') == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nope",
        "{'a': 1}",
        '{"a": 1} x',
        "\ufeff{}",
        "[" * 60_000,
        '{"n":' + "9" * 5000 + "}",
    ],
    ids=["empty", "open", "word", "quotes", "tail", "bom", "deep", "long number"],
)
def test_refuses_what_is_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        json_fields.read_object(text)


@pytest.mark.parametrize("text", ["[]", "1", '"media"', "null", "NaN"])
def test_refuses_json_that_is_no_object(text: str) -> None:
    with pytest.raises(NotJson, match="not an object"):
        json_fields.read_object(text)


def test_refuses_a_binary_frame() -> None:
    with pytest.raises(BinaryFrame, match="2 bytes"):
        json_fields.read_object(b"{}")


def test_reads_up_to_the_limit_and_no_further() -> None:
    at_limit = '{"a":"' + "x" * (json_fields.MAX_MESSAGE_CHARS - 8) + '"}'
    assert len(json_fields.read_object(at_limit)["a"]) == json_fields.MAX_MESSAGE_CHARS - 8
    with pytest.raises(MessageTooLarge):
        json_fields.read_object(at_limit + " ")


def test_an_absent_field_is_named() -> None:
    with pytest.raises(MissingField, match=r"media\.payload is missing") as caught:
        json_fields.text_field({}, "payload", "media.")
    assert caught.value.field == "media.payload"


@pytest.mark.parametrize("value", [1, None, True, [], {}])
def test_a_string_is_nothing_else(value: object) -> None:
    with pytest.raises(InvalidField, match="name is a string"):
        json_fields.text_field({"name": value}, "name", "")


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(InvalidField, match="half a character"):
        json_fields.text_field({"name": "a\ud800"}, "name", "")


def test_text_of_any_language_is_kept() -> None:
    assert json_fields.text_field({"name": "預約 🎧"}, "name", "") == "預約 🎧"


def test_an_optional_string_may_be_absent_or_null() -> None:
    assert json_fields.optional_text_field({}, "name", "") == ""
    assert json_fields.optional_text_field({"name": None}, "name", "") == ""
    assert json_fields.optional_text_field({"name": "a"}, "name", "") == "a"


@pytest.mark.parametrize("value", ["", "-1", "+1", " 1", "1 ", "1_0", "1.0", "0x1", "٣", "1" * 16])
def test_a_number_is_plain_digits(value: str) -> None:
    with pytest.raises(InvalidField, match="decimal digits"):
        json_fields.number_field({"n": value}, "n", "")


@pytest.mark.parametrize(("value", "number"), [("0", 0), ("007", 7), ("9" * 15, 10**15 - 1)])
def test_reads_a_number(value: str, number: int) -> None:
    assert json_fields.number_field({"n": value}, "n", "") == number


@pytest.mark.parametrize("value", ["", "a-b", "a\n", "MZ 1", "é", "a" * 65])
def test_a_sid_is_letters_and_digits(value: str) -> None:
    with pytest.raises(InvalidField, match="letters and digits"):
        json_fields.sid_field({"sid": value}, "sid")


@examples()
@given(st.one_of(st.text(), st.binary()))
def test_anything_is_read_or_refused(message: str | bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        assert isinstance(json_fields.read_object(message), dict)
