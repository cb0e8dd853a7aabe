from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.azure_messages import (
    AudioFormat,
    Message,
    format_text,
    parse_binary,
    parse_riff,
    parse_text,
)
from simulation.errors import WireViolation

HEAD = b"Path: audio\r\nX-RequestId: abc\r\nX-StreamId: 1\r\n"
RIFF = (
    b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0"
    + struct.pack("<HHIIHHH", 7, 1, 8_000, 8_000, 1, 8, 0)
    + b"data\0\0\0\0"
)


def test_a_text_message_has_a_path_a_turn_and_a_body() -> None:
    message = parse_text('Path:speech.context\r\nX-RequestId:abc\r\n\r\n{"a":1}')
    assert message == Message("speech.context", "abc", b'{"a":1}')


def test_a_binary_message_carries_its_header_length() -> None:
    data = struct.pack(">H", len(HEAD)) + HEAD + b"\xff\xfe"
    assert parse_binary(data) == Message("audio", "abc", b"\xff\xfe")


def test_golden_server_message() -> None:
    assert format_text("speech.startDetected", "abc", {"Offset": 4_000_000}) == (
        "X-RequestId:abc\r\nContent-Type:application/json; charset=utf-8\r\n"
        'Path:speech.startDetected\r\n\r\n{"Offset": 4000000}'
    )


def test_the_sound_header_names_the_format_and_is_cut_off() -> None:
    assert parse_riff(RIFF + b"\xff") == (AudioFormat(7, 1, 8_000, 8), b"\xff")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x09Path", struct.pack(">H", 0)])
def test_a_message_cut_short_is_a_violation(data: bytes) -> None:
    with pytest.raises(WireViolation):
        parse_binary(data)


@settings(max_examples=80)
@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_parse_or_are_a_violation(data: bytes, headed: bool) -> None:
    whole = struct.pack(">H", len(data) // 2) + data if headed else data
    for parse in (parse_binary, parse_riff):
        with suppress(WireViolation):
            parse(whole)
    with suppress(WireViolation):
        parse_text(data.decode("latin-1"))
