"""The emulated recognition of Google as a machine: clips in, results out."""

from __future__ import annotations

import pytest

from simulation.clip_library import load_library
from simulation.fingerprint import ClipIndex, Fingerprint
from simulation.google_turn import (
    STABLE,
    UNSTABLE,
    ActivityBegan,
    ActivityEnded,
    GoogleTurn,
    GoogleTurnSettings,
    PartsHeard,
    Result,
)

CLIP = load_library().clip("goforward")
INDEX = ClipIndex([CLIP])
SILENCE = b"\xff" * 8_000


def hear(settings: GoogleTurnSettings, audio: bytes, step: int = 160) -> list[Result]:
    """Everything that is said about ``audio``, which comes in real time."""
    turn, results = GoogleTurn(settings, Fingerprint(INDEX)), []
    for at in range(0, len(audio), step):
        now = (at + step) / 8_000
        turn.receive_audio(audio[at : at + step], now=now)
        while (result := turn.next_output(now=now)) is not None:
            results.append(result)
    turn.finish(now=now)
    while (due := turn.next_deadline()) is not None:
        result = turn.next_output(now=due)
        assert result is not None
        results.append(result)
    return results


def test_a_phrase_is_begun_told_word_for_word_and_settled() -> None:
    results = hear(GoogleTurnSettings(("en-US",), has_word_times=True), CLIP.ulaw + SILENCE)
    assert isinstance(results[0], ActivityBegan)
    words = [r for r in results if isinstance(r, PartsHeard)]
    told = ["".join(part.text for part in result.parts) for result in words]
    assert told == [
        "go",
        "go forward",
        "go forward ten",
        "go forward ten meters",
        "Go forward ten meters.",
    ]
    assert [part.stability for part in words[1].parts] == [STABLE, UNSTABLE]
    assert words[1].parts[1].text.startswith(" ")
    final = words[-1].parts[0]
    assert final.is_final
    assert [word[0] for word in final.words] == ["go", "forward", "ten", "meters"]
    ended = next(r for r in results if isinstance(r, ActivityEnded))
    assert results[0].at_s < ended.at_s < final.end_s


@pytest.mark.parametrize("step", [1, 37, 160, 8_000])
def test_results_do_not_depend_on_how_the_audio_was_cut(step: int) -> None:
    settings = GoogleTurnSettings(("en-US",), interim_lag_s=0.0, final_lag_s=0.0)
    assert hear(settings, CLIP.ulaw + SILENCE, step) == hear(settings, CLIP.ulaw + SILENCE)


def test_what_was_not_asked_for_is_not_said() -> None:
    settings = GoogleTurnSettings(("en-US",), has_interims=False, has_events=False)
    results = hear(settings, CLIP.ulaw + SILENCE)
    assert len(results) == 1
    assert isinstance(results[0], PartsHeard)
    assert results[0].parts[0].words == ()


def test_another_language_is_sound_without_words() -> None:
    results = hear(GoogleTurnSettings(("yue-Hant-HK",)), CLIP.ulaw + SILENCE)
    assert not [r for r in results if isinstance(r, PartsHeard)]
    assert isinstance(results[0], ActivityBegan)


def test_the_end_of_the_audio_settles_the_phrase() -> None:
    results = hear(GoogleTurnSettings(("en-GB",)), CLIP.ulaw)
    last = results[-1]
    assert isinstance(last, PartsHeard)
    assert last.parts[0].text == "Go forward ten meters."


def test_silence_is_not_mentioned() -> None:
    assert hear(GoogleTurnSettings(("en-US",)), SILENCE * 4) == []
