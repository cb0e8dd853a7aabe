"""What composites count; whoever keeps metrics implements it."""

from __future__ import annotations

from typing import Literal, Protocol

Work = Literal["recognise", "think", "speak"]


class FailoverTally(Protocol):
    """Counts; never waits, never raises."""

    def asked(self, work: Work, provider: str, why: str) -> None:
        """A request went out.

        Args:
            work: What for.
            provider: Whom, as agents name it.
            why: ``first``, ``hedge``, ``failover``, ``again`` (``providers.health.attempts``), or
                ``continued``: after somebody else broke off in the middle.
        """

    def waited(self, work: Work, seconds: float) -> None:
        """A first useful output came from somebody else than the first who was asked.

        Of recognisers: so long after a stream broke another one listened.
        """


class NoTally:
    """Counts nothing."""

    def asked(self, work: Work, provider: str, why: str) -> None:
        """See ``FailoverTally``."""

    def waited(self, work: Work, seconds: float) -> None:
        """See ``FailoverTally``."""
