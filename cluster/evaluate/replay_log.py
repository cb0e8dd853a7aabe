"""What happened in one replayed call, with times: from this the figures are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.evaluate.replay_mouth import Key, ReplayMouth, Speech
from simulation.corpus_turn import LabelledTurn
from voice.events import TurnSettled


@dataclass(frozen=True, slots=True)
class Said:
    """A labelled turn as it was said; loop times."""

    turn: LabelledTurn
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Begun:
    """The mind was asked."""

    at_s: float
    key: Key
    is_speculative: bool
    text: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn was taken."""

    at_s: float
    key: Key
    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A turn is over, and at what place of its reply it was broken off."""

    at_s: float
    event: TurnSettled


@dataclass(slots=True)
class CallLog:
    """Everything of one call, in order.

    Attributes:
        noise: In words.
        taken_back: Replies that fell silent because the caller had not finished, and when.
        first_audio_s: When the first audio of each reply was there.
        over_s: When the call ended.
        judged: Questions to the end-of-turn model.
    """

    call: int
    noise: str
    noise_kind: str
    network: str
    said: list[Said] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    taken_back: list[tuple[float, Key]] = field(default_factory=list)
    first_audio_s: dict[Key, float] = field(default_factory=dict)
    mouth: ReplayMouth = field(default_factory=ReplayMouth)
    speech: Speech = field(default_factory=Speech)
    over_s: float = 0.0
    judged: int = 0
