"""Phone numbers as the carrier takes them: E.164, a plus sign and up to fifteen digits.

Source: ITU-T E.164. Nothing is guessed: a number without its country code is refused, since adding
the wrong one would ring a stranger.
"""

from __future__ import annotations

from telephony.errors import InvalidPhoneNumber

MIN_DIGITS = 7
MAX_DIGITS = 15
"""Country code included. The shortest numbers in use (Niue) have seven digits."""

_LOOKS = "such as +14155550100"


def check_e164(text: str, field: str = "number") -> str:
    """Return ``text`` when it is an E.164 number.

    Args:
        text: What somebody gave as a phone number.
        field: What to call it in the error: the setting, argument or JSON field it came from.

    Raises:
        InvalidPhoneNumber: Says what is wrong with it, never the number itself.
    """
    problem = _problem(text)
    if problem:
        raise InvalidPhoneNumber(f"{field}: {problem}", field)
    return text


def is_e164(text: str) -> bool:
    """Whether ``text`` is an E.164 number."""
    return not _problem(text)


def _problem(text: str) -> str:
    if not text:
        return f"empty; a phone number is written in E.164, {_LOOKS}"
    if text.startswith("00"):
        return f"write + instead of 00, {_LOOKS}"
    if not text.startswith("+"):
        return f"a phone number begins with + and the country code, {_LOOKS}"
    digits = text[1:]
    if not (digits.isascii() and digits.isdecimal()):
        return f"only digits follow the +: no blanks, dashes or brackets, {_LOOKS}"
    if digits[0] == "0":
        return f"no country code begins with 0; write it in E.164, {_LOOKS}"
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return f"{len(digits)} digits; E.164 numbers have {MIN_DIGITS} to {MAX_DIGITS}"
    return ""
