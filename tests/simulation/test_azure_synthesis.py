"""Text for Azure's voices, and how its words are reported."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.azure_synthesis import VOICES, Pieces, cut, read_ssml, voice_locale
from simulation.errors import WireViolation
from simulation.voice_sound import HummingVoice


@pytest.mark.parametrize(
    ("name", "locale"),
    [
        ("en-US-JennyNeural", "en-US"),
        ("zh-HK-HiuMaanNeural", "zh-HK"),
        ("zh-CN-liaoning-XiaobeiNeural", "zh-CN-liaoning"),
        ("en-US-Ava:DragonHDLatestNeural", "en-US"),
        ("en-US-MissingNeural", ""),
        ("Rachel", ""),
        ("", ""),
    ],
)
def test_a_voice_is_told_by_its_name(name: str, locale: str) -> None:
    assert voice_locale(name) == locale


def test_the_listed_voices_exist() -> None:
    assert all(voice_locale(name) for name, _ in VOICES)


def test_ssml_is_read_for_its_voice_and_text() -> None:
    document = (
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
        "<voice name='en-US-JennyNeural'>Tea &amp; <emphasis>milk</emphasis>.</voice></speak>"
    )
    assert read_ssml(document.encode()) == ("en-US-JennyNeural", "Tea & milk.")


@pytest.mark.parametrize("document", ["", "<speak>", "<speak/>", "<voice name='a'>x</voice>", "x"])
def test_what_is_no_ssml_is_refused(document: str) -> None:
    with pytest.raises(WireViolation):
        read_ssml(document.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_ssml_or_a_violation(document: bytes) -> None:
    with contextlib.suppress(WireViolation):
        read_ssml(document)


@given(st.text("ab .!?。你", max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_pieces_come_out_whole_and_in_order(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = Pieces()
    parts = [pieces.take(text[a:b]) for a, b in itertools.pairwise(edges)]
    assert "".join([*parts, pieces.finish()]) == text
    assert pieces.finish() == ""


def test_a_sentence_leaves_when_it_is_whole() -> None:
    pieces = Pieces()
    assert pieces.take("Hello th") == ""
    assert pieces.take("ere. I wi") == "Hello there. "
    assert pieces.take("ll! Then") == "I will! "
    assert pieces.finish() == "Then"


def test_words_come_with_the_audio_in_which_they_begin_and_times_go_on() -> None:
    speech = HummingVoice().speak("Hello, you two.", "en", "x")
    pieces = list(cut(speech, 400, base_samples=8_000))
    assert b"".join(piece.ulaw for piece in pieces) == speech.ulaw
    words = [(n, entry["Data"]) for n, piece in enumerate(pieces) for entry in piece.metadata]
    assert [data["text"]["Text"] for _, data in words] == ["Hello", ",", "you", "two", "."]
    assert {data["text"]["BoundaryType"] for _, data in words} == {
        "WordBoundary",
        "PunctuationBoundary",
    }
    for number, data in words:
        assert data["Offset"] >= 10_000_000
        start = (data["Offset"] - 10_000_000) / 10_000_000 * 8_000
        assert number * 400 - 1 <= start < (number + 1) * 400
    ends = [data["Offset"] + data["Duration"] for _, data in words]
    assert ends == sorted(ends)


@given(st.text(max_size=40), st.integers(1, 3_000))
def test_any_text_can_be_cut_anywhere(text: str, piece_samples: int) -> None:
    speech = HummingVoice().speak(text, "en", "x")
    pieces = list(cut(speech, piece_samples, 0))
    assert b"".join(piece.ulaw for piece in pieces) == speech.ulaw
