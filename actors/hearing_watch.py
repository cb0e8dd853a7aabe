"""Whether it is known that no words of the caller can come: looked for in his pauses.

Whoever was understood a moment ago is heard, whatever is held of the services.
"""

from __future__ import annotations

import math
from collections.abc import Callable

LOOKS_AFTER_FRAMES = range(20, 101, 5)  # of quiet: whether anybody can hear the caller
SURELY_HEARS_S = 3.0  # words that came so lately belong to what the caller says now


class HearingWatch:
    """Of one call.

    Args:
        is_lost: Whether all of the call's own streams have failed, at a loop time.
        is_nobody_left: Whether the process knows of nobody who could hear.
        tell: Told once it becomes known that no words can come (True), and once it is over.
    """

    def __init__(
        self,
        is_lost: Callable[[float], bool],
        is_nobody_left: Callable[[], bool],
        tell: Callable[[bool], None],
    ) -> None:
        self._is_call_lost = is_lost
        self._is_nobody_left = is_nobody_left
        self._tell = tell
        self._quiet_frames = 0
        self._understood_at = -math.inf
        self._is_lost = False  # as was told

    def frame_heard(self, *, is_speech: bool, now: float) -> None:
        """20 ms of the caller were scored."""
        self._quiet_frames = 0 if is_speech else self._quiet_frames + 1
        if self._quiet_frames in LOOKS_AFTER_FRAMES:
            self._look(now)

    def understood(self, *, now: float) -> None:
        """Words came."""
        self._understood_at = now
        if self._is_lost:
            self._look(now)

    def close(self) -> None:
        """The call is over: nobody is asked, told or held any more."""
        self._is_call_lost, self._is_nobody_left = _not_at, _not
        self._tell = _untold

    def _look(self, now: float) -> None:
        is_lost = self._is_call_lost(now)
        if not is_lost and now - self._understood_at > SURELY_HEARS_S:
            is_lost = self._is_nobody_left()
        if is_lost is not self._is_lost:
            self._is_lost = is_lost
            self._tell(is_lost)


def _not_at(_now: float) -> bool:
    return False


def _not() -> bool:
    return False


def _untold(_is_lost: bool) -> None:
    return None
