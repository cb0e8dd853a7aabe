"""Our own detector over a voice that the service speaks: it pauses at once, and goes on in doubt.

The service hears the caller a network later. Until it says so, a reply that is paused can still go
on from the exact sample; once it says so, the reply is over (``call.RealtimeCall``).
"""

from __future__ import annotations

from collections import deque

from voice.config import BargeInConfig
from voice.events import FrameHeard
from voice.playout import Playout
from voice.ports import FRAME_S, FRAME_SAMPLES

_LEAD_IN_SAMPLES = 2_400  # 0.3 s of what came before a sound belongs to it
_ONE_UTTERANCE_S = 1.0  # a shorter silence does not end one
_CONFIRMED_WITHIN_S = 0.6  # a way to the service and back, and its own decision


class VoiceWatch:
    """Watches one caller while the agent speaks.

    Args:
        config: How much sound pauses the voice.
        playout: The voice.

    Attributes:
        last_speech_at: Loop time of the last frame with speech in it; None before the first.
        samples: Caller audio that was scored so far.
    """

    def __init__(self, config: BargeInConfig, playout: Playout) -> None:
        self._config = config
        self._playout = playout
        self._frames: deque[bool] = deque(maxlen=max(1, round(config.window_s / FRAME_S)))
        self._paused_at: float | None = None
        self._began: int | None = None  # where the caller began, while the service knows nothing
        self._is_noticed = False
        self.last_speech_at: float | None = None
        self.samples = 0

    def hear(self, frame: FrameHeard, *, is_open: bool, now: float) -> None:
        """One frame of 20 ms; ``is_open`` while the caller may interrupt."""
        self._frames.append(frame.is_speech)
        if frame.is_speech:
            self._note_speech(now)
        self.samples += FRAME_SAMPLES
        if self._paused_at is not None or not is_open:
            return
        is_speaking = self._playout.first_out_at is not None and (
            self._playout.has_unsent or not self._playout.is_all_heard(now=now)
        )
        if is_speaking and sum(self._frames) * FRAME_S >= self._config.pause_speech_s - 1e-6:
            self._paused_at = now
            self._playout.pause(now=now)

    def _note_speech(self, now: float) -> None:
        last_at, self.last_speech_at = self.last_speech_at, now
        if last_at is None or now - last_at > _ONE_UTTERANCE_S:
            self._is_noticed, self._began = False, None
        if self._began is None:
            self._began = self.samples

    def noticed(self) -> None:
        """The service has heard what we hear: what follows is not ours to decide."""
        self._is_noticed = True
        self.settle()

    def unnoticed_from(self, *, now: float) -> int | None:
        """Where somebody began to speak just now and the service has not said so; samples."""
        if self._is_noticed or self._began is None or self.last_speech_at is None:
            return None
        if now - self.last_speech_at > 2.0 * _ONE_UTTERANCE_S:
            return None
        return max(0, self._began - _LEAD_IN_SAMPLES)

    def settle(self) -> None:
        """A pause is over, whichever way."""
        self._paused_at = None
        self._frames.clear()

    def let_go(self, *, now: float) -> None:
        """A voice that is paused goes on."""
        if self._paused_at is not None:
            self.settle()
            self._playout.resume(now=now)

    def next_deadline(self) -> float | None:
        """Loop time at which a paused voice goes on if nothing more is heard; or None."""
        if self._paused_at is None:
            return None
        quiet_at = (self.last_speech_at or 0.0) + self._config.resume_silence_s
        longest = self._paused_at + self._config.longest_sound_s
        return min(max(self._paused_at + _CONFIRMED_WITHIN_S, quiet_at), longest)

    def handle_deadline(self, *, now: float) -> None:
        """Go on, if nobody speaks after all."""
        due = self.next_deadline()
        if due is not None and now >= due - 1e-6:
            self.let_go(now=now)


class CallerSpeaking:
    """Whether the caller speaks, by the service's judgement as long as ours does not refute it.

    A service that has heard a beginning and never says more would keep the call in silence.

    Args:
        most_silence_s: Of a caller who is said to speak, by our own detector.
        watch: Our own detector.

    Attributes:
        is_speaking: At this moment.
    """

    def __init__(self, most_silence_s: float, watch: VoiceWatch) -> None:
        self._most_silence_s = most_silence_s
        self._watch = watch
        self._began_at = 0.0
        self.is_speaking = False

    def began(self, *, now: float) -> None:
        """The service says so."""
        self.is_speaking, self._began_at = True, now

    def next_deadline(self) -> float | None:
        """Loop time at which a caller who is said to speak has said nothing; or None."""
        if not self.is_speaking:
            return None
        return max(self._began_at, self._watch.last_speech_at or 0.0) + self._most_silence_s

    def handle_deadline(self, *, now: float) -> None:
        """Believe our own detector, once it is due."""
        due = self.next_deadline()
        if due is not None and now >= due - 1e-6:
            self.is_speaking = False
