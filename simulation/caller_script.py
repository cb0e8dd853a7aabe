"""What a simulated person does on the phone, step by step, and how such scripts are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Protocol

from simulation.carrier_messages import encode_frames
from simulation.hearing import speech_bounds_s


class SpokenWord(Protocol):
    """A word of a clip and where it ends, in seconds from the clip's start."""

    @property
    def end_s(self) -> float:
        """Seconds from the start of the clip."""


class SpokenClip(Protocol):
    """Speech of which everything is known; ``simulation.clip_library.Clip`` is one."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def transcript(self) -> str:
        """What is said."""

    @property
    def ulaw(self) -> bytes:
        """8 kHz mu-law, a whole number of 160-byte frames."""

    @property
    def words(self) -> Sequence[SpokenWord]:
        """In order."""

    @property
    def speech_end_s(self) -> float:
        """Where the speech truly ends."""


@dataclass(frozen=True, slots=True)
class PreparedClip:
    """A clip encoded once for all calls of the process.

    Attributes:
        payloads: Base64 of each 20 ms frame.
        speech_start_s: First audible moment, in seconds from the clip's start.
        speech_end_s: The true end of speech.
        word_ends_s: End of each word.
    """

    name: str
    text: str
    payloads: tuple[str, ...]
    speech_start_s: float
    speech_end_s: float
    word_ends_s: tuple[float, ...]


def prepare(clip: SpokenClip) -> PreparedClip:
    """Encode a clip; its audible onset is found by level."""
    bounds = speech_bounds_s(clip.ulaw)
    return PreparedClip(
        name=clip.name,
        text=clip.transcript,
        payloads=encode_frames(clip.ulaw),
        speech_start_s=bounds[0] if bounds else 0.0,
        speech_end_s=clip.speech_end_s,
        word_ends_s=tuple(word.end_s for word in clip.words),
    )


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait until the agent has replied and been silent for ``until_silence_s``.

    Nobody waits longer than ``give_up_s`` for an agent that is not to be heard.
    """

    until_silence_s: float = 1.0
    give_up_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Speak:
    """Say a clip."""

    clip: PreparedClip


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Talk over the agent once it has been speaking for ``after_s``.

    When the agent finishes earlier, or is not to be heard for ``give_up_s``, the clip is said all
    the same, as an ordinary turn.
    """

    clip: PreparedClip
    after_s: float = 1.0
    give_up_s: float = 10.0


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press keys, one each ``gap_s``."""

    digits: str
    gap_s: float = 0.25


@dataclass(frozen=True, slots=True)
class StaySilent:
    """Say nothing for a while, whatever the agent does."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Leave:
    """Hang up."""


Step = Listen | Speak | Interrupt | PressKeys | StaySilent | Leave


def conversation(
    clips: Sequence[PreparedClip], turns: int, random: Random, interrupt_ratio: float = 0.0
) -> Iterator[Step]:
    """A script: hear the greeting, then turns of clips drawn at random, then hang up.

    Args:
        clips: To draw from; each is used once before any is used again.
        turns: How many; 0 for turns without end.
        random: Decides everything.
        interrupt_ratio: Share of turns in which the caller talks over the agent, 0 to 1.
    """
    yield Listen()
    bag: list[PreparedClip] = []
    done = 0
    while not turns or done < turns:
        if not bag:
            bag = random.sample(clips, len(clips))
        clip = bag.pop()
        if done and random.random() < interrupt_ratio:
            yield Interrupt(clip, after_s=random.uniform(0.5, 1.5))
        else:
            if done:
                yield Listen()
            yield Speak(clip)
        done += 1
    yield Listen()
    yield Leave()


@lru_cache(maxsize=8)
def line_noise(seed: int = 0, frames: int = 50, largest_step: int = 3) -> tuple[str, ...]:
    """Comfort noise below -60 dBFS as base64 frames: what a quiet line carries.

    Args:
        seed: Decides the samples.
        frames: How many 20 ms frames, to be repeated.
        largest_step: Largest mu-law step above zero (3: at most 24 of 32,768); 0 for pure silence.
    """
    random = Random(seed)
    codes = [0xFF - step for step in range(largest_step + 1)]
    codes += [0x7F - step for step in range(1, largest_step + 1)]
    return encode_frames(bytes(random.choices(codes, k=160 * frames)))
