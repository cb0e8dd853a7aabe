from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from simulation.clip_library import SAMPLE_RATE_HZ
from simulation.corpus import CorpusPlan, build_corpus, side_of
from simulation.corpus_manifest import read_recordings, speech_by_level
from simulation.corpus_noise import NOISES, SPEECH_DBFS, LineNoise, draw_noise, noise_loop
from simulation.corpus_pauses import SURVIVAL, longest_pause_s
from simulation.corpus_questions import tongue
from simulation.corpus_speech import boundary, breaks
from simulation.corpus_turn import LabelledTurn
from simulation.errors import ClipMissing, ClipUnreadable
from simulation.wav_file import Sound, read_wav, write_wav

LIBRARY = read_recordings().clips
PLAN = CorpusPlan(turns=300, seed=5)
TURNS = build_corpus(LIBRARY, PLAN)
CLIPS = LIBRARY.clip("goforward").path.parent.parent


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(max(1e-9, np.square(samples.astype(float) / 32_768).mean())))


def between(turn: LabelledTurn, start_s: float, end_s: float) -> np.ndarray:
    return turn.samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]


def test_the_same_seed_gives_the_same_turns() -> None:
    again = build_corpus(LIBRARY, PLAN)
    assert [t.turn_id for t in again] == [t.turn_id for t in TURNS]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(again, TURNS, strict=True))
    other = build_corpus(LIBRARY, replace(PLAN, seed=6))
    assert any(len(a.samples) != len(b.samples) for a, b in zip(other, TURNS, strict=True))


def test_turns_end_where_speech_ends() -> None:
    for turn in TURNS:
        assert turn.speech_start_s <= turn.words[0].start_s + 0.25
        assert turn.words[-1].end_s <= turn.speech_end_s + 0.05
        assert turn.speech_end_s <= len(turn.samples) / SAMPLE_RATE_HZ + 1e-3
        # The last quarter of a second of speech is louder than what follows it.
        tail = between(turn, turn.speech_end_s + 0.05, turn.speech_end_s + 0.2)
        if len(tail):
            spoken = between(turn, max(0.0, turn.speech_end_s - 1.0), turn.speech_end_s)
            assert level_db(tail) < level_db(spoken) - 3


def test_pauses_are_where_they_are_labelled_and_quiet() -> None:
    paused = [turn for turn in TURNS if turn.kind == "paused" and not turn.is_synthetic]
    assert len(paused) > 100
    for turn in paused:
        for start_s, end_s in turn.pauses:
            middle = between(turn, start_s + 0.04, end_s - 0.04)
            assert level_db(middle) < -40, turn.turn_id
            assert not any(
                word.start_s < (start_s + end_s) / 2 < word.end_s for word in turn.words
            ), "no word is torn apart"


def test_words_keep_their_order_and_text() -> None:
    for turn in TURNS:
        ends = [word.end_s for word in turn.words]
        assert ends == sorted(ends)
        if turn.kind != "digits":
            assert [w.text for w in turn.words] == [
                w.text for w in LIBRARY.clip(turn.clips[0]).words
            ]


def test_pauses_are_as_long_as_published_ones() -> None:
    drawn = [longest_pause_s((n + 0.5) / 10_000) for n in range(10_000)]
    for length_s, share in SURVIVAL:
        assert sum(pause > length_s for pause in drawn) / 10_000 == pytest.approx(share, abs=1e-3)


def test_stratified_turns_follow_that_distribution_in_small_corpora_too() -> None:
    spoken = [t for t in TURNS if t.kind in ("plain", "paused") and len(t.words) >= 4]
    longer = sum(turn.longest_pause_s > 0.6 for turn in spoken) / len(spoken)
    assert longer == pytest.approx(0.217, abs=0.06)


def test_digits_come_from_one_speaker_and_are_as_many_as_were_asked_for() -> None:
    numbers = [turn for turn in TURNS if turn.kind == "digits"]
    assert numbers
    for turn in numbers:
        assert len({LIBRARY.clip(name).speaker for name in turn.clips}) == 1
        wanted = {"four": 4, "six": 6, "eight": 8}
        for word, count in wanted.items():
            if f"{word} digit" in turn.asked:
                assert len(turn.words) == count


def test_every_kind_and_language_is_there() -> None:
    kinds = Counter(turn.kind for turn in TURNS)
    assert set(kinds) == {
        "plain", "paused", "natural", "digits", "yes_no", "backchannel", "interruption",
    }  # fmt: skip
    assert {tongue(turn.language) for turn in TURNS} == {"en", "de", "es", "it", "zh", "yue"}
    assert all(turn.is_synthetic for turn in TURNS if tongue(turn.language) == "yue")


def test_no_speaker_is_on_both_sides_of_the_split() -> None:
    sides = {
        split: build_corpus(LIBRARY, replace(PLAN, split=split)) for split in ("dev", "held-out")
    }
    used = {split: {name for t in turns for name in t.clips} for split, turns in sides.items()}
    assert not used["dev"] & used["held-out"]
    for split, names in used.items():
        assert {side_of(LIBRARY.clip(name)) for name in names} == {split}
    speakers = [
        {LIBRARY.clip(n).speaker for n in names if LIBRARY.clip(n).speaker}
        for names in used.values()
    ]
    assert not speakers[0] & speakers[1]


def test_languages_without_recordings_are_named() -> None:
    with pytest.raises(ClipMissing, match="fi"):
        build_corpus(LIBRARY, replace(PLAN, languages={"fi": 1.0}))


def test_a_speakers_own_pause_lies_before_the_right_word() -> None:
    clip = LIBRARY.clip("jfk")
    found = {clip.words[word].text: pause for word, pause in breaks(clip).items()}
    assert found["ask"][0] in (2.24, 7.648)
    end_s, start_s = boundary(clip, next(iter(breaks(clip))))
    assert end_s < start_s


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_as_loud_as_it_says(kind: str) -> None:
    noise = draw_noise(Random(4), kind)  # type: ignore[arg-type]
    loop = noise_loop(noise, list(LIBRARY), "seed")
    expected = noise.line_dbfs if noise.snr_db is None else SPEECH_DBFS - noise.snr_db
    assert level_db(loop) == pytest.approx(expected, abs=1.0)
    assert -58.0 <= noise.line_dbfs <= -35.0


def test_noise_of_the_same_seed_is_the_same() -> None:
    noise = LineNoise("babble", -50.0, 15.0)
    first, again = (noise_loop(noise, list(LIBRARY), "x") for _ in range(2))
    assert np.array_equal(first, again)


# --- recordings of anybody's own -------------------------------------------------------------


def folder_with(tmp_path: Path, *entries: dict[str, object]) -> Path:
    shutil.copy(CLIPS / "en" / "goforward.wav", tmp_path / "a.wav")
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    return tmp_path


WHOLE = {"file": "a.wav", "language": "en-GB", "transcript": "Go forward ten meters."}


def test_a_manifest_needs_no_more_than_file_language_and_transcript(tmp_path: Path) -> None:
    (clip,) = read_recordings(folder_with(tmp_path, WHOLE)).clips
    assert [word.text for word in clip.words] == ["go", "forward", "ten", "meters"]
    assert clip.speech_start_s == pytest.approx(0.51, abs=0.1)
    assert clip.speech_end_s == pytest.approx(2.37, abs=0.12)
    assert clip.kind == "human"
    assert build_corpus(read_recordings(tmp_path).clips, CorpusPlan(turns=10))


def test_what_a_manifest_says_is_believed(tmp_path: Path) -> None:
    entry = WHOLE | {
        "words": [["go", 0.5, 0.8], ["forward", 0.8, 1.4], ["ten", 1.4, 1.7], ["meters", 1.7, 2.4]],
        "speech_segments_s": [[0.5, 2.4]],
        "kind": "synthetic (a robot)",
        "role": "interruption",
        "speaker": "ann",
    }
    (clip,) = read_recordings(folder_with(tmp_path, entry)).clips
    assert clip.words[2].start_s == 1.4
    assert (clip.speech_end_s, clip.kind, clip.role, clip.speaker) == (
        2.4, "synthetic", "interruption", "ann",
    )  # fmt: skip


def test_what_cannot_be_used_is_left_out_and_told(tmp_path: Path) -> None:
    found = read_recordings(
        folder_with(
            tmp_path,
            WHOLE,
            {"file": "b.wav", "language": "en", "transcript": "Not there."},
            {"file": "a.wav", "language": "en", "transcript": None},
            {"language": "en"},
        )
    )
    assert len(found.clips) == 1
    assert len(found.left_out) == 3
    assert "b.wav" in found.left_out[0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"speech_segments_s": [[0.5, 100.0]]}, "the recording at"),
        ({"speech_segments_s": [[-5.0, 2.0]]}, "no stretch of time"),
        ({"speech_segments_s": [[2.0, 0.5]]}, "no stretch of time"),
        ({"speech_segments_s": [[1.0, 1.0]]}, "no stretch of time"),
        ({"speech_segments_s": [[1.5, 2.2], [0.5, 1.2]]}, "begins before"),
        ({"speech_segments_s": [[float("nan"), 2.0]]}, "are no seconds"),
        ({"speech_segments_s": [[0.5, float("inf")]]}, "are no seconds"),
        ({"speech_segments_s": [[0.5]]}, "are no seconds"),
        ({"speech_segments_s": "0.5-2.4"}, "must be a list"),
        ({"language": None}, "language: must be text"),
        ({"language": "The Queen's English"}, "no BCP-47 tag"),
        ({"transcript": 7}, "transcript: must be text"),
        ({"transcript": "...!"}, "no words"),
        ({"role": "shouting"}, "none of utterance, digit"),
        ({"file": "a\0.wav"}, "null"),
        ({"file": "."}, "Is a directory"),
        ({"file": "fast.wav"}, "no rate of speech"),
        ({"file": "dead.wav"}, "no speech"),
        ({"file": "dead.wav", "speech_segments_s": [[0.2, 0.8]]}, "no speech"),
        ({"transcript": "Something else."}, "give each a name"),
    ],
)
def test_labels_that_cannot_be_are_told_and_bring_no_figures(
    tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    (tmp_path / "dead.wav").write_bytes(write_wav(Sound(np.zeros(8_000, np.int16), 8_000)))
    tone = np.full(8_000, 900, np.int16)
    (tmp_path / "fast.wav").write_bytes(write_wav(Sound(tone, 500_000_000)))
    found = read_recordings(folder_with(tmp_path, WHOLE, WHOLE | wrong))
    assert len(found.clips) == 1
    assert len(found.left_out) == 1
    assert told in found.left_out[0]
    assert found.left_out[0].isprintable()


@pytest.mark.parametrize(
    "words",
    [
        [["go", 0.5, 0.8], ["forward", 0.8, 1.4]],
        [["go", 0.5, 0.8], ["forward", 0.8, 1.4], ["ten", 1.4, 1.7], ["meters", 1.2, 2.4]],
        [["go", 9.5, 9.8], ["forward", 9.8, 9.9], ["ten", 10.4, 10.7], ["meters", 11.0, 12.0]],
        [["go", -1.0, -0.5], ["forward", -0.4, 1.4], ["ten", 1.4, 1.7], ["meters", 1.7, 2.4]],
        [["go", 0.5, float("nan")], ["forward", 0.8, 1.4], ["ten", 1.4, 1.7], ["meters", 1.7, 2]],
        [["go"], ["forward"], ["ten"], ["meters"]],
        {"go": 0.5},
        5,
    ],
)
def test_words_whose_times_cannot_be_share_the_speech_out(tmp_path: Path, words: object) -> None:
    (shared,) = read_recordings(folder_with(tmp_path, WHOLE)).clips
    found = read_recordings(folder_with(tmp_path, WHOLE | {"words": words}))
    (clip,) = found.clips
    assert clip.words == shared.words
    assert len(found.doubts) == 1
    assert "a.wav: words:" in found.doubts[0]


def test_a_label_that_was_rounded_up_ends_with_its_recording(tmp_path: Path) -> None:
    length_s = len(read_wav((CLIPS / "en" / "goforward.wav").read_bytes()).samples) / 16_000
    entry = WHOLE | {"speech_segments_s": [[0.5, length_s + 0.05]]}
    (clip,) = read_recordings(folder_with(tmp_path, entry)).clips
    assert clip.speech_end_s == length_s


def test_a_folder_without_anything_usable_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClipUnreadable, match=r"manifest\.json"):
        read_recordings(tmp_path)
    with pytest.raises(ClipUnreadable, match="nothing in it"):
        read_recordings(folder_with(tmp_path, {"file": "x.wav"}))


@pytest.mark.parametrize("name", ["librivox_0880", "pv_it", "card003", "something"])
def test_speech_is_found_by_level_where_it_is_labelled(name: str) -> None:
    clip = LIBRARY.clip(name)
    from simulation.corpus_speech import linear

    found = speech_by_level(linear(clip))
    assert found[0][0] == pytest.approx(clip.speech_start_s, abs=0.12)
    assert found[-1][1] == pytest.approx(clip.speech_end_s, abs=0.2)
