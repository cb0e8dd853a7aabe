from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import pytest

from simulation.clip_library import Clip, display_words, join_words, load_library
from simulation.corpus_manifest import CORPUS_CLIPS
from simulation.errors import ClipMissing, ClipUnreadable
from simulation.levels import mean_level

LIBRARY = load_library()


@pytest.mark.parametrize("clip", LIBRARY, ids=lambda clip: clip.name)
def test_a_clip_is_playable_and_its_words_lie_in_its_speech(clip: Clip) -> None:
    assert len(clip.ulaw) % 160 == 0
    assert b"\x7f" not in clip.ulaw, "minus zero would not survive decoding and encoding"
    assert 0 <= clip.speech_start_s < clip.speech_end_s <= clip.duration_s
    assert clip.words[0].start_s >= clip.speech_start_s - 1e-6
    assert clip.words[-1].end_s <= clip.speech_end_s + 1e-6
    assert all(word.start_s < word.end_s for word in clip.words)
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(clip.words))
    assert clip.licence
    assert clip.source


@pytest.mark.parametrize("clip", LIBRARY, ids=lambda clip: clip.name)
def test_speech_has_one_level(clip: Clip) -> None:
    spoken = b"".join(clip.ulaw[int(a * 8_000) : int(b * 8_000)] for a, b in clip.segments)
    assert 700 < mean_level(spoken) < 2_300


def test_the_bytes_are_the_same_on_every_machine() -> None:
    """Caller and recogniser may run on different ones: a change here breaks running clusters."""
    digest = hashlib.sha256(LIBRARY.clip("goforward").ulaw).hexdigest()
    assert digest == "13986b6b30871a0ca00070c341f3c7581465254cb5fce0a225949a3bda724d7f"


def test_frames_are_the_audio() -> None:
    clip = LIBRARY.clip("eot_en_yes")
    frames = list(clip.frames())
    assert {len(frame) for frame in frames} == {160}
    assert b"".join(frames) == clip.ulaw


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ClipMissing, match="goforward"):
        LIBRARY.clip("gone")


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en-US", "en-US"),
        ("en-GB", "en-US"),
        ("de", "de-DE"),
        ("yue", "zh-HK"),
        ("zh-HK", "zh-HK"),
        ("zh", "zh-CN"),
        ("zh-TW", "zh-CN"),
    ],
)
def test_clips_are_found_by_language(tag: str, language: str) -> None:
    assert {clip.language for clip in LIBRARY.by_language(tag)} == {language}


def test_a_language_without_clips_lists_the_others() -> None:
    with pytest.raises(ClipMissing, match="de-DE"):
        LIBRARY.by_language("fr-FR")


def test_chinese_is_cut_into_characters_with_their_punctuation() -> None:
    assert display_words("等陣先,唔係。", "zh-HK") == ("等", "陣", "先,", "唔", "係。")
    assert join_words(["等", "陣"], "zh-HK") == "等陣"
    assert join_words(["go", "on"], "en-US") == "go on"


def test_a_damaged_list_says_where(tmp_path: Path) -> None:
    (tmp_path / "clips.json").write_text(json.dumps([{"name": "x"}]))
    with pytest.raises(ClipUnreadable, match="cannot read the list of clips"):
        load_library(tmp_path)


def test_every_file_on_the_list_is_there_and_small_enough_to_ship() -> None:
    folder = LIBRARY.clip("goforward").path.parent.parent
    listed = {clip.path for clip in (*LIBRARY, *load_library(CORPUS_CLIPS))}
    assert listed == set(folder.rglob("*.wav"))
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 4_000_000
