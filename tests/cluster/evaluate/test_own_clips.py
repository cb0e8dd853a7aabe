"""Turns made of a folder of anybody's own recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from cluster.evaluate.replay_run import Asked, turns_of
from simulation.corpus_manifest import read_recordings

SPOKEN = next(clip for clip in read_recordings().clips if clip.name == "goforward")


def folder_with(folder: Path, *languages: str) -> Path:
    entries = []
    for number, language in enumerate(languages):
        shutil.copy(SPOKEN.path, folder / f"{number}.wav")
        entries.append({"file": f"{number}.wav", "language": language, "transcript": "Go on now."})
    entries.append({"file": "nowhere.wav", "language": "en", "transcript": "Go."})
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder


def test_recordings_count_in_whatever_language_they_are(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "fr-CA", "en-US", "tlh")
    turns, _, notes = turns_of(Asked(turns=30, clips=folder))
    assert {turn.language for turn in turns} == {"fr-CA", "en-US", "tlh"}
    assert notes == ("left out: nowhere.wav: No such file or directory",)
    turns, _, _ = turns_of(Asked(turns=30, clips=folder, languages=("fr",)))
    assert {turn.language for turn in turns} == {"fr-CA"}


def test_recordings_that_ship_are_spoken_in_the_same_shares_as_ever() -> None:
    turns, _, notes = turns_of(Asked(turns=100))
    assert sum(turn.language == "en-US" for turn in turns) == 40
    assert notes == ()
