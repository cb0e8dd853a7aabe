"""Reading the fields of a JSON message that a stranger wrote: right, or an error with its name.

``path`` is where the object lies in the message (``"start."``, or ``""`` at the top), for the error
only. No error holds a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from telephony.errors import BinaryFrame, InvalidField, MessageTooLarge, MissingField, NotJson

MAX_MESSAGE_CHARS = 65_536

SID = re.compile(r"[0-9A-Za-z]{1,64}")

_MAX_NUMBER_CHARS = 15


def read_object(message: str | bytes) -> dict[str, Any]:
    """A text frame as an object. Raises ``BinaryFrame``, ``MessageTooLarge`` or ``NotJson``."""
    if not isinstance(message, str):
        raise BinaryFrame(f"binary frame of {len(message)} bytes: Media Streams sends text frames")
    if len(message) > MAX_MESSAGE_CHARS:
        raise MessageTooLarge(f"{len(message)} characters, at most {MAX_MESSAGE_CHARS} are read")
    try:
        plain = json.loads(message)
    except (ValueError, RecursionError) as error:
        # The decoder's own text may quote the message, so only its kind is told.
        raise NotJson(f"not JSON ({type(error).__name__})") from None
    if not isinstance(plain, dict):
        raise NotJson(f"a JSON {type(plain).__name__}, not an object")
    return plain


def any_field(plain: Mapping[str, Any], key: str, path: str) -> Any:
    """A field of any type. Raises ``MissingField``."""
    try:
        return plain[key]
    except KeyError:
        raise MissingField(f"{path}{key} is missing", path + key) from None


def text_field(plain: Mapping[str, Any], key: str, path: str) -> str:
    """A string. Raises ``MissingField`` or ``InvalidField``, as do all that follow."""
    value = any_field(plain, key, path)
    if not isinstance(value, str):
        raise InvalidField(
            f"{path}{key} is a string, not a JSON {type(value).__name__}", path + key
        )
    return whole_text(value, path + key)


def whole_text(value: str, path: str) -> str:
    """``value``, unless it holds a lone surrogate, which nobody after us could encode."""
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidField(f"{path} holds half a character", path) from None
    return value


def optional_text_field(plain: Mapping[str, Any], key: str, path: str) -> str:
    """A string; empty when it is absent or null."""
    return "" if plain.get(key) is None else text_field(plain, key, path)


def object_field(plain: Mapping[str, Any], key: str, path: str) -> dict[str, Any]:
    """An object."""
    value = any_field(plain, key, path)
    if not isinstance(value, dict):
        raise InvalidField(
            f"{path}{key} is an object, not a JSON {type(value).__name__}", path + key
        )
    return value


def number_field(plain: Mapping[str, Any], key: str, path: str) -> int:
    """A whole number, written as a string: 1 to 15 ASCII digits."""
    value = text_field(plain, key, path)
    if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_NUMBER_CHARS):
        raise InvalidField(
            f"{path}{key} is a string of 1 to {_MAX_NUMBER_CHARS} decimal digits", path + key
        )
    return int(value)


def sid_field(plain: Mapping[str, Any], key: str, path: str = "") -> str:
    """A sid: 1 to 64 ASCII letters and digits, so that it may stand in a log line."""
    value = text_field(plain, key, path)
    if SID.fullmatch(value) is None:
        raise InvalidField(f"{path}{key} is 1 to 64 letters and digits", path + key)
    return value
