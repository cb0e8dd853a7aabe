"""When a call gets another session, and when it gives the service up. A machine.

Rules:

1. A session that is lost, or cannot be had, is replaced at once the first time, then after a pause
   that grows; ``most_failures`` in a row end it. A reply that was heard begins the count anew.
2. What asking again cannot mend (a key, a model) ends it at once.
3. ``hopeless_after_s`` without any session is silence that no caller waits through, nor is a
   service that wants to be left alone for longer.
4. A session is replaced ahead of its longest time: best when nobody speaks, and shortly before the
   end in any case. A newer one that cannot be had is asked for again after ``renew_pause_s``.
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.errors import ProviderError

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class KeeperPolicy:
    """How patient it is; seconds.

    Attributes:
        session_s: Age at which a session is replaced when nobody speaks.
        overdue_s: How much later it is replaced in any case.
        renew_pause_s: Between two attempts to replace a session that still does its work.
    """

    most_failures: int = 3
    first_pause_s: float = 0.0
    pause_s: float = 0.25
    hopeless_after_s: float = 6.0
    session_s: float = 3_300.0
    overdue_s: float = 180.0
    renew_pause_s: float = 10.0


class SessionKeeper:
    """Keeps count for one call.

    Args:
        policy: How patient it is.
        now: Loop time at which the first session is asked for.

    Attributes:
        failures: In a row.
        lost: Sessions that were lost, over the whole call.
        why: What went wrong last.
    """

    def __init__(self, policy: KeeperPolicy, *, now: float) -> None:
        self._policy = policy
        self._without_since: float | None = now
        self._up_at = self._renew_at = 0.0
        self.failures = 0
        self.lost = 0
        self.why = ""

    def failed(self, error: ProviderError, *, now: float) -> float | None:
        """A session was lost or could not be had.

        Returns:
            How long to wait before the next one is asked for; None to give the service up.
        """
        if self._without_since is None:
            self.lost += 1
            self._without_since = now
        self.failures += 1
        self.why = str(error)
        policy = self._policy
        pause_s = policy.first_pause_s
        if self.failures > 1:
            pause_s = max(policy.pause_s * (self.failures - 1), error.retry_after_s or 0.0)
        without_s = now + pause_s - self._without_since
        is_hopeless = without_s >= policy.hopeless_after_s - _ROUNDING_S
        if not error.retryable or self.failures >= policy.most_failures or is_hopeless:
            return None
        return pause_s

    def up(self, *, now: float) -> None:
        """There is a session."""
        self._without_since = None
        self._up_at = now

    def not_renewed(self, error: ProviderError, *, now: float) -> None:
        """A newer session could not be had; the one before it still does its work."""
        self._renew_at = now + max(self._policy.renew_pause_s, error.retry_after_s or 0.0)

    def answered(self) -> None:
        """The session has done its work."""
        self.failures = 0

    def is_old(self, *, now: float, is_quiet: bool) -> bool:
        """Whether the session should be replaced now.

        Args:
            now: Loop time.
            is_quiet: Nobody speaks.
        """
        if self._without_since is not None or now < self._renew_at - _ROUNDING_S:
            return False
        age_s = now - self._up_at
        longest_s = self._policy.session_s + (0.0 if is_quiet else self._policy.overdue_s)
        return age_s >= longest_s - _ROUNDING_S
