from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import InvalidPhoneNumber
from telephony.phone_number import MAX_DIGITS, MIN_DIGITS, check_e164, is_e164
from tests.telephony.properties import examples


@pytest.mark.parametrize("number", ["+14155550100", "+6834002", "+85221234567", "+123456789012345"])
def test_takes_numbers_with_their_country_code(number: str) -> None:
    assert check_e164(number) == number
    assert is_e164(number)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        ("", "empty"),
        ("14155550100", "begins with \\+"),
        ("0014155550100", r"\+ instead of 00"),
        ("+1 415 555 0100", "no blanks"),
        ("+1(415)5550100", "brackets"),
        ("+1-415-555-0100", "dashes"),
        ("+", "only digits"),
        ("++14155550100", "only digits"),
        ("+٣٤٥٦٧٨٩٠", "only digits"),
        ("+01155550100", "no country code begins with 0"),
        ("+123456", "6 digits"),
        ("+1234567890123456", "16 digits"),
        ("+14155550100\n", "only digits"),
        ("client:alice", "begins with \\+"),
        ("sip:a@b", "begins with \\+"),
    ],
)
def test_says_what_is_wrong_and_how_to_write_it(number: str, advice: str) -> None:
    with pytest.raises(InvalidPhoneNumber, match=advice) as caught:
        check_e164(number, "to")
    assert caught.value.field == "to"
    assert str(caught.value).startswith("to: ")


@examples(200)
@given(st.text(max_size=20) | st.from_regex(r"\+?[0-9 ()-]{0,20}", fullmatch=True))
def test_what_is_taken_is_e164_and_what_is_refused_is_not_repeated(text: str) -> None:
    digits = text[1:]
    if is_e164(text):
        assert text[0] == "+"
        assert set(digits) <= set("0123456789")
        assert MIN_DIGITS <= len(digits) <= MAX_DIGITS
    else:
        with pytest.raises(InvalidPhoneNumber) as caught:
            check_e164(text)
        assert len(digits) < 5 or digits not in str(caught.value)
