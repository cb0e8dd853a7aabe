"""The person, or the machine, that answers a call out: a simulated caller with a script."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from simulation.callee_book import Callee, CalleeBook
from simulation.caller import CallerConfig, SimulatedCaller
from simulation.caller_script import (
    Listen,
    PreparedClip,
    PressKeys,
    Speak,
    StaySilent,
    Step,
    prepare,
)
from simulation.carrier_messages import encode_frames
from simulation.carrier_stream import Person
from telephony import g711

FOR_EVER_S = 86_400.0
BEEP_HZ = 1_000.0
BEEP_S = 0.4
_SAMPLE_RATE_HZ = 8_000

Clips = Callable[[str], PreparedClip]


class Phones:
    """The phones of the world outside: who is rung, and who picks up.

    Args:
        book: Who answers which number.
        clips: A clip by its name; those that ship with the product unless a test brings its own.
    """

    def __init__(self, book: CalleeBook, clips: Clips | None = None) -> None:
        self.book = book
        self._clips = clips or shipped_clip

    def find(self, number: str) -> Callee:
        """Who has ``number``."""
        return self.book.find(number)

    def put(self, number: str, callee: Callee) -> None:
        """Enter a number in the book. Raises ``ClipMissing`` for an unknown clip."""
        for name in callee.says:
            self._clips(name)
        self.book.put(number, callee)

    def greeting_s(self, callee: Callee) -> float:
        """How long a machine's greeting lasts, its beep included; 0 for anybody else."""
        return sum(clip.speech_end_s for clip in self._greeting(callee))

    def pick_up(self, callee: Callee, call_sid: str, now: float) -> Person:
        """Somebody answers at loop time ``now``. Raises ``ClipMissing`` for an unknown clip."""
        script = self._machine(callee) if callee.kind == "machine" else self._human(callee)
        config = CallerConfig(call_sid=call_sid, max_duration_s=callee.talk_s)
        return SimulatedCaller(script, config, now)

    def _greeting(self, callee: Callee) -> Sequence[PreparedClip]:
        if callee.kind != "machine":
            return ()
        clips = [self._clips(name) for name in callee.says]
        return [*clips, beep()] if callee.machine_end == "beep" else clips

    def _machine(self, callee: Callee) -> Iterator[Step]:
        steps: list[Step] = [Speak(clip) for clip in self._greeting(callee)]
        return iter([*steps, StaySilent(FOR_EVER_S)])

    def _human(self, callee: Callee) -> Iterator[Step]:
        steps: list[Step] = []
        for number, name in enumerate(callee.says):
            if number or not callee.speaks_first:
                steps.append(Listen())
            steps.append(Speak(self._clips(name)))
        if callee.presses:
            steps += [Listen(), PressKeys(callee.presses)]
        return iter([*steps, StaySilent(FOR_EVER_S)])


@lru_cache(maxsize=64)
def shipped_clip(name: str) -> PreparedClip:
    """A clip that ships with the product. Raises ``ClipMissing``."""
    from simulation.clip_library import load_library

    return prepare(load_library().clip(name))


@lru_cache(maxsize=1)
def beep() -> PreparedClip:
    """After which one may leave a message."""
    at = np.arange(round(BEEP_S * _SAMPLE_RATE_HZ))
    wave = 8_000 * np.sin(2 * math.pi * BEEP_HZ * at / _SAMPLE_RATE_HZ)
    ulaw = bytes(g711.encode(wave.astype(np.int16)))
    return PreparedClip("beep", "", encode_frames(ulaw), 0.0, BEEP_S, ())
