"""A phone without a media stream: connected to another phone, or to nothing but silence.

Rules
- Both phones are ticked on the carrier's clock: what one says in a frame, the other hears when that
  frame is due, at the earliest 20 ms after it was spoken.
- What is said into silence is lost. A key is heard by the other side, or by nobody.
- A phone that hangs up is not ticked again.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from simulation.carrier_stream import HangUp, Person, Press
from simulation.carrier_ticker import Ticker
from simulation.playout_clock import Heard


class Bridge:
    """Carries sound between two phones, ``near`` and ``far``.

    Args:
        ticker: The process's 20 ms clock.
        near: Whose call this is.
        on_hang_up: Called with True when ``near`` hangs up, with False when ``far`` does.
        on_key: Called with True and the digit when ``near`` hears a key, with False for ``far``.
    """

    def __init__(
        self,
        ticker: Ticker,
        near: Person,
        on_hang_up: Callable[[bool], None],
        on_key: Callable[[bool, str], None],
    ) -> None:
        self._ticker = ticker
        self._near = near
        self._far: Person | None = None
        self._on_hang_up = on_hang_up
        self._on_key = on_key
        self._to_near: tuple[Heard, ...] = ()
        self._is_open = False

    def open(self) -> None:
        """Begin to tick."""
        if not self._is_open:
            self._is_open = True
            self._ticker.add(self._tick)

    def close(self) -> None:
        """Tick no more: a stream takes over, or the call is over."""
        self._is_open = False
        self._ticker.remove(self._tick)

    def join(self, far: Person, *, now: float) -> None:
        """Connect another phone, which has just been answered."""
        self._far = far
        far.stream_opened(now=now)

    def part(self, *, now: float) -> None:
        """Disconnect the other phone; silence again."""
        far, self._far = self._far, None
        if far is not None:
            far.stream_closed((), now=now)

    def _tick(self, due_s: float, now: float) -> None:
        heard, self._to_near = self._to_near, ()
        payload, actions = self._near.tick(due_s, now, heard)
        self._act(True, actions)
        if self._far is None or not self._is_open:
            return
        answer, far_actions = self._far.tick(due_s, now, _sound(payload, due_s))
        self._to_near = _sound(answer, due_s)
        self._act(False, far_actions)

    def _act(self, is_near: bool, actions: Sequence[Press | HangUp]) -> None:
        for action in actions:
            if not isinstance(action, HangUp):
                self._on_key(not is_near, action.digit)
            elif self._is_open:
                self._on_hang_up(is_near)


def _sound(payload: str | None, due_s: float) -> tuple[Heard, ...]:
    return (Heard(due_s, base64.b64decode(payload)),) if payload else ()
