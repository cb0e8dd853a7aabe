from __future__ import annotations

import json

import pytest

from simulation.elevenlabs_wire import audio_message, cut_speech, final_message, socket_error
from simulation.voice_sound import HummingVoice, Speech, spread_chars

SPEECH = Speech("Hi you", b"\xff" * 8_000, (0.0, 0.1, 0.2, 0.5, 0.6, 0.9))


def pieces(speech: Speech, piece_s: float) -> list:
    return list(cut_speech(speech, piece_s, speech.ulaw, 8_000))


def test_alignment_is_relative_to_its_piece_and_fills_it() -> None:
    first, second = pieces(SPEECH, 0.5)
    assert first.alignment == {
        "chars": ["H", "i", " "],
        "charStartTimesMs": [0, 100, 200],
        "charDurationsMs": [100, 100, 300],
    }
    assert second.alignment == {
        "chars": ["y", "o", "u"],
        "charStartTimesMs": [0, 100, 400],
        "charDurationsMs": [100, 300, 100],
    }


@pytest.mark.parametrize("piece_s", [0.02, 0.13, 0.25, 9.0])
def test_no_byte_and_no_character_is_lost(piece_s: float) -> None:
    speech = HummingVoice().speak("Hello there, how are you today? ", "en", "x")
    cut = pieces(speech, piece_s)
    assert b"".join(piece.audio for piece in cut) == speech.ulaw
    chars = [char for piece in cut if piece.alignment for char in piece.alignment["chars"]]
    assert "".join(chars) == speech.text


def test_golden_messages() -> None:
    piece = pieces(Speech("a", b"\xff\xff", (0.0,)), 1.0)[0]
    alignment = {"chars": ["a"], "charStartTimesMs": [0], "charDurationsMs": [0]}
    assert json.loads(audio_message(piece, "c1")) == {
        "audio": "//8=",
        "isFinal": None,
        "normalizedAlignment": alignment,
        "alignment": alignment,
        "contextId": "c1",
    }
    assert "contextId" not in json.loads(audio_message(piece, None))
    assert json.loads(final_message("c1")) == {"isFinal": True, "contextId": "c1"}
    assert json.loads(final_message(None)) == {"audio": None, "isFinal": True}
    assert json.loads(socket_error("m", "e")) == {"message": "m", "error": "e", "code": 1008}


def test_characters_between_known_times_are_spread_evenly() -> None:
    assert spread_chars("abcdef", [(2, 1.0)], 3.0) == (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
