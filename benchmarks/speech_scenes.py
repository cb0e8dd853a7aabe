"""Recordings as calls bring them: on a line with noise of its own, over mu-law, with labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from simulation.clip_library import SAMPLE_RATE_HZ, Clip
from telephony import g711
from voice.ports import FRAME_SAMPLES

LEAD_S: Final = 1.0
TAIL_S: Final = 1.5
LINE_DBFS: Final = -64.0

Wave = npt.NDArray[np.float64]
Frames = npt.NDArray[np.int16]
Spans = tuple[tuple[float, float], ...]
Noise = Callable[[int, np.random.Generator, Sequence[Clip]], Wave]


@dataclass(frozen=True, slots=True)
class Scene:
    """One recording in one condition.

    Attributes:
        frames: int16, shape ``(n, 160)``.
        speech: Stretches of speech, seconds; between them is pause.
        words: Words, seconds; a recogniser's or a publisher's times.
    """

    frames: Frames
    speech: Spans
    words: Spans


@dataclass(frozen=True, slots=True)
class Condition:
    """What is done to a recording at -23 dBFS.

    Attributes:
        gain_db: Of the speaker.
        noise: Added to the line, None for none.
        is_telephone: Through mu-law; else 16 bits.
    """

    gain_db: float = 0.0
    noise: Noise | None = None
    is_telephone: bool = True


def pink(dbfs: float) -> Noise:
    """A fan, a car, a street from inside."""

    def make(count: int, random: np.random.Generator, _clips: Sequence[Clip]) -> Wave:
        spectrum = np.fft.rfft(random.standard_normal(count))
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
        return _at(np.fft.irfft(spectrum, count), dbfs)

    return make


def babble(dbfs: float) -> Noise:
    """Five others at once."""

    def make(count: int, random: np.random.Generator, clips: Sequence[Clip]) -> Wave:
        long = [clip for clip in clips if clip.kind == "human" and clip.duration_s > 2.5]
        mixed = np.zeros(count)
        for _ in range(5):
            voice: list[Wave] = []
            while sum(map(len, voice)) < 2 * count:
                voice.append(_linear(long[int(random.integers(len(long)))]))
            start = int(random.integers(count))
            mixed += np.concatenate(voice)[start : start + count]
        return _at(mixed, dbfs)

    return make


def keyboard(dbfs: float) -> Noise:
    """Two to eight clicks a second, of 10 ms each; ``dbfs`` is their peak."""

    def make(count: int, random: np.random.Generator, _clips: Sequence[Clip]) -> Wave:
        clicks = np.zeros(count)
        at = int(random.uniform(0.12, 0.5) * SAMPLE_RATE_HZ)
        while at + 240 < count:
            shape = np.exp(-np.arange(240) / 40) * random.uniform(0.5, 1.0)
            clicks[at : at + 240] += random.standard_normal(240) * shape
            at += int(random.uniform(0.12, 0.5) * SAMPLE_RATE_HZ)
        return clicks * _amplitude(dbfs) / max(float(np.abs(clicks).max()), 1e-9)

    return make


def hum(dbfs: float) -> Noise:
    """Mains at 50 Hz and a harmonic."""

    def make(count: int, _random: np.random.Generator, _clips: Sequence[Clip]) -> Wave:
        turns = 2 * np.pi * 50 * np.arange(count) / SAMPLE_RATE_HZ
        return _at(np.sin(turns) + 0.5 * np.sin(3 * turns), dbfs)

    return make


def music(dbfs: float) -> Noise:
    """Chords, two a second, that die away."""

    def make(count: int, random: np.random.Generator, _clips: Sequence[Clip]) -> Wave:
        played = np.zeros(count)
        time_s = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
        for at in range(0, count, len(time_s)):
            root_hz = 220 * 2 ** (int(random.integers(12)) / 12)
            notes = [
                np.sin(2 * np.pi * root_hz * note * part * time_s) / part
                for note in (1, 1.26, 1.5, 2)
                for part in (1, 2, 3)
            ]
            chord = np.sum(notes, axis=0) * np.exp(-2 * time_s)
            played[at : at + len(chord)] = chord[: count - at]
        return _at(played, dbfs)

    return make


CONDITIONS: Final = MappingProxyType(
    {
        "16 bits": Condition(is_telephone=False),
        "mu-law": Condition(),
        "soft speaker": Condition(gain_db=-14.0),
        "pink, 20 dB": Condition(noise=pink(-43.0)),
        "pink, 10 dB": Condition(noise=pink(-33.0)),
        "hum, 12 dB": Condition(noise=hum(-35.0)),
        "music, 15 dB": Condition(noise=music(-38.0)),
        "keyboard": Condition(noise=keyboard(-20.0)),
        "babble, 15 dB": Condition(noise=babble(-38.0)),
    }
)
NOISES: Final = MappingProxyType(
    {
        "line": None,
        "pink, -40 dBFS": pink(-40.0),
        "hum, -35 dBFS": hum(-35.0),
        "music, -38 dBFS": music(-38.0),
        "keyboard": keyboard(-20.0),
    }
)


def scenes(clips: Sequence[Clip], condition: Condition, seed: int) -> list[Scene]:
    """Every clip in a condition, a second after the line opens."""
    random = np.random.default_rng(seed)
    made = []
    for clip in clips:
        seconds = LEAD_S + clip.duration_s + TAIL_S
        sound = np.zeros(-(-int(seconds * SAMPLE_RATE_HZ) // FRAME_SAMPLES) * FRAME_SAMPLES)
        start = int(LEAD_S * SAMPLE_RATE_HZ)
        wave = _linear(clip) * 10 ** (condition.gain_db / 20)
        sound[start : start + len(wave)] = wave
        frames = on_line(sound, condition.noise, random, clips, is_telephone=condition.is_telephone)
        words = tuple((word.start_s, word.end_s) for word in clip.words)
        made.append(Scene(frames, _later(clip.segments), _later(words)))
    return made


def on_line(
    sound: Wave,
    noise: Noise | None,
    random: np.random.Generator,
    clips: Sequence[Clip],
    *,
    is_telephone: bool = True,
) -> Frames:
    """A caller's sound with the line's own and further noise, as frames."""
    heard = sound + random.standard_normal(len(sound)) * _amplitude(LINE_DBFS)
    if noise is not None:
        heard += noise(len(sound), random, clips)
    samples = np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)
    if is_telephone:
        samples = g711.decode(g711.encode(samples))
    return samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def conversation(
    clips: Sequence[Clip], share: float, seconds: float, noise: Noise | None, seed: int
) -> Frames:
    """One call whose caller speaks ``share`` of the time, at moments of their own."""
    random = np.random.default_rng(seed)
    sound = np.zeros(int(seconds * SAMPLE_RATE_HZ))
    at = int(random.uniform(0, 3) * SAMPLE_RATE_HZ) if share else len(sound)
    while at < len(sound):
        clip = clips[int(random.integers(len(clips)))]
        wave = _linear(clip)[: len(sound) - at]
        sound[at : at + len(wave)] += wave
        spoken_s = sum(end_s - start_s for start_s, end_s in clip.segments)
        gap_s = max(0.1, spoken_s / share - clip.duration_s) * random.uniform(0.7, 1.3)
        at += int((clip.duration_s + gap_s) * SAMPLE_RATE_HZ)
    return on_line(sound, noise, random, clips)


def _linear(clip: Clip) -> Wave:
    return g711.decode(clip.ulaw).astype(np.float64)


def _later(spans: Spans) -> Spans:
    return tuple((LEAD_S + start_s, LEAD_S + end_s) for start_s, end_s in spans)


def _amplitude(dbfs: float) -> float:
    return float(32_768 * 10 ** (dbfs / 20))


def _at(wave: Wave, dbfs: float) -> Wave:
    return wave / max(float(wave.std()), 1e-9) * _amplitude(dbfs)
