"""The emulated carrier takes what Twilio takes of a relay's server, and names what it does not."""

from __future__ import annotations

import pytest

from simulation.caller_turns import Utterance
from simulation.carrier_messages import Violation
from simulation.relay_ear import RelayEar
from simulation.relay_messages import (
    INVALID_MESSAGE,
    End,
    FromServer,
    Language,
    PlayFile,
    SendDigits,
    Text,
    read_relay_message,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"text","token":"Hi ","last":false}', Text("Hi ")),
        ('{"type":"text","token":"","last":true,"lang":"es-ES"}', Text("", True, "es-ES")),
        ('{"type":"play","source":"https://a/x","loop":2}', PlayFile("https://a/x", 2)),
        ('{"type":"sendDigits","digits":"1w#"}', SendDigits("1w#")),
        ('{"type":"language","ttsLanguage":"es-ES"}', Language("es-ES")),
        ('{"type":"end"}', End()),
        ('{"type":"end","handoffData":"{}"}', End("{}")),
    ],
)
def test_every_message_is_read(text: str, expected: FromServer) -> None:
    assert read_relay_message(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type":"media"}',
        '{"type":"text","token":null}',
        '{"type":"text","token":"a","last":"yes"}',
        '{"type":"play","source":"x","loop":2000}',
        '{"type":"sendDigits","digits":"12W"}',
        '{"type":"language"}',
        '{"type":"end","handoffData":{}}',
    ],
)
def test_what_is_wrong_is_a_violation(text: str) -> None:
    found = read_relay_message(text)
    assert isinstance(found, Violation)
    assert found.code == INVALID_MESSAGE


def test_words_are_known_as_they_are_said_and_the_prompt_ends_after_a_pause() -> None:
    ear = RelayEar(lag_s=0.1, endpoint_s=0.5, since_s=0.0)
    said = Utterance("say", "", "two words", 1.0, 2.0, (1.4, 2.0))
    assert ear.listen(said, now=0.9).has_begun is False
    assert ear.listen(said, now=1.0).has_begun
    assert ear.listen(said, now=1.6).partial == "two"
    assert ear.listen(said, now=2.2).partial == "two words"
    assert ear.listen(said, now=2.4).final == ""
    assert ear.listen(said, now=2.5).final == "two words"
    assert ear.listen(said, now=9.0).final == "", "told once"


def test_what_was_said_before_the_session_is_lost() -> None:
    ear = RelayEar(lag_s=0.1, endpoint_s=0.5, since_s=5.0)
    assert ear.listen(Utterance("say", "", "early", 1.0, 2.0), now=6.0).final == ""
