"""One turn of a caller of which everything is known: what is said, when, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulation.clip_library import Word

# plain: said in one breath. paused: a pause was put between two words of it. natural: the speaker
# paused by himself. digits, yes_no: answers to such a question. The last two are said while the
# agent speaks: one that must not stop it, and one that must.
TurnKind = Literal["plain", "paused", "natural", "digits", "yes_no", "backchannel", "interruption"]
KINDS: tuple[TurnKind, ...] = (
    "plain",
    "paused",
    "natural",
    "digits",
    "yes_no",
    "backchannel",
    "interruption",
)
TALK_OVER: tuple[TurnKind, ...] = ("backchannel", "interruption")

# Shorter gaps are inside words; the definition of eot-bench (LiveKit, 2026) begins here as well.
SHORTEST_PAUSE_S = 0.1

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class LabelledTurn:
    """What a caller says in one turn; times in seconds from the first sample.

    Attributes:
        turn_id: Its name in its corpus.
        language: BCP-47 tag.
        asked: What the agent asked before; empty when nothing in particular.
        words: In order, with their true times.
        samples: 8 kHz, int16, without the noise of the line.
        speech_start_s: Where the first word begins.
        speech_end_s: Where the last one ends: the true end of the turn.
        pauses: Stretches of ``SHORTEST_PAUSE_S`` and more without speech, between the words.
        clips: Names of the recordings it was made of.
        is_synthetic: Made of a machine's voice: says nothing about people.
    """

    turn_id: str
    kind: TurnKind
    language: str
    asked: str
    words: tuple[Word, ...]
    samples: Samples
    speech_start_s: float
    speech_end_s: float
    pauses: tuple[tuple[float, float], ...]
    clips: tuple[str, ...]
    is_synthetic: bool

    @property
    def longest_pause_s(self) -> float:
        """The longest pause inside; 0 when there is none."""
        return max((end - start for start, end in self.pauses), default=0.0)

    @property
    def is_over_agent(self) -> bool:
        """True when it is said while the agent speaks."""
        return self.kind in TALK_OVER
