"""Messages as JSON objects, and texts that hold half a character."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.deepgram_messages import parse as parse_deepgram
from providers.errors import ProviderProtocolError
from providers.json_message import json_object, whole_text
from providers.openai_transcription_wire import parse as parse_openai
from providers.realtime.parse import parse as parse_realtime
from providers.scribe_wire import PartialWords
from providers.scribe_wire import parse as parse_scribe

_HALF = "\ud800"


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_can_be_handed_on_and_whole_ones_are_left_alone(text: str) -> None:
    whole = whole_text(text)
    whole.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        assert "\ufffd" in whole or len(whole) < len(text)
    else:
        assert whole == text


def test_two_halves_become_one_and_a_lone_one_is_replaced() -> None:
    assert whole_text("a\ud83d\ude42b\ud83d") == "a\U0001f642b\ufffd"


def test_no_text_of_a_message_holds_half_a_character() -> None:
    message = json_object(json.dumps({"a": [_HALF, {"b" + _HALF: "\U0001f642"}]}), "p")
    assert message == {"a": ["\ufffd", {"b\ufffd": "\U0001f642"}]}


@pytest.mark.parametrize(
    "raw", ["", "[1]", "null", "{", b"\xff", b'{"a":"\xed\xa0\x80"}', "[" * 100_000, "9" * 5_000]
)
def test_what_is_no_object_is_a_typed_error(raw: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        json_object(raw, "p")


def test_words_of_recognisers_can_be_handed_on() -> None:
    flux = {
        "type": "TurnInfo",
        "request_id": "r",
        "event": "Update",
        "turn_index": 0,
        "audio_window_start": 0,
        "audio_window_end": 1,
        "transcript": "yes " + _HALF,
        "words": [{"word": _HALF}],
    }
    known = "conversation.item.input_audio_transcription.completed"
    item = {"type": known, "item_id": "i", "transcript": _HALF}
    assert "yes \ufffd" in str(parse_deepgram(json.dumps(flux)))
    partial = json.dumps({"message_type": "partial_transcript", "text": _HALF})
    assert parse_scribe(partial) == PartialWords("\ufffd")
    for parse in (parse_openai, parse_realtime):
        str(parse(json.dumps(item))).encode()
