"""What Scribe, OpenAI's transcription and Cartesia say, parsed: only typed errors come out."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import cartesia_wire, openai_transcription_wire, scribe_wire
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.socket_settings import CartesiaConfig, OpenAITranscriptionConfig, ScribeConfig
from voice.ports import RecogniseRequest

WIRES = {
    "scribe": scribe_wire,
    "openai_transcription": openai_transcription_wire,
    "cartesia": cartesia_wire,
}
each: Any = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)

ITEM = "conversation.item.input_audio_transcription."
KINDS = (
    *("session_started", "partial_transcript", "committed_transcript", "commit_throttled"),
    *("committed_transcript_with_timestamps", "auth_error", "rate_limited", "error"),
    *(ITEM + "delta", ITEM + "completed", ITEM + "failed", "input_audio_buffer.committed"),
    *("input_audio_buffer.speech_stopped", "session.created", "session.updated"),
    *("chunk", "timestamps", "done", "flush_done"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = (
    *("text", "words", "item_id", "delta", "transcript", "audio_end_ms", "error"),
    *("context_id", "data", "word_timestamps", "error_code", "status_code"),
)
messages = st.fixed_dictionaries(
    {}, optional={name: json_values | st.text(max_size=4) for name in fields}
)


def blamed(wire: Any, raw: str | bytes) -> str:
    """Whom the typed error names; nobody when there is none. Anything else is raised."""
    try:
        wire.parse(raw)
    except ProviderError as error:
        return error.provider
    return ""


@each
@given(kind=st.sampled_from(KINDS), message=messages)
def test_no_message_raises_anything_untyped(wire: Any, kind: str, message: dict[str, Any]) -> None:
    raw = json.dumps({"type": kind, "message_type": kind, **message})
    assert blamed(wire, raw) in ("", wire.PROVIDER)


@each
@given(raw=st.binary(max_size=40) | st.text(max_size=40))
def test_no_bytes_raise_anything_untyped(wire: Any, raw: str | bytes) -> None:
    assert blamed(wire, raw) in ("", wire.PROVIDER)


@each
@pytest.mark.parametrize("raw", ["", "[]", "7", "{" * 100_000, b"\xff"])
def test_what_is_no_object_is_no_message(wire: Any, raw: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        wire.parse(raw)


@each
def test_what_is_unknown_is_passed_over(wire: Any) -> None:
    raw = json.dumps({"type": "something.new", "message_type": "something_new", "x": [1]})
    assert isinstance(wire.parse(raw), wire.Remark)


@each
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ProviderRefused),
        (402, ProviderRefused),
        (403, ProviderRefused),
        (404, ProviderRejected),
        (400, ProviderRejected),
        (429, ProviderBusy),
        (500, ProviderUnavailable),
        (503, ProviderUnavailable),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": 7, "error": 7}'])
def test_a_refused_handshake_is_typed_whatever_its_body(
    wire: Any, status: int, kind: type[ProviderError], body: bytes
) -> None:
    error = wire.error_of_handshake(status, {"retry-after": "2"}, body)
    assert type(error) is kind
    assert error.provider == wire.PROVIDER
    assert bool(error.setting) == (kind in (ProviderRefused, ProviderRejected))
    if kind is ProviderBusy:
        assert error.retry_after_s == 2.0


@each
def test_prose_of_a_refusal_is_never_repeated(wire: Any) -> None:
    said = "the caller said swordfish"
    body = json.dumps(
        {"detail": {"code": said}, "error": {"code": said, "message": said}, "error_code": said}
    )
    assert "swordfish" not in str(wire.error_of_handshake(400, {}, body.encode()))
    assert "swordfish" not in str(wire.error_of_close(1011, said))


@each
def test_closes_are_typed(wire: Any) -> None:
    assert type(wire.error_of_close(1013, "")) is ProviderBusy
    assert type(wire.error_of_close(1011, "x")) is ProviderUnavailable
    assert type(wire.error_of_close(None, "")) is ProviderUnavailable


@pytest.mark.parametrize(
    ("config", "kind", "setting"),
    [
        (ScribeConfig(), ProviderRefused, "SCRIBE_API_KEY or ELEVENLABS_API_KEY"),
        (ScribeConfig("k", base_url="x"), ProviderRejected, "SCRIBE_BASE_URL"),
        (ScribeConfig("k", commit="never"), ProviderRejected, "CALLCLUSTER_SCRIBE_COMMIT"),  # type: ignore[arg-type]
        (ScribeConfig("k", pause_s=0.1), ProviderRejected, "CALLCLUSTER_SCRIBE_PAUSE_MS"),
    ],
)
def test_scribes_settings_are_checked(
    config: ScribeConfig, kind: type[ProviderError], setting: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        scribe_wire.check_config(config)
    assert (type(caught.value), caught.value.setting) == (kind, setting)


@pytest.mark.parametrize(
    ("config", "kind", "setting"),
    [
        (OpenAITranscriptionConfig(), ProviderRefused, "OPENAI_STT_API_KEY or OPENAI_API_KEY"),
        (
            OpenAITranscriptionConfig("k", base_url="ftp://x/v1"),
            ProviderRejected,
            "OPENAI_STT_BASE_URL or OPENAI_BASE_URL",
        ),
        (
            OpenAITranscriptionConfig("k", turns="semantic_vad"),
            ProviderRejected,
            "CALLCLUSTER_OPENAI_STT_TURNS",
        ),
        (
            OpenAITranscriptionConfig("k", pause_s=9.0),
            ProviderRejected,
            "CALLCLUSTER_OPENAI_STT_PAUSE_MS",
        ),
    ],
)
def test_openais_settings_are_checked(
    config: OpenAITranscriptionConfig, kind: type[ProviderError], setting: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        openai_transcription_wire.check_config(config)
    assert (type(caught.value), caught.value.setting) == (kind, setting)


def test_a_server_of_ones_own_needs_no_key_and_no_secret_is_shown() -> None:
    openai_transcription_wire.check_config(
        OpenAITranscriptionConfig(base_url="http://127.0.0.1:1/v1")
    )
    for config in (
        ScribeConfig(api_key="topsecret"),
        OpenAITranscriptionConfig(api_key="topsecret"),
        CartesiaConfig(api_key="topsecret"),
    ):
        assert "topsecret" not in repr(config)


@pytest.mark.parametrize(
    ("language", "scribe", "openai", "cartesia"),
    [
        ("en-US", "en", "en", "en"),
        ("zh-CN", "zh", "zh", "zh"),
        ("cmn", "zh", "zh", "zh"),
        ("zh-HK", "yue", None, None),
        ("zh-MO", "yue", None, None),
        ("yue", "yue", None, None),
        ("ms-MY", "ms", "ms", "ms"),
        ("nb-NO", "no", "no", "no"),
        ("pt-BR", "pt", "pt", "pt"),
        ("xh", "xh", None, None),
        ("te-IN", "te", None, "te"),
        ("tlh", None, None, None),
    ],
)
def test_languages_are_named_as_each_service_names_them(
    language: str, scribe: str | None, openai: str | None, cartesia: str | None
) -> None:
    for wire, code in ((WIRES["scribe"], scribe), (WIRES["openai_transcription"], openai)):
        check(wire, language, code)
    check(WIRES["cartesia"], language, cartesia)


def check(wire: Any, language: str, code: str | None) -> None:
    if code is not None:
        assert wire.language_code(language) == code
        return
    with pytest.raises(ProviderRejected) as caught:
        wire.language_code(language)
    assert caught.value.setting == "language"
    assert language in caught.value.message


@pytest.mark.parametrize(
    ("words", "end_s"),
    [
        ([{"text": "a", "end": 1.5, "type": "word"}], 1.5),
        ([{"text": "a", "end": 1.5, "type": "word"}, {"end": 2.0, "type": "spacing"}], 1.5),
        ([{"text": "a", "type": "word"}], None),
        ([], None),
        (None, None),
    ],
)
def test_where_scribes_last_word_ends(words: object, end_s: float | None) -> None:
    told = {"message_type": "committed_transcript_with_timestamps", "text": "a", "words": words}
    message = scribe_wire.parse(json.dumps(told))
    assert message == scribe_wire.CommittedWords("a", end_s, has_times=True)


@pytest.mark.parametrize("end", ["x", True, -1, 1e12, float("nan")])
def test_times_of_scribe_that_cannot_be_are_no_protocol(end: object) -> None:
    words = [{"text": "a", "end": end}]
    told = {"message_type": "committed_transcript_with_timestamps", "text": "a", "words": words}
    with pytest.raises(ProviderProtocolError):
        scribe_wire.parse(json.dumps(told))


def test_audio_goes_up_as_the_vendors_client_sends_it() -> None:
    assert json.loads(scribe_wire.audio_chunk(b"\x00\xff")) == {
        "message_type": "input_audio_chunk",
        "audio_base_64": "AP8=",
        "commit": False,
        "sample_rate": 8_000,
    }
    assert json.loads(scribe_wire.commit())["commit"] is True
    assert json.loads(openai_transcription_wire.append_audio(b"\x00\xff")) == {
        "type": "input_audio_buffer.append",
        "audio": "AP8=",
    }


SEVERAL = RecogniseRequest("call", "en-US", (), ("es-MX", "en-GB", "tlh", "zh-HK"))


def test_scribe_is_asked_to_tell_languages_apart_only_where_there_are_several() -> None:
    url = urlsplit(scribe_wire.socket_url(ScribeConfig("k"), SEVERAL))
    assert parse_qs(url.query)["secondary_languages"] == ["es", "yue"]
    assert parse_qs(url.query)["include_language_detection"] == ["true"]
    alone = scribe_wire.socket_url(ScribeConfig("k"), RecogniseRequest("call", "en-US"))
    assert "detection" not in alone


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("gpt-transcribe", {"languages": ["en", "es"]}),
        ("gpt-live-transcribe", {"languages": ["en", "es"]}),
        ("gpt-realtime-whisper", {"language": "en"}),
    ],
)
def test_openai_is_told_several_languages_where_the_model_takes_them(
    model: str, told: dict[str, Any]
) -> None:
    config = OpenAITranscriptionConfig("k", model=model)
    session = json.loads(openai_transcription_wire.update_session(config, SEVERAL))["session"]
    assert session["audio"]["input"]["transcription"] == {"model": model, **told}


@pytest.mark.parametrize(
    ("languages", "language"),
    [
        ([{"code": "es"}], "es"),
        ([{"code": "es"}, {"code": "en"}], ""),
        ([], ""),
        (None, ""),
        ("es", ""),
        ([3], ""),
        ([{"code": "two words"}], ""),
    ],
)
def test_a_language_counts_where_it_is_the_only_one(languages: object, language: str) -> None:
    told = {"type": ITEM + "completed", "item_id": "i", "transcript": "hola"}
    message = openai_transcription_wire.parse(json.dumps(told | {"languages": languages}))
    assert message == openai_transcription_wire.WordsKnown("i", "hola", language)


@pytest.mark.parametrize("kind", [[], {}, [[]], None, 5])
def test_a_type_of_a_word_that_is_no_text_is_unknown(kind: object) -> None:
    message = {
        "message_type": "committed_transcript_with_timestamps",
        "text": "you",
        "words": [{"type": kind, "end": 0.6}],
    }
    assert scribe_wire.parse(json.dumps(message)) == scribe_wire.CommittedWords("you", 0.6, True)
