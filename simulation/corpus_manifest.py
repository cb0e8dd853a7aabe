"""Recordings to make turns of: the clips that ship, or a folder of anybody's own.

A folder holds sound files (WAV, 16-bit PCM or mu-law, any rate) and ``manifest.json`` (or
``clips.json``), a list of objects with these fields:

    file        path within the folder
    language    BCP-47 tag: ``en-US``, ``de``, ``zh-HK``, ``yue``
    transcript  what is said, as one would write it; entries without one are left out
    words       ``[["go", 0.51, 0.85], ...]``, seconds; when missing they share the speech out
    speech_segments_s  ``[[0.51, 2.37], ...]``, between them is pause; when missing, by level
    kind        ``human`` (when missing) or anything that begins with ``synthetic``
    licence, source    for the report; not interpreted
    role        ``utterance`` (when missing), ``digit``, ``yes_no``, ``backchannel``,
                ``interruption``
    speaker     who speaks; recordings of one speaker never fall on both sides of the split
    name        its name in reports; the file's when missing

What is wrong with an entry leaves it out; where only the times of its words are, it is taken
without them. Both are told.

The ends of speech decide what counts as a cut and from where a latency is counted: label them by
hand, or check what was found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from simulation.clip_library import (
    SAMPLE_RATE_HZ,
    Clip,
    ClipLibrary,
    Word,
    display_words,
    load_library,
)
from simulation.corpus_labels import (
    Segments,
    language_of,
    role_of,
    segments_of,
    text_field,
    words_of,
)
from simulation.corpus_questions import tongue
from simulation.errors import ClipUnreadable
from simulation.resampling import resample
from simulation.wav_file import Sound, read_wav

# Recordings that only corpora are made of: simulated callers would say little but digits.
CORPUS_CLIPS = Path(__file__).parent / "clips" / "corpus"
_NAMES = ("manifest.json", "clips.json")
_SEGMENTS = ("speech_segments_s", "true_speech_segments_s", "auto_speech_segments_s")
_WINDOW = 80  # 10 ms
_EMPHASIS = 0.9
_BELOW_PEAK_DB = 30.0  # the limit lies so far below the peak, or above the floor, but never nearer
_ABOVE_FLOOR_DB = 9.0
_LEAST_DB = 14.0
_JOIN_S = 0.1
_SHORTEST_S = 0.06

_MOST_BYTES = 200 << 20
_RATES_HZ = (4_000, 384_000)


@dataclass(frozen=True, slots=True)
class Recordings:
    """What a folder holds.

    Attributes:
        left_out: Files that cannot be used, and why, a line each.
        doubts: What is wrong with others, and what was done about it, likewise.
    """

    clips: ClipLibrary
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_recordings(folder: Path | None = None) -> Recordings:
    """The recordings of ``folder``, or those that ship.

    Raises:
        ClipUnreadable: There is no list, it is not of the form above, or nothing in it is usable.
    """
    if folder is None:
        more = load_library(CORPUS_CLIPS)
        return Recordings(ClipLibrary((*load_library(), *more)))
    path = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    if path is None:
        raise ClipUnreadable(f"{folder} holds no {_NAMES[0]}: see docs/turn-taking.md for its form")
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ClipUnreadable(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise ClipUnreadable(f"{path} must hold a list of objects")
    clips: dict[str, Clip] = {}
    left_out: list[str] = []
    doubts: list[str] = []
    for number, entry in enumerate(entries, 1):
        file = entry.get("file") if isinstance(entry, dict) else None
        named = file if isinstance(file, str) and file.isprintable() else f"entry {number}"
        doubted: list[str] = []
        try:
            clip = _clip(entry, folder, doubted)
            if clip.name in clips:
                raise ClipUnreadable(f"there is a {clip.name} before it: give each a name")
            clips[clip.name] = clip
            doubts += doubted
        except ClipUnreadable as error:
            left_out.append(f"{named}: {error.message}")
    if not clips:
        raise ClipUnreadable(f"{path}: nothing in it can be used; " + "; ".join(left_out[:3]))
    return Recordings(ClipLibrary(tuple(clips.values())), tuple(left_out), tuple(doubts))


def _clip(entry: object, folder: Path, doubts: list[str]) -> Clip:
    if not isinstance(entry, dict):
        raise ClipUnreadable("must be an object")
    file, language, role = text_field(entry, "file"), language_of(entry), role_of(entry)
    if entry.get("transcript") in (None, ""):
        raise ClipUnreadable("no transcript")
    transcript = text_field(entry, "transcript")
    shown = display_words(transcript, "zh" if tongue(language) == "yue" else language)
    if not any(char.isalnum() for char in transcript) or not shown:
        raise ClipUnreadable("no words in its transcript")
    path = folder / file
    sound = _sound(path)
    duration_s = len(sound.samples) / sound.rate_hz
    given = next((name for name in _SEGMENTS if entry.get(name)), None)
    if given is not None:
        segments = segments_of(given, entry[given], duration_s)
    else:
        segments = speech_by_level(resample(sound.samples, sound.rate_hz, SAMPLE_RATE_HZ))
    if not segments or not _is_sounding(sound, segments):
        raise ClipUnreadable("no speech in it")
    words = apportioned(shown, segments)
    if entry.get("words"):
        try:
            words = words_of(entry["words"], shown, duration_s)
        except ClipUnreadable as error:
            doubts.append(f"{file}: {error.message}; its words share its speech out instead")
    return Clip(
        name=str(entry.get("name") or file),
        language=language,
        transcript=transcript,
        words=words,
        segments=_without_afterthoughts(segments, words),
        kind="synthetic" if str(entry.get("kind", "human")).startswith("synthetic") else "human",
        licence=str(entry.get("licence", "")),
        source=str(entry.get("source", "")),
        path=path,
        role=role,
        speaker=str(entry.get("speaker") or ""),
    )


def _sound(path: Path) -> Sound:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ClipUnreadable(f"larger than {_MOST_BYTES >> 20} MB: cut it into turns")
        sound = read_wav(path.read_bytes())
    except OSError as error:
        raise ClipUnreadable(error.strerror or "cannot be read") from error
    except ValueError as error:  # a name that no file can have
        raise ClipUnreadable(str(error)) from error
    if not _RATES_HZ[0] <= sound.rate_hz <= _RATES_HZ[1]:
        raise ClipUnreadable(f"{sound.rate_hz} Hz is no rate of speech")
    return sound


def _is_sounding(sound: Sound, segments: Segments) -> bool:
    """Whether there is any sound where somebody speaks."""
    spans = ((round(begin * sound.rate_hz), round(end * sound.rate_hz)) for begin, end in segments)
    return any(bool(sound.samples[begin:end].any()) for begin, end in spans)


def _without_afterthoughts(segments: Segments, words: tuple[Word, ...]) -> Segments:
    """Sounds that lie wholly outside all words are no speech: a breath, a click, a chair."""
    first_s, last_s = words[0].start_s, words[-1].end_s
    kept = tuple(span for span in segments if span[1] > first_s - 0.1 and span[0] < last_s)
    return kept or segments


def apportioned(shown: tuple[str, ...], segments: Segments) -> tuple[Word, ...]:
    """Share stretches of speech out over the words, by their letters."""
    total_s = sum(end - start for start, end in segments)
    weights = [max(1, sum(char.isalnum() for char in word)) for word in shown]
    words: list[Word] = []
    done = 0
    for display, weight in zip(shown, weights, strict=True):
        start_s = _at(done / sum(weights) * total_s, segments)
        done += weight
        end_s = max(_at(done / sum(weights) * total_s, segments, is_end=True), start_s + 0.01)
        text = "".join(char for char in display.lower() if char.isalnum() or char in "'’")
        words.append(Word(text or display, start_s, end_s, display))
    return tuple(words)


def _at(spoken_s: float, segments: Segments, *, is_end: bool = False) -> float:
    for start, end in segments:
        length = end - start
        if spoken_s < length - 1e-9 or (is_end and spoken_s <= length + 1e-9):
            return start + spoken_s
        spoken_s -= length
    return segments[-1][1]


def speech_by_level(samples: npt.NDArray[np.int16]) -> Segments:
    """Stretches of speech in quiet recordings, to about 0.1 s: above the floor, near the peak.

    Low frequencies count little: there is rumble, and soft consonants at the ends of words are
    high.
    """
    count = len(samples) // _WINDOW
    if count == 0:
        return ()
    wide = samples[: count * _WINDOW].astype(np.float64)
    wide[1:] -= _EMPHASIS * wide[:-1].copy()
    power = np.square(wide).reshape(count, _WINDOW).mean(axis=1)
    smooth = np.convolve(power, np.ones(3) / 3, "same")
    level_db = 10 * np.log10(np.maximum(smooth, 1.0))
    if not samples.any():
        return ()
    peak_db, floor_db = (float(np.quantile(level_db, q)) for q in (0.95, 0.1))
    limit_db = min(max(peak_db - _BELOW_PEAK_DB, floor_db + _ABOVE_FLOOR_DB), peak_db - _LEAST_DB)
    found: list[list[float]] = []
    for at in np.flatnonzero(level_db > limit_db):
        start_s = float(at) * _WINDOW / SAMPLE_RATE_HZ
        end_s = start_s + _WINDOW / SAMPLE_RATE_HZ
        if found and start_s - found[-1][1] < _JOIN_S:
            found[-1][1] = end_s
        else:
            found.append([start_s, end_s])
    return tuple((a, b) for a, b in found if b - a >= _SHORTEST_S)
