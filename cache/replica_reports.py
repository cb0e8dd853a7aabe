"""What a worker tells the owner of the cache, and the words in which both write to each other.

Reports go in numbered batches: one that comes twice is taken once. Texts in them are canonical
questions and answers that may be kept; what may not be kept never leaves the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cache.deltas import BoundIs, Gate, Generation, Put, Remove, Seen, Silence, Space, Vouch
from cache.deltas_codec import LineCodec
from cache.entry import Answer
from cache.gate import Features
from cache.outcomes import Tier
from cache.pattern import DialogueState
from cache.ports import Complaint
from cache.scope import Scope


@dataclass(frozen=True, slots=True)
class Learned:
    """An answer was made without the cache.

    Attributes:
        question: Canonical; empty when the answer may not be kept: then only the gate learns.
        answer: Its text is empty when it may not be kept.
        vector: Of the question (``cache.deltas.packed``); empty without an encoder.
        features: What the gate saw; empty when it saw nothing.
        nearest: The ``answer_id`` that it thought of.
        caller: ``cache.scope.caller_mark``.
        generations: The counters of the answer's tags as this worker knew them: what was learned
            before an invalidation and arrives after it has ended already.
        age_s: How long ago it was learned, when the batch was made.
    """

    scope: Scope
    question: str
    answer: Answer
    vector: bytes
    features: Features
    nearest: str
    caller: bytes
    source: str = ""
    utc_offset_s: float = 0.0
    generations: tuple[tuple[str, int], ...] = ()
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Served:
    """An entry was spoken so many times."""

    entry_id: int
    times: int


@dataclass(frozen=True, slots=True)
class Checked:
    """It became known whether a hit was right.

    Attributes:
        features: What the gate saw; semantic tier only.
        silences: An error silences the entry, besides teaching the gate.
    """

    scope: Scope
    entry_id: int
    answer_id: str
    tier: Tier
    is_right: bool
    check_ratio: float = 1.0
    features: Features = ()
    silences: bool = True


@dataclass(frozen=True, slots=True)
class Complained:
    """A caller did something that speaks against a hit."""

    scope: Scope
    entry_id: int
    answer_id: str
    tier: Tier
    complaint: Complaint
    features: Features = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """A plan followed a state, so many times."""

    scope: Scope
    state: DialogueState
    plan_id: str


Report = Learned | Served | Checked | Complained | Followed


@dataclass(frozen=True, slots=True)
class Batch:
    """What one worker tells at once.

    Attributes:
        writer: Name of the process; no other one, before or after, has it.
        number: From 1, one more with each batch; a batch that is sent again keeps its number.
        encoder: Which model made the vectors (``Encoder.name``); empty for none.
    """

    writer: str
    number: int
    encoder: str
    reports: tuple[Report, ...]


REPORTS: Final = LineCodec(
    {
        "learned": Learned,
        "served": Served,
        "checked": Checked,
        "complained": Complained,
        "followed": Followed,
    }
)
DELTA_WORDS: Final[Mapping[str, type]] = {
    "put": Put,
    "remove": Remove,
    "silence": Silence,
    "vouch": Vouch,
    "generation": Generation,
    "gate": Gate,
    "bound": BoundIs,
    "space": Space,
    "seen": Seen,
}
"""The word that stands first in the line of each delta, on the wire and on disk: never changed."""
DELTAS: Final = LineCodec(DELTA_WORDS)
