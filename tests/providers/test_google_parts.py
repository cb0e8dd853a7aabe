"""Google's words and codes, read without its packages and without a socket."""

from __future__ import annotations

from types import SimpleNamespace as Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_channel import address_of
from providers.google_errors import SPEECH_BLAME, TTS_BLAME, StreamEnded, error_of_code
from providers.google_languages import HEARD_LANGUAGES, heard_language, is_streamed, voice_language
from providers.google_messages import Heard, SpeechUpdate, read_update
from providers.google_speech_sdk import usable_phrases
from providers.google_turns import TurnReader
from providers.models import google_speech_model
from voice.ports import FinalTranscript, InterimTranscript, SpeechNoticed


@pytest.mark.parametrize(
    ("code", "kind", "setting"),
    [
        ("UNAUTHENTICATED", ProviderRefused, "GOOGLE_APPLICATION_CREDENTIALS"),
        ("PERMISSION_DENIED", ProviderRefused, "GOOGLE_CLOUD_PROJECT"),
        ("RESOURCE_EXHAUSTED", ProviderBusy, ""),
        ("DEADLINE_EXCEEDED", ProviderTimeout, ""),
        ("INVALID_ARGUMENT", ProviderRejected, "GOOGLE_SPEECH_MODEL"),
        ("NOT_FOUND", ProviderRejected, "GOOGLE_SPEECH_MODEL"),
        ("ABORTED", StreamEnded, ""),
        ("UNAVAILABLE", ProviderUnavailable, ""),
        ("INTERNAL", ProviderUnavailable, ""),
        ("what a caller said", ProviderUnavailable, ""),
    ],
)
def test_codes_are_typed_and_prose_is_not_taken_over(
    code: str, kind: type[ProviderError], setting: str
) -> None:
    error = error_of_code(code, SPEECH_BLAME, reason="and more prose", retry_after_s=3.0)
    assert type(error) is kind
    assert error.setting == setting
    assert "said" not in str(error)
    assert "prose" not in str(error)
    assert (error.retry_after_s is None) == (
        not isinstance(error, ProviderBusy | ProviderTimeout)
    ) or (type(error) is ProviderUnavailable)


def test_the_reason_stands_beside_the_code() -> None:
    error = error_of_code("PERMISSION_DENIED", TTS_BLAME, reason="SERVICE_DISABLED")
    assert "PERMISSION_DENIED SERVICE_DISABLED" in str(error)


@pytest.mark.parametrize(
    ("ours", "googles"),
    [
        ("zh-HK", "yue-Hant-HK"),
        ("yue", "yue-Hant-HK"),
        ("yue-CN", "yue-Hant-HK"),
        ("zh-MO", "yue-Hant-HK"),
        ("zh-CN", "cmn-Hans-CN"),
        ("zh-TW", "cmn-Hant-TW"),
        ("en", "en-US"),
        ("en-GB", "en-GB"),
        ("he-IL", "iw-IL"),
        ("ms-MY", "ms-MY"),
    ],
)
def test_languages_are_asked_for_by_googles_names(ours: str, googles: str) -> None:
    assert heard_language(ours) == googles
    assert ours.split("-")[0] in HEARD_LANGUAGES


def test_voices_say_what_they_are() -> None:
    assert is_streamed("en-US-Chirp3-HD-Aoede")
    assert is_streamed("en-US-Chirp-HD-F")
    assert not is_streamed("en-US-Neural2-C")
    assert voice_language("yue-HK-Standard-A", "zh-HK") == "yue-HK"
    assert voice_language("Kore", "en-US") == "en-US"


def test_models() -> None:
    assert google_speech_model("chirp_3", "en-US") == "chirp_3"
    assert google_speech_model("", "en-US") == "telephony"
    assert google_speech_model("", "yue-Hant-HK") == "latest_long"


def test_addresses() -> None:
    def target(location: str, endpoint: str = "") -> tuple[str, bool]:
        address = address_of("speech.googleapis.com", location, endpoint, SPEECH_BLAME)
        return address.target, address.is_plain

    assert target("global") == ("speech.googleapis.com:443", False)
    assert target("eu") == ("eu-speech.googleapis.com:443", False)
    assert target("eu", "https://speech.example.com") == ("speech.example.com:443", False)
    assert target("eu", "http://[::1]:7109") == ("[::1]:7109", True)
    for endpoint in ("grpc://a", "http://", "a:1", "http://a:99999", "http://["):
        with pytest.raises(ProviderRejected, match="GOOGLE_SPEECH_ENDPOINT"):
            target("global", endpoint)


def test_hints_that_the_service_refuses_are_left_out() -> None:
    assert usable_phrases(("a ", "", "x" * 101, "b")) == ("a", "b")
    assert len(usable_phrases(tuple("abcdefghij" * 100))) == 500


# --- messages ------------------------------------------------------------------------------------


def duration(seconds: float) -> Message:
    return Message(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def result(
    text: str,
    end_s: float | None = None,
    *,
    is_final: bool = False,
    word_end_s: float | None = None,
) -> Message:
    words = []
    if word_end_s is not None:
        words = [Message(end_offset=duration(word_end_s), HasField=lambda _: True)]
    return Message(
        alternatives=[Message(transcript=text, words=words)],
        is_final=is_final,
        result_end_offset=duration(end_s or 0.0),
        HasField=lambda _: end_s is not None,
    )


def response(*results: Message, event: int = 0, at_s: float = 0.0) -> Message:
    return Message(
        results=list(results), speech_event_type=event, speech_event_offset=duration(at_s)
    )


def test_a_message_has_one_final_part_and_then_the_rest() -> None:
    update = read_update(
        response(
            result("Go forward.", 1.5, is_final=True, word_end_s=1.25),
            result("ten", 2.0),
            result(" meters", 2.5),
        )
    )
    assert update == SpeechUpdate(
        final=Heard("Go forward.", 1.5, 1.25), interim=Heard("ten meters", 2.5)
    )


def test_events_of_activity_are_read() -> None:
    assert read_update(response(event=2, at_s=0.75)) == SpeechUpdate(began_s=0.75)
    assert read_update(response(event=3, at_s=1.5)) == SpeechUpdate(ended_s=1.5)
    assert read_update(response(event=1)) == SpeechUpdate()


NONSENSE = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5), st.booleans()
)


@given(
    st.one_of(
        NONSENSE,
        st.builds(
            Message,
            results=st.one_of(
                NONSENSE,
                st.lists(
                    st.builds(
                        Message,
                        alternatives=st.one_of(
                            NONSENSE,
                            st.lists(st.builds(Message, transcript=NONSENSE, words=NONSENSE)),
                        ),
                        is_final=NONSENSE,
                        result_end_offset=st.builds(Message, seconds=NONSENSE, nanos=NONSENSE),
                        HasField=st.just(lambda _: True),
                    ),
                    max_size=3,
                ),
            ),
            speech_event_type=st.integers(0, 9),
            speech_event_offset=st.builds(Message, seconds=NONSENSE, nanos=NONSENSE),
        ),
    )
)
def test_nothing_but_a_typed_error_comes_out_of_nonsense(message: Any) -> None:
    try:
        update = read_update(message)
    except ProviderProtocolError:
        return
    for heard in (update.final, update.interim):
        assert heard is None or isinstance(heard.text, str)


# --- phrases -------------------------------------------------------------------------------------


def test_a_phrase_goes_its_way() -> None:
    reader = TurnReader()
    events = [
        *reader.receive(SpeechUpdate(began_s=0.5), sent_s=1.0),
        *reader.receive(SpeechUpdate(interim=Heard("go", 0.9)), sent_s=1.2),
        *reader.receive(SpeechUpdate(interim=Heard("go on", 9.9)), sent_s=1.5),
        *reader.receive(SpeechUpdate(ended_s=1.4), sent_s=1.6),
        *reader.receive(SpeechUpdate(final=Heard("Go on.", 1.9, 1.4)), sent_s=2.0),
    ]
    assert events == [
        SpeechNoticed(0.5),
        InterimTranscript("go", 0.9),
        InterimTranscript("go on", 1.5),
        FinalTranscript("Go on.", 1.4),
    ]
    assert reader.is_quiet
    assert reader.final_s == 1.9


def test_words_without_activity_are_noticed_all_the_same_and_noise_is_no_phrase() -> None:
    reader = TurnReader()
    assert reader.receive(SpeechUpdate(final=Heard("Yes.", 1.0)), sent_s=2.0) == (
        SpeechNoticed(0.5),
        FinalTranscript("Yes.", 1.0),
    )
    assert reader.receive(SpeechUpdate(final=Heard("", 1.5)), sent_s=2.0) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["began", "ended", "final", "interim", "restart"]),
            st.floats(0, 400),
            st.floats(0, 3),
            st.sampled_from(["", "a", "a b"]),
        ),
        max_size=30,
    )
)
def test_times_never_go_backwards_whatever_the_service_says(
    steps: list[tuple[str, float, float, str]],
) -> None:
    reader, sent_s, ends_s, settled_s = TurnReader(), 0.0, 0.0, 0.0
    for kind, at_s, more_s, text in steps:
        sent_s += more_s
        if kind == "restart":
            restart = reader.restart(
                oldest_s=max(0.0, sent_s - 8), sent_s=sent_s, is_due=text == ""
            )
            assert settled_s <= restart.at_s + 1e-9 or restart.at_s >= reader.final_s - 1e-9
            assert restart.at_s <= sent_s + 1e-9
            continue
        update = {
            "began": SpeechUpdate(began_s=at_s),
            "ended": SpeechUpdate(ended_s=at_s),
            "final": SpeechUpdate(final=Heard(text, at_s)),
            "interim": SpeechUpdate(interim=Heard(text, at_s)),
        }[kind]
        for event in reader.receive(update, sent_s=sent_s):
            if isinstance(event, InterimTranscript):
                assert ends_s <= event.end_s <= sent_s
                ends_s = event.end_s
            if isinstance(event, FinalTranscript):
                assert settled_s <= event.end_s <= sent_s + 1e-9
                settled_s = event.end_s
