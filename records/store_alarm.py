"""Says in the log that rows cannot be written: at once, while it lasts, and when it is over."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class StoreAlarm:
    """Whether the store is being written, and what was lost meanwhile.

    Args:
        reminder_s: Seconds between two lines while it lasts.
    """

    def __init__(self, reminder_s: float) -> None:
        self._reminder_s = reminder_s
        self._said_at = 0.0
        self._lost = 0
        self.last_error = ""
        self.down_since = 0.0

    def broke(self, error: str, *, now: float, pending: int) -> None:
        """The store did not take rows; ``pending`` wait."""
        first = not self.last_error
        if first:
            self.down_since = now
        self.last_error = error
        if first or now - self._said_at >= self._reminder_s:
            self._said_at = now
            _log.error(
                "the call store is down for %.0f s, %d rows wait, %d were dropped: %s",
                now - self.down_since,
                pending,
                self._lost,
                error,
            )

    def dropped(self, count: int, *, bound: int) -> None:
        """``count`` rows had to go since more than ``bound`` wait."""
        if not self._lost:
            _log.error("%d rows wait for the call store, the oldest are dropped from now on", bound)
        self._lost += count

    def healed(self, *, now: float) -> None:
        """Rows were taken."""
        if self.last_error:
            _log.warning(
                "the call store is back after %.0f s; %d rows were dropped",
                now - self.down_since,
                self._lost,
            )
        self.last_error = ""
        self.down_since = 0.0
        self._lost = 0
