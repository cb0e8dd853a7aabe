"""The speech clips that ship with the product, ready to be played into a call.

Simulated callers play a clip's bytes and the emulated recogniser knows them by heart, so both
derive them here, by integer arithmetic only: read, resample to 8 kHz, bring to one speech level,
encode as mu-law, fill up to whole frames.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulation.errors import ClipMissing, ClipUnreadable
from simulation.resampling import resample
from simulation.wav_file import read_wav
from telephony import g711

SAMPLE_RATE_HZ = 8_000
FRAME_BYTES = 160
_SPEECH_LEVEL = 2_300  # root mean square of active speech, of 32,768: -23 dB of full scale
_PEAK_LIMIT = 30_000
_QUIET = b"\xff"
_CLIPS = Path(__file__).parent / "clips"
# Spoken Chinese goes by two tags each in our world; the right one is what clips.json uses.
_SAME_LANGUAGE = {"yue": "zh-hk", "yue-cn": "zh-hk", "yue-hant-hk": "zh-hk", "cmn": "zh-cn"}


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word (one character in Chinese) and where it lies in the clip, in seconds.

    Attributes:
        text: Lower case without punctuation (German keeps its capitals).
        display: The same as written in the transcript, with its punctuation.
    """

    text: str
    start_s: float
    end_s: float
    display: str


@dataclass(frozen=True)
class Clip:
    """A known piece of speech.

    Attributes:
        name: Short name, such as ``goforward``.
        language: BCP-47 tag, such as ``en-US`` or ``zh-HK``.
        transcript: What is said, as one would write it.
        words: In order; times from the publisher, or apportioned over the speech segments.
        segments: Stretches of speech, ``(start_s, end_s)``; what lies between is pause.
        kind: ``human`` or ``synthetic``.
        role: What it can be in a corpus: ``utterance``, ``digit``, ``yes_no``, ``backchannel`` or
            ``interruption``.
        speaker: Who says it, where that is known: pieces of one number come from one speaker.
        is_as_heard: Its level is that of the call already, noise included: it is not changed.
        ulaw: 8 kHz mu-law, a whole number of 160-byte frames.
    """

    name: str
    language: str
    transcript: str
    words: tuple[Word, ...]
    segments: tuple[tuple[float, float], ...]
    kind: str
    licence: str
    source: str
    path: Path
    role: str = "utterance"
    speaker: str = ""
    is_as_heard: bool = False

    @property
    def speech_start_s(self) -> float:
        """Where the first speech begins."""
        return self.segments[0][0]

    @property
    def speech_end_s(self) -> float:
        """Where the last speech ends; what follows is room noise."""
        return self.segments[-1][1]

    @property
    def duration_s(self) -> float:
        """Length of the audio, whole frames."""
        return len(self.ulaw) / SAMPLE_RATE_HZ

    @cached_property
    def ulaw(self) -> bytes:
        """The audio. Raises ``ClipUnreadable`` when the file is damaged."""
        sound = read_wav(self.path.read_bytes())
        samples = resample(sound.samples, sound.rate_hz, SAMPLE_RATE_HZ)
        if not self.is_as_heard:
            samples = _at_speech_level(samples, self.segments)
        encoded = bytes(g711.encode(samples))
        # One zero only: minus zero would not survive a way through linear samples.
        encoded = encoded.replace(b"\x7f", _QUIET)
        return encoded + _QUIET * (-len(encoded) % FRAME_BYTES)

    def frames(self) -> Iterator[bytes]:
        """The audio as frames of 160 bytes (20 ms)."""
        for at in range(0, len(self.ulaw), FRAME_BYTES):
            yield self.ulaw[at : at + FRAME_BYTES]


def _at_speech_level(
    samples: npt.NDArray[np.int16], segments: tuple[tuple[float, float], ...]
) -> npt.NDArray[np.int16]:
    """Scale so that the speech has the nominal level; whole numbers throughout."""
    wide = samples.astype(np.int64)
    spoken = np.concatenate(
        [wide[int(a * SAMPLE_RATE_HZ) : int(b * SAMPLE_RATE_HZ)] for a, b in segments]
    )
    if len(spoken) == 0:
        return samples
    level = max(1, math.isqrt(int((spoken * spoken).sum()) // len(spoken)))
    peak = max(1, int(np.abs(wide).max()))
    gain = min((_SPEECH_LEVEL << 15) // level, (_PEAK_LIMIT << 15) // peak)
    scaled = (wide * gain + (1 << 14)) >> 15
    clipped: npt.NDArray[np.int16] = np.clip(scaled, -32_768, 32_767).astype(np.int16)
    return clipped


class ClipLibrary:
    """All clips by name and by language.

    Args:
        clips: The clips, in the order in which they are offered.
    """

    def __init__(self, clips: tuple[Clip, ...]) -> None:
        self._by_name = {clip.name: clip for clip in clips}

    def __iter__(self) -> Iterator[Clip]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def names(self) -> tuple[str, ...]:
        """Every clip's name."""
        return tuple(self._by_name)

    def clip(self, name: str) -> Clip:
        """The clip called ``name``. Raises ``ClipMissing``."""
        found = self._by_name.get(name)
        if found is None:
            raise ClipMissing(f"no clip {name!r}; there are: {', '.join(self._by_name)}")
        return found

    def by_language(self, tag: str) -> tuple[Clip, ...]:
        """Clips in the language of a BCP-47 ``tag``.

        ``en-US`` finds exact matches first and any English otherwise; ``yue`` is ``zh-HK``.
        Cantonese and Mandarin are never mixed up by their common ``zh``, which means Mandarin.

        Raises:
            ClipMissing: There is none.
        """
        wanted = _SAME_LANGUAGE.get(tag.lower(), tag.lower())
        if wanted.split("-")[0] == "zh" and wanted != "zh-hk":
            wanted = "zh-cn"
        exact = tuple(clip for clip in self if clip.language.lower() == wanted)
        family = wanted.split("-")[0]
        alike = exact or tuple(
            clip for clip in self if clip.language.lower().split("-")[0] == family
        )
        if not alike:
            spoken = ", ".join(sorted({clip.language for clip in self}))
            raise ClipMissing(f"no clip in {tag!r}; there are clips in: {spoken}")
        return alike


def display_words(transcript: str, language: str) -> tuple[str, ...]:
    """Cut a transcript into its words with their punctuation; Chinese into its characters."""
    if not language.lower().startswith("zh"):
        return tuple(transcript.split())
    words: list[str] = []
    for character in transcript:
        if character.isalnum():
            words.append(character)
        elif words and not character.isspace():
            words[-1] += character
    return tuple(words)


def join_words(words: list[str], language: str) -> str:
    """Put words back together: Chinese without spaces."""
    return ("" if language.lower().startswith("zh") else " ").join(words)


def _clip(entry: dict[str, Any], folder: Path) -> Clip:
    display = display_words(entry["transcript"], entry["language"])
    if len(display) != len(entry["words"]):
        raise ClipUnreadable(
            f"clips.json: {entry['name']} has {len(entry['words'])} timed words"
            f" and {len(display)} written ones"
        )
    words = tuple(
        Word(text, float(start_s), float(end_s), shown)
        for (text, start_s, end_s), shown in zip(entry["words"], display, strict=True)
    )
    return Clip(
        name=entry["name"],
        language=entry["language"],
        transcript=entry["transcript"],
        words=words,
        segments=tuple((float(a), float(b)) for a, b in entry["speech_segments_s"]),
        kind=entry["kind"],
        licence=entry["licence"],
        source=entry["source"],
        path=folder / entry["file"],
        role=entry.get("role", "utterance"),
        speaker=entry.get("speaker", ""),
        is_as_heard=bool(entry.get("is_as_heard")),
    )


@lru_cache(maxsize=4)
def load_library(folder: Path = _CLIPS) -> ClipLibrary:
    """Read ``clips.json`` in ``folder``; sound files are read when first used.

    Raises:
        ClipUnreadable: The list is missing or an entry is incomplete.
    """
    try:
        entries = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
        return ClipLibrary(tuple(_clip(entry, folder) for entry in entries))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClipUnreadable(f"cannot read the list of clips in {folder}: {error}") from error
