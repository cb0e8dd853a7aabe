"""When the first frame of each reply was taken by the carrier's socket: the end of our own time.

The machine counts a frame as out when it asks for it to be sent. What lies behind that, the end of
the tick that it was decided in and the writer's turn, is told here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from voice import timeline
from voice.events import SendAudio, TurnSettled

Key = tuple[int, int]
_CLOCK_STEP_S = 1e-3


class FirstFrames:
    """Of one call.

    Args:
        clock: The loop's time, seconds.
    """

    __slots__ = ("_clock", "_sent_at")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent_at: dict[Key, float | None] = {}  # None: on its way

    def watch(self, audio: SendAudio) -> Callable[[], None] | None:
        """What to call when this audio was sent; None when it is not the first of its reply."""
        key = (audio.turn_id, audio.guess)
        if key in self._sent_at:
            return None
        self._sent_at[key] = None

        def sent() -> None:
            if key in self._sent_at:
                self._sent_at[key] = self._clock()

        return sent

    def told(self, settled: TurnSettled) -> TurnSettled:
        """The settled turn with that stage.

        Without it when a breath or a sentence came first, or when the frame belongs to an earlier
        taking of the turn, which was taken back.
        """
        sent_at = self._sent_at.get((settled.turn_id, settled.guess))
        self._sent_at = {key: at for key, at in self._sent_at.items() if key[0] > settled.turn_id}
        out_at = settled.timeline.get(timeline.FIRST_FRAME_OUT)
        is_told = sent_at is not None and out_at is not None and sent_at >= out_at - _CLOCK_STEP_S
        if not is_told or timeline.FILLER_OUT in settled.timeline:
            return settled
        stages = {**settled.timeline, timeline.FIRST_FRAME_SENT: max(sent_at or 0.0, out_at or 0.0)}
        return replace(settled, timeline=stages)
