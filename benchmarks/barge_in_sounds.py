"""What callers do while an agent speaks: interrupt, murmur, cough; and what their rooms do.

Speech is recorded or synthesised; what is no speech is made here, from a seed. Where a recording of
one word stands for another word (a digit for "okay"), only its sound is used, and the word is what
the recogniser is made to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulation.clip_library import Clip, load_library
from simulation.espeak_voice import load_voice
from telephony import g711

RATE_HZ = 8_000
Kind = Literal["interruption", "one word", "backchannel", "noise", "nothing"]
Samples = npt.NDArray[np.float64]
SPEECH_DBFS = -23.0

_STOPS = {"en": ("stop", "wait", "no"), "zh": ("等一下",), "yue": ("等陣", "唔係")}
_MURMURS = {"en": ("mhm", "okay", "yeah", "right"), "zh": ("嗯", "好"), "yue": ("嗯", "係", "好")}
_SYNTHETIC = (
    ("en", "Uh-huh."),
    ("en", "Okay."),
    ("en", "Yeah."),
    ("en", "Right."),
    ("en", "I see."),
    ("yue", "係。"),
    ("yue", "好。"),
    ("zh", "好的。"),
)


@dataclass(frozen=True, eq=False)
class Sound:
    """One sound of the caller.

    Attributes:
        words: What the recogniser understands, and when each word ends; seconds.
        start_s, end_s: Where it really begins and ends within ``samples``.
        gain_db: How loud its caller is, against the nominal level of speech.
    """

    name: str
    kind: Kind
    language: str
    samples: Samples
    words: tuple[tuple[str, float], ...]
    start_s: float
    end_s: float
    gain_db: float = 0.0


def sounds(seed: int, count: int) -> list[Sound]:
    """So many of each kind."""
    random = Random(f"{seed}/sounds")
    clips = list(load_library())
    found: list[Sound] = []
    for number in range(count):
        found += [
            _interruption(random.choice([c for c in clips if c.role == "utterance"]), random),
            _one_word(clips, random, "one word", _STOPS),
            _backchannel(clips, random) if number % 2 else _synthetic(random),
            _noise(random, seed * 1_000 + number),
        ]
    return found


def question(gain_db: float) -> Sound:
    """What the caller says first, as loud as what comes later."""
    clip = next(clip for clip in load_library() if clip.name == "something")
    return _said(clip, "interruption", gain_db)


def nothing(seconds: float) -> Sound:
    """A caller who only listens."""
    return Sound("nothing", "nothing", "en-US", np.zeros(int(seconds * RATE_HZ)), (), 0.0, seconds)


def at_level(samples: Samples, dbfs: float) -> Samples:
    """The same sound with this root mean square."""
    level = max(float(np.sqrt(np.square(samples).mean())), 1e-9)
    gain = 32_768.0 * 10.0 ** (dbfs / 20.0) / level
    return samples * float(gain)


def linear(clip: Clip) -> Samples:
    """A clip's samples."""
    return g711.decode(clip.ulaw).astype(np.float64)


def _cut(clip: Clip) -> tuple[Samples, float, float]:
    """From shortly before its speech to shortly after; where that begins and ends."""
    start_s = max(0.0, clip.speech_start_s - 0.1)
    samples = linear(clip)[int(start_s * RATE_HZ) : int((clip.speech_end_s + 0.1) * RATE_HZ)]
    return samples, clip.speech_start_s - start_s, clip.speech_end_s - start_s


def _interruption(clip: Clip, random: Random) -> Sound:
    return _said(clip, "interruption", random.uniform(-8.0, 3.0))


def _said(clip: Clip, kind: Kind, gain_db: float) -> Sound:
    samples, start_s, end_s = _cut(clip)
    shift_s = start_s - clip.speech_start_s
    words = tuple((word.text, word.end_s + shift_s) for word in clip.words)
    samples = samples * 10.0 ** (gain_db / 20.0)
    return Sound(clip.name, kind, clip.language, samples, words, start_s, end_s, gain_db)


def _one_word(
    clips: list[Clip], random: Random, kind: Kind, choices: dict[str, tuple[str, ...]]
) -> Sound:
    clip = random.choice([clip for clip in clips if clip.role == "digit"])
    samples, start_s, end_s = _cut(clip)
    language = random.choice(sorted(choices))
    word = random.choice(choices[language])
    gain_db = random.uniform(-8.0, 3.0)
    samples = samples * 10.0 ** (gain_db / 20.0)
    said = ((word, end_s),)
    return Sound(f"{word}/{clip.name}", kind, language, samples, said, start_s, end_s, gain_db)


def _backchannel(clips: list[Clip], random: Random) -> Sound:
    recorded = [clip for clip in clips if clip.role == "backchannel"]
    if random.random() < 0.75:
        return _one_word(clips, random, "backchannel", _MURMURS)
    clip = random.choice(recorded)
    samples, start_s, end_s = _cut(clip)
    words = ((clip.transcript, end_s),)
    return Sound(clip.name, "backchannel", clip.language, samples, words, start_s, end_s)


def _synthetic(random: Random) -> Sound:
    language, text = random.choice(_SYNTHETIC)
    speech = load_voice().speak(text, language, f"voice {random.randrange(5)}")
    samples = g711.decode(speech.ulaw).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 300)
    start_s, end_s = loud[0] / RATE_HZ, (loud[-1] + 1) / RATE_HZ
    gain_db = random.uniform(-8.0, 0.0)
    samples = at_level(samples, SPEECH_DBFS + gain_db)
    said = ((text, end_s),)
    return Sound(text, "backchannel", language, samples, said, start_s, end_s, gain_db)


def _noise(random: Random, seed: int) -> Sound:
    name, make = random.choice(sorted(_NOISES.items()))
    samples = make(np.random.default_rng(seed), random)
    return Sound(name, "noise", "en-US", samples, (), 0.0, len(samples) / RATE_HZ)


def _white(
    generator: np.random.Generator, seconds: float, low_hz: float, high_hz: float
) -> Samples:
    """Noise between two frequencies, full scale 1."""
    length = int(seconds * RATE_HZ)
    spectrum = np.fft.rfft(generator.standard_normal(length))
    hz = np.fft.rfftfreq(length, 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0.0
    return np.fft.irfft(spectrum, length)


def _cough(generator: np.random.Generator, random: Random) -> Samples:
    parts = []
    for _ in range(random.choice((1, 2, 2, 3))):
        length_s = random.uniform(0.14, 0.3)
        burst = _white(generator, length_s, 250, 3_200)
        time_s = np.arange(len(burst)) / RATE_HZ
        shape = np.minimum(time_s / 0.01, 1.0) * np.exp(-time_s / (length_s / 2.5))
        parts += [at_level(burst * shape, random.uniform(-28.0, -18.0))]
        parts += [np.zeros(int(random.uniform(0.08, 0.25) * RATE_HZ))]
    return np.concatenate(parts)


def _slam(generator: np.random.Generator, random: Random) -> Samples:
    burst = _white(generator, 0.35, 60, 900)
    return at_level(burst * np.exp(-np.arange(len(burst)) / (0.06 * RATE_HZ)), -22.0)


def _keys(generator: np.random.Generator, random: Random) -> Samples:
    samples = np.zeros(int(1.6 * RATE_HZ))
    at = 0
    while at < len(samples) - 200:
        click = _white(generator, 0.015, 1_000, 3_800) * np.exp(-np.arange(120) / 30)
        samples[at : at + 120] += at_level(click, -24.0)
        at += int(random.uniform(0.07, 0.22) * RATE_HZ)
    return samples


def _breath(generator: np.random.Generator, random: Random) -> Samples:
    burst = _white(generator, random.uniform(0.3, 0.7), 400, 3_400)
    return at_level(burst * np.hanning(len(burst)), random.uniform(-40.0, -30.0))


def _car(generator: np.random.Generator, random: Random) -> Samples:
    burst = _white(generator, random.uniform(2.5, 4.0), 80, 1_200)
    return at_level(burst * np.hanning(len(burst)), random.uniform(-38.0, -28.0))


def _crackle(generator: np.random.Generator, random: Random) -> Samples:
    samples = np.zeros(int(2.0 * RATE_HZ))
    for at in generator.integers(0, len(samples) - 40, 14):
        samples[at : at + 40] += generator.standard_normal(40) * 4_000
    return samples


_NOISES = {
    "cough": _cough,
    "slam": _slam,
    "keys": _keys,
    "breath": _breath,
    "car": _car,
    "crackle": _crackle,
}
