"""What can go wrong between the halves of a call, in one tree.

ActorsError
├── MindLostError        the CallActor died or does not answer in time: re-place the call
├── LinkLostError        the connection to a CallActor is closed, or a question over it failed
├── MindRefusedError     the CallActor will not take the call; ``refusal`` says why
├── NoSlotError          no CallActor has a free slot
├── DirectoryAwayError   the directory of CallActors does not start or does not answer
├── MetricsAwayError     the MetricsActor does not start or does not answer
├── HealthAwayError      the ProviderHealthActor does not start or does not answer
└── CacheAwayError       the SemanticCacheActor does not start or does not answer
"""

from __future__ import annotations


class ActorsError(Exception):
    """Base of everything this room raises on purpose."""


class MindLostError(ActorsError):
    """The CallActor of a call is dead or silent."""


class LinkLostError(ActorsError):
    """A connection to a CallActor cannot be had, is lost, or a question over it failed there."""


class MindRefusedError(ActorsError):
    """The CallActor answered, and the answer is no.

    Args:
        refusal: One of the refusals of ``actors.wire.CallOpened``.
    """

    def __init__(self, refusal: str = "") -> None:
        super().__init__(refusal)
        self.refusal = refusal


class NoSlotError(ActorsError):
    """No slot anywhere; the caller hears a polite refusal."""


class DirectoryAwayError(ActorsError):
    """The directory actor does not start or does not answer."""


class MetricsAwayError(ActorsError):
    """The MetricsActor does not start or does not answer."""


class HealthAwayError(ActorsError):
    """The ProviderHealthActor does not start or does not answer."""


class CacheAwayError(ActorsError):
    """The SemanticCacheActor does not start or does not answer."""
