from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import VoiceResponse

from telephony import twiml
from telephony.errors import InvalidTwiml
from telephony.twiml import DialNumber
from tests.telephony.properties import examples

GOOD: dict[str, Any] = {
    "stream_url": "wss://voice.example.com/twilio/media",
    "action_url": "https://voice.example.com/twilio/after?n=1&s=a.b",
    "parameters": {"tok": "single-use-token"},
}
_MARKUP = "a&b <c> \"d\" 'e' ]]> &amp; é 你好 🎧"


def _tree(text: str) -> Any:
    def plain(element: ElementTree.Element) -> Any:
        return (
            element.tag,
            dict(element.attrib),
            element.text or "",
            [plain(child) for child in element],
        )

    return plain(ElementTree.fromstring(text))


def _theirs(**stream: str) -> tuple[VoiceResponse, Any]:
    response = VoiceResponse()
    connect = response.connect(action=GOOD["action_url"])
    return response, connect.stream(url=GOOD["stream_url"], **stream)


# --- what Twilio's own builder writes -------------------------------------------------------------


def test_a_stream_is_connected_as_twilios_builder_does() -> None:
    response, stream = _theirs()
    stream.parameter(name="tok", value="single-use-token")
    assert _tree(twiml.connect_stream(**GOOD)) == _tree(str(response))


def test_a_stream_without_parameters() -> None:
    response, _ = _theirs()
    assert _tree(twiml.connect_stream(**GOOD | {"parameters": {}})) == _tree(str(response))


def test_name_status_callback_and_markup_everywhere() -> None:
    callback = "https://voice.example.com/status?a=1&b='2'"
    response, stream = _theirs(name=_MARKUP, status_callback=callback)
    stream.parameter(name=_MARKUP, value=_MARKUP)
    stream.parameter(name="line", value="one\ttwo\r\nthree")
    ours = twiml.connect_stream(
        **GOOD | {"parameters": {_MARKUP: _MARKUP, "line": "one\ttwo\r\nthree"}},
        status_callback_url=callback,
        name=_MARKUP,
    )
    # ElementTree writes a plain line end into the attribute, which a parser reads as a blank; ours
    # keeps it. Everything else is the same.
    assert _tree(ours.replace("&#13;", " ").replace("&#10;", " ").replace("&#9;", " ")) == _tree(
        str(response).replace("&#13;", " ").replace("&#10;", " ").replace("&#09;", " ")
    )


@pytest.mark.parametrize("language", [None, "zh-HK"])
def test_a_sentence_is_said_as_twilios_builder_does(language: str | None) -> None:
    response = VoiceResponse()
    response.say(_MARKUP, language=language)
    response.hangup()
    assert _tree(twiml.say_and_hang_up(_MARKUP, language)) == _tree(str(response))


def test_hanging_up_as_twilios_builder_does() -> None:
    response = VoiceResponse()
    response.hangup()
    assert _tree(twiml.hang_up()) == _tree(str(response))


def test_rejecting_as_twilios_builder_does() -> None:
    response = VoiceResponse()
    response.reject(reason="busy")
    assert _tree(twiml.reject_busy()) == _tree(str(response))


def test_nothing_as_twilios_builder_does() -> None:
    assert _tree(twiml.empty()) == _tree(str(VoiceResponse()))


DIAL: dict[str, Any] = {
    "numbers": [DialNumber("+14155550123")],
    "action_url": "https://voice.example.com/twilio/dial?s=a.b",
}


def test_a_number_is_dialled_as_twilios_builder_does() -> None:
    response = VoiceResponse()
    response.dial(action=DIAL["action_url"], timeout=20, caller_id="+14155550199").number(
        "+14155550123"
    )
    ours = twiml.dial(**DIAL, timeout_s=20, caller_id="+14155550199")
    assert _tree(ours) == _tree(str(response))


@pytest.mark.parametrize("is_sequential", [False, True])
def test_several_numbers_at_once_or_one_after_the_other(is_sequential: bool) -> None:
    response = VoiceResponse()
    dialled = response.dial(action=DIAL["action_url"], timeout=30, sequential=is_sequential or None)
    dialled.number("+14155550123")
    dialled.number("+14155550124", send_digits="ww12#")
    numbers = [DialNumber("+14155550123"), DialNumber("+14155550124", "ww12#")]
    ours = twiml.dial(**DIAL | {"numbers": numbers}, is_sequential=is_sequential)
    assert _tree(ours) == _tree(str(response))


def test_what_comes_first_is_as_twilios_builder_does() -> None:
    response = VoiceResponse()
    response.say(_MARKUP, language="en-GB")
    response.play(digits="ww1234#")
    response.start().recording(
        channels="dual", recording_status_callback="https://voice.example.com/rec?a=1&b=2"
    )
    response.connect(action=GOOD["action_url"]).stream(url=GOOD["stream_url"])
    before = [
        twiml.say(_MARKUP, "en-GB"),
        twiml.play_digits("ww1234#"),
        twiml.start_recording("https://voice.example.com/rec?a=1&b=2"),
    ]
    ours = twiml.connect_stream(**GOOD | {"parameters": {}}, before=before)
    assert _tree(ours) == _tree(str(response))
    dialled = ElementTree.fromstring(twiml.dial(**DIAL, before=before))
    assert [each.tag for each in dialled] == ["Say", "Play", "Start", "Dial"]


def test_the_document_says_what_it_is() -> None:
    assert twiml.empty().startswith('<?xml version="1.0" encoding="UTF-8"?><Response>')
    assert twiml.CONTENT_TYPE.startswith("text/xml")


_xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
)


@examples()
@given(_xml_text.filter(str.strip), _xml_text.filter(bool), _xml_text)
def test_any_text_comes_back_from_a_parser(said: str, name: str, value: str) -> None:
    say = ElementTree.fromstring(twiml.say_and_hang_up(said)).find("Say")
    assert say is not None
    assert say.text == said
    document = twiml.connect_stream(**GOOD | {"parameters": {name: value}})
    parameter = ElementTree.fromstring(document).find("Connect/Stream/Parameter")
    assert parameter is not None
    assert parameter.attrib == {"name": name, "value": value}


@examples()
@given(st.text(), st.text(), st.text())
def test_any_text_is_written_well_formed_or_refused(said: str, name: str, language: str) -> None:
    for write in (
        lambda: twiml.say_and_hang_up(said, language),
        lambda: twiml.say_and_hang_up(said),
        lambda: twiml.connect_stream(**GOOD | {"parameters": {name: said}}, name=name),
        lambda: twiml.connect_stream(**GOOD | {"stream_url": said}),
        lambda: twiml.connect_stream(**GOOD | {"action_url": "https://" + said}),
        lambda: twiml.dial(**DIAL | {"action_url": "https://" + said}),
        lambda: twiml.dial(**DIAL | {"numbers": [DialNumber(said)]}),
        lambda: twiml.dial(**DIAL | {"numbers": [DialNumber("+14155550123", said)]}),
        lambda: twiml.dial(**DIAL, caller_id=said),
        lambda: twiml.dial(**DIAL, before=[twiml.play_digits(said)]),
        lambda: twiml.dial(**DIAL, before=[twiml.start_recording("https://" + said)]),
    ):
        try:
            ElementTree.fromstring(write())
        except InvalidTwiml:
            continue


# --- what Twilio would refuse ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream_url",
    [
        "",
        "/twilio/media",
        "voice.example.com/twilio/media",
        "https://voice.example.com/m",
        "ws://voice.example.com/m",
        "wss://",
        "wss:///m",
        "wss://h:port/m",
        "wss://h:0/m",
        "wss://h/m?x=1",
        "wss://h/m#rc=1",
        "wss://h/a b",
        "wss://h/a\nb",
        "wss://h/é",
        "wss://[::1/m",
    ],
)
def test_refuses_a_stream_url_that_twilio_would(stream_url: str) -> None:
    with pytest.raises(InvalidTwiml, match="stream_url"):
        twiml.connect_stream(**GOOD | {"stream_url": stream_url})


@pytest.mark.parametrize("argument", ["action_url", "status_callback_url"])
@pytest.mark.parametrize("url", ["", "/after", "http://h/after", "wss://h/after", "https://h/a b"])
def test_refuses_callbacks_that_are_not_absolute_and_secure(argument: str, url: str) -> None:
    with pytest.raises(InvalidTwiml, match=argument):
        twiml.connect_stream(**GOOD | {argument: url})


def test_emulators_may_be_reached_in_the_clear() -> None:
    document = twiml.connect_stream(
        stream_url="ws://127.0.0.1:8000/m",
        action_url="http://127.0.0.1:8000/a",
        parameters={},
        allow_insecure=True,
    )
    assert 'url="ws://127.0.0.1:8000/m"' in document


def test_a_callback_may_override_the_connection() -> None:
    document = twiml.connect_stream(**GOOD | {"action_url": "https://h/a?n=1#rc=2&rp=all"})
    assert 'action="https://h/a?n=1#rc=2&amp;rp=all"' in document


def test_a_parameter_stays_under_500_characters() -> None:
    twiml.connect_stream(**GOOD | {"parameters": {"tok": "x" * 496}})
    with pytest.raises(InvalidTwiml, match="parameter tok: name and value are 500"):
        twiml.connect_stream(**GOOD | {"parameters": {"tok": "x" * 497}})


def test_a_parameters_value_is_not_quoted_in_the_error() -> None:
    with pytest.raises(InvalidTwiml) as caught:
        twiml.connect_stream(**GOOD | {"parameters": {"tok": "secret" * 100}})
    assert "secret" not in str(caught.value)


def test_a_parameter_needs_a_name() -> None:
    with pytest.raises(InvalidTwiml, match="name"):
        twiml.connect_stream(**GOOD | {"parameters": {"": "x"}})


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe"])
def test_refuses_what_xml_cannot_hold(character: str) -> None:
    with pytest.raises(InvalidTwiml, match=rf"text holds U\+{ord(character):04X}"):
        twiml.say_and_hang_up(f"a{character}b")


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_refuses_to_say_nothing(text: str) -> None:
    with pytest.raises(InvalidTwiml, match="empty"):
        twiml.say_and_hang_up(text)


@pytest.mark.parametrize("language", ["", "english please", 'en" voice="x', "en-", "e"])
def test_refuses_what_is_no_language(language: str) -> None:
    with pytest.raises(InvalidTwiml, match="BCP-47"):
        twiml.say_and_hang_up("Hello.", language)


def test_refuses_a_document_beyond_64_kilobytes() -> None:
    with pytest.raises(InvalidTwiml, match="bytes"):
        twiml.say_and_hang_up("好" * 22_000)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"numbers": []}, "numbers"),
        ({"numbers": [DialNumber("+14155550123")] * 11}, "numbers"),
        ({"numbers": [DialNumber("415 555 0123")]}, "numbers"),
        ({"numbers": [DialNumber("+14155550123", "ww")]}, "send_digits"),
        ({"caller_id": "4155550123"}, "caller_id"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 601}, "timeout_s"),
        ({"action_url": "/twilio/dial"}, "action_url"),
    ],
)
def test_refuses_to_dial_what_twilio_would(changes: dict[str, Any], argument: str) -> None:
    with pytest.raises(InvalidTwiml, match=argument) as caught:
        twiml.dial(**DIAL | changes)
    assert "0123" not in str(caught.value)


@pytest.mark.parametrize("digits", ["", "ww", "12 34", "1234x", '1"/>', "١"])
def test_refuses_digits_that_are_no_keys(digits: str) -> None:
    with pytest.raises(InvalidTwiml, match="digits"):
        twiml.play_digits(digits)
