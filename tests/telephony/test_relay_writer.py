"""What we say in a ConversationRelay session is what Twilio takes, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import LocalProtocolError
from telephony.relay_writer import (
    digits_message,
    end_message,
    language_message,
    play_message,
    text_message,
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (text_message("Your ", is_last=False), {"type": "text", "token": "Your ", "last": False}),
        (text_message("", is_last=True), {"type": "text", "token": "", "last": True}),
        (
            text_message(
                "Hola.",
                is_last=True,
                language="es-ES",
                is_interruptible=True,
                is_preemptible=False,
            ),
            {
                "type": "text",
                "token": "Hola.",
                "last": True,
                "lang": "es-ES",
                "interruptible": True,
                "preemptible": False,
            },
        ),
        (
            play_message("https://a.example/x.mp3", loop=0, is_preemptible=True),
            {"type": "play", "source": "https://a.example/x.mp3", "loop": 0, "preemptible": True},
        ),
        (digits_message("1wW2#*"), {"type": "sendDigits", "digits": "1www2#*"}),
        (
            language_message(spoken="es-ES", heard="multi"),
            {"type": "language", "ttsLanguage": "es-ES", "transcriptionLanguage": "multi"},
        ),
        (language_message(spoken="es-ES"), {"type": "language", "ttsLanguage": "es-ES"}),
        (end_message(), {"type": "end"}),
    ],
)
def test_every_message_has_its_fields(message: str, expected: dict[str, Any]) -> None:
    assert json.loads(message) == expected


def test_handoff_data_is_a_text_that_holds_json() -> None:
    plain = json.loads(end_message({"v": 1, "reason": "dial"}))
    assert isinstance(plain["handoffData"], str)
    assert json.loads(plain["handoffData"]) == {"v": 1, "reason": "dial"}


@pytest.mark.parametrize(
    "write",
    [
        lambda: text_message("\ud800", is_last=True),
        lambda: text_message("a", is_last=True, language="english language"),
        lambda: play_message("file:///etc/passwd"),
        lambda: play_message("https://a.example/x", loop=1_001),
        lambda: digits_message(""),
        lambda: digits_message("12a"),
        lambda: language_message(),
        lambda: language_message(heard=""),
    ],
)
def test_what_twilio_would_refuse_is_refused_here(write: Any) -> None:
    with pytest.raises(LocalProtocolError):
        write()


@given(st.text(), st.booleans())
def test_any_words_arrive_as_they_are(token: str, is_last: bool) -> None:
    try:
        plain = json.loads(text_message(token, is_last=is_last))
    except LocalProtocolError:
        assert any(0xD800 <= ord(char) < 0xE000 for char in token)
    else:
        assert (plain["token"], plain["last"]) == (token, is_last)
