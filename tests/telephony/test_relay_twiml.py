"""The TwiML of a relay is what Twilio's own builder writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from typing import Any

import pytest
from twilio.twiml.voice_response import VoiceResponse

from dialogue.relay_options import RelayLanguage, RelayOptions
from telephony.errors import InvalidTwiml
from telephony.relay_twiml import connect_relay
from telephony.twiml import play_digits

WHERE = {
    "relay_url": "wss://voice.example.com/twilio/relay",
    "action_url": "https://voice.example.com/twilio/resume?s=a&b=1",
}
SAMPLES: dict[str, Any] = {
    "tts_provider": "Google",
    "transcription_provider": "Deepgram",
    "interruptible": "speech",
    "welcome_greeting_interruptible": "none",
    "report_input_during_agent_speech": "dtmf",
    "interrupt_sensitivity": "low",
    "elevenlabs_text_normalization": "auto",
    "eot_threshold": 0.7,
    "eager_eot_threshold": 0.45,
    "languages": (RelayLanguage("es-ES", "Google", "es-ES-Neural2-A", "Deepgram", "nova-2"),),
}


def _sample(name: str, kind: str) -> Any:
    return SAMPLES.get(name, True if "bool" in kind else f"a {name} & <more>")


def test_every_attribute_is_written_as_the_sdk_writes_it() -> None:
    values = {each.name: _sample(each.name, str(each.type)) for each in fields(RelayOptions)}
    ours = connect_relay(
        **WHERE, language="en-US", options=RelayOptions(**values), parameters={"token": "t<"}
    )
    builder = VoiceResponse()
    connect = builder.connect(action=WHERE["action_url"])
    languages = values.pop("languages")
    relay = connect.conversation_relay(url=WHERE["relay_url"], language="en-US", **values)
    for each in languages:
        relay.language(**{one.name: getattr(each, one.name) for one in fields(RelayLanguage)})
    relay.parameter(name="token", value="t<")
    assert ET.canonicalize(ours) == ET.canonicalize(str(builder))


def test_what_is_not_said_is_left_to_the_carrier() -> None:
    silent = replace(RelayOptions(), dtmf_detection=None, partial_prompts=None, debug="")
    xml = connect_relay(**WHERE, language="de-DE", options=silent, parameters={})
    relay = ET.fromstring(xml).find("Connect/ConversationRelay")
    assert relay is not None
    assert relay.attrib == {"url": WHERE["relay_url"], "language": "de-DE"}


def test_keys_may_be_pressed_before() -> None:
    xml = connect_relay(
        **WHERE,
        language="en-US",
        options=RelayOptions(),
        parameters={},
        before=(play_digits("12#"),),
    )
    assert [element.tag for element in ET.fromstring(xml)] == ["Play", "Connect"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"relay_url": "ws://voice.example.com/r"}, "relay_url"),
        ({"relay_url": "wss://voice.example.com/r#a"}, "fragment"),
        ({"action_url": "http://voice.example.com/r"}, "action_url"),
        ({"parameters": {"token": "x" * 500}}, "token"),
        ({"options": RelayOptions(voice="\x00")}, "voice"),
        ({"options": RelayOptions(languages=(RelayLanguage(""),))}, "code"),
    ],
)
def test_what_twilio_would_refuse_is_refused_here(change: dict[str, Any], word: str) -> None:
    good: dict[str, Any] = {
        **WHERE,
        "language": "en-US",
        "options": RelayOptions(),
        "parameters": {},
    }
    connect_relay(**good)
    with pytest.raises(InvalidTwiml, match=word):
        connect_relay(**{**good, **change})
