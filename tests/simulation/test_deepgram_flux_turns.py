from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from simulation.clip_library import load_library
from simulation.deepgram_flux_settings import FluxSettings
from simulation.deepgram_flux_turns import FluxTurns
from simulation.fingerprint import ClipIndex, Fingerprint

LIBRARY = load_library()
INDEX = ClipIndex(LIBRARY)
CLIP = LIBRARY.clip("goforward")
QUIET = b"\xff" * 160
EAGER = FluxSettings(eager_eot_threshold=0.4)
MULTI = FluxSettings(model="flux-general-multi", hints=("en", "de"))

Info = dict[str, Any]


def turns(settings: FluxSettings = EAGER) -> FluxTurns:
    return FluxTurns(settings, Fingerprint(INDEX))


def play(audio: bytes, settings: FluxSettings = EAGER, step: int = 640) -> list[Info]:
    machine = turns(settings)
    pieces = [audio[at : at + step] for at in range(0, len(audio), step)]
    return [info for piece in pieces for info in machine.receive_audio(piece)]


def events(infos: list[Info]) -> list[str]:
    """What happened, without the mere updates."""
    return [info["event"] for info in infos if info["event"] != "Update"]


def only(infos: list[Info], event: str) -> list[Info]:
    return [info for info in infos if info["event"] == event]


def test_one_sentence_from_its_start_to_its_end() -> None:
    infos = play(CLIP.ulaw + QUIET * 50)
    assert events(infos) == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    (start,), (eager,), (end,) = (
        only(infos, event) for event in ("StartOfTurn", "EagerEndOfTurn", "EndOfTurn")
    )
    assert start["transcript"] == "Go"
    assert eager["transcript"] == end["transcript"] == "Go forward ten meters."
    assert end["trigger"] == "model"
    assert end["end_of_turn_confidence"] >= EAGER.eot_threshold
    assert "trigger" not in eager


def test_the_end_comes_a_quarter_of_a_second_behind_a_sentence() -> None:
    (end,) = only(play(CLIP.ulaw + QUIET * 50), "EndOfTurn")
    assert end["audio_window_end"] - CLIP.words[-1].end_s == pytest.approx(0.3, abs=0.12)


def test_something_is_said_of_every_quarter_of_a_second_silence_included() -> None:
    infos = play(QUIET * 100 + CLIP.ulaw + QUIET * 100)
    ends_s = [0.0, *(info["audio_window_end"] for info in infos)]
    gaps_s = [after - before for before, after in pairwise(ends_s)]
    assert max(gaps_s) < 0.27
    assert [info["transcript"] for info in infos[:6]] == [""] * 6


def test_words_come_one_by_one_with_their_times() -> None:
    infos = play(CLIP.ulaw + QUIET * 50)
    texts = list(dict.fromkeys(info["transcript"] for info in infos if info["transcript"]))
    assert texts == ["Go", "Go forward", "Go forward ten", "Go forward ten meters."]
    (end,) = only(infos, "EndOfTurn")
    assert [word["word"] for word in end["words"]] == ["Go", "forward", "ten", "meters."]
    for word, known in zip(end["words"], CLIP.words, strict=True):
        assert (word["start"], word["end"]) == pytest.approx((known.start_s, known.end_s), abs=0.02)


def test_without_an_eager_threshold_there_is_no_eager_end() -> None:
    assert events(play(CLIP.ulaw + QUIET * 50, FluxSettings())) == ["StartOfTurn", "EndOfTurn"]


def test_a_pause_in_a_sentence_is_taken_back() -> None:
    settings = FluxSettings(eot_threshold=0.9, eager_eot_threshold=0.3)
    infos = play(LIBRARY.clip("hes_en_um").ulaw + QUIET * 100, settings)
    assert "TurnResumed" in events(infos)
    for before, after in pairwise(infos):
        if after["event"] == "TurnResumed":
            assert len(after["words"]) > len(before["words"])
    assert only(infos, "EndOfTurn")[-1]["transcript"].endswith("find the return label.")


def test_the_end_has_the_words_of_the_eager_end_before_it() -> None:
    for clip in LIBRARY:
        last = ""
        for info in play(clip.ulaw + QUIET * 60, FluxSettings(eager_eot_threshold=0.3)):
            if info["event"] == "EagerEndOfTurn":
                assert info["transcript"]
                last = info["transcript"]
            elif info["event"] == "EndOfTurn" and info["trigger"] == "model":
                assert info["transcript"] == last


def test_a_sentence_that_never_ends_is_ended_by_the_clock() -> None:
    half = CLIP.ulaw[: int(CLIP.words[1].end_s * 8_000) // 160 * 160 + 320]
    infos = play(half + QUIET * 60, FluxSettings(eot_timeout_ms=700))
    (end,) = only(infos, "EndOfTurn")
    assert end["trigger"] == "timeout"
    assert end["transcript"] == "Go forward"
    assert end["end_of_turn_confidence"] < 0.7


def test_turns_are_counted_and_their_windows_follow_one_another() -> None:
    infos = play((CLIP.ulaw + QUIET * 50) * 2)
    first, second = only(infos, "EndOfTurn")
    assert (first["turn_index"], second["turn_index"]) == (0, 1)
    assert second["audio_window_start"] == first["audio_window_end"]
    assert second["transcript"] == "Go forward ten meters."


def test_sound_without_a_known_word_is_no_turn() -> None:
    noise = bytes((i * 7_919 + i * i) % 251 & 0x9F for i in range(8_000))
    assert events(play(noise + QUIET * 60)) == []


def test_a_language_that_the_model_does_not_hear_is_no_turn() -> None:
    assert events(play(LIBRARY.clip("int_yue_dang").ulaw + QUIET * 60)) == []
    assert events(play(LIBRARY.clip("int_yue_dang").ulaw + QUIET * 60, MULTI)) == []


def test_the_multilingual_model_names_the_language() -> None:
    german = next(clip for clip in LIBRARY if clip.language == "de-DE")
    assert events(play(german.ulaw + QUIET * 60)) == []
    end = only(play(german.ulaw + QUIET * 120, MULTI), "EndOfTurn")[-1]
    assert end["languages"] == ["de"]
    assert end["languages_hinted"] == ["en", "de"]


def test_a_lost_frame_loses_its_word_only() -> None:
    at = int((CLIP.words[2].start_s + 0.1) * 50) * 160
    infos = play(CLIP.ulaw[:at] + CLIP.ulaw[at + 160 :] + QUIET * 50)
    assert only(infos, "EndOfTurn")[0]["transcript"] == "Go forward meters."


def test_a_burst_gives_the_same_turns_as_real_time() -> None:
    audio = LIBRARY.clip("hes_en_um").ulaw + QUIET * 40
    assert play(audio, step=len(audio)) == play(audio, step=160) == play(audio, step=331)


def test_a_forced_end_has_the_words_so_far() -> None:
    machine = turns()
    assert machine.force_end() is None
    machine.receive_audio(CLIP.ulaw[: int((CLIP.words[1].end_s + 0.15) * 8_000)])
    ended = machine.force_end()
    assert ended is not None
    assert (ended["event"], ended["trigger"]) == ("EndOfTurn", "manual")
    assert ended["transcript"] == "Go forward"
    assert ended["end_of_turn_confidence"] < 0.7
    assert machine.force_end() is None


def test_finishing_tells_what_was_heard_and_ends_no_turn() -> None:
    machine = turns()
    machine.receive_audio(CLIP.ulaw[: int(CLIP.words[1].end_s * 8_000) + 160])
    (last,) = machine.finish()
    assert last["event"] == "Update"
    assert last["transcript"] == "Go forward"
    assert machine.finish() == []


def test_a_threshold_that_is_changed_holds_at_once() -> None:
    machine = turns(FluxSettings(eot_threshold=1.0))
    machine.receive_audio(CLIP.ulaw + QUIET * 30)
    machine.settings = FluxSettings()
    assert "EndOfTurn" in events(machine.receive_audio(QUIET))
