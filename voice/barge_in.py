"""What the caller's sound means for the reply that is being heard: softer, silent, on again.

Stages and moves, counted in frames of the caller:

    full -> ducked            ``duck_speech_s`` of sound within ``DUCK_WINDOW_S``      DUCK
    ducked -> full            ``restore_silence_s`` of quiet                           RESTORE
    full, ducked -> paused    ``pause_speech_s`` of sound within ``window_s``          PAUSE
    paused -> full            ``resume_silence_s`` of quiet and no words               RESUME
    paused -> stopped         ``longest_sound_s`` of sound, and no words ever          STOP

Rules:

1. A sound alone never costs the reply: it waits, and goes on from the exact sample. Words end it
   (``floor.py``). So silence comes soon, and a cough or a listener's "mhm" takes nothing away.
2. A brief sound is over when it is quiet. After a longer one, words may still be under way: they
   are waited for until ``words_due_s`` after its beginning.
3. A sound of ``longest_sound_s`` without words, from a caller whose words are usually recognised,
   is noise: the reply goes on, and the noise does not count until it is over.
4. A pause for nothing makes the next one harder for a while (``doubt_s`` more sound); so does noise
   that is known of the line.
5. Speech that our own echo explains counts a quarter.
"""

from __future__ import annotations

from enum import Enum

from voice.config import BargeInConfig
from voice.ports import FRAME_S

DUCK_WINDOW_S = 0.08  # in which of our own echo no two frames count
DOUBT_LASTS_S = 10.0
NEW_SOUND_AFTER_S = 0.5
_STALL_S = 0.1
_ECHO_SHARE = 4


class Stage(Enum):
    """What the caller hears of us."""

    FULL = "full"
    DUCKED = "ducked"
    PAUSED = "paused"


class Move(Enum):
    """What is to be done about the reply."""

    DUCK = "duck"
    RESTORE = "restore"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


class BargeIn:
    """Follows the caller's frames while the agent is heard; one call.

    Args:
        config: How much sound does what.

    Attributes:
        stage: What the caller hears of us.
        has_heard_words: True once the recogniser has understood this caller.
        pauses: Pauses so far, over the whole call.
        resumes: How many of them were for nothing.
    """

    __slots__ = (
        "_began_at",
        "_bits",
        "_config",
        "_doubtful_until",
        "_duck_mask",
        "_echoes",
        "_is_noise",
        "_mask",
        "_quiet_frames",
        "_sound_at",
        "_sound_frames",
        "has_heard_words",
        "pauses",
        "resumes",
        "stage",
    )

    def __init__(self, config: BargeInConfig) -> None:
        self._config = config
        self._mask = (1 << _frames(config.window_s)) - 1
        self._duck_mask = (1 << _frames(DUCK_WINDOW_S)) - 1
        self._doubtful_until = 0.0
        self.has_heard_words = False
        self.pauses = 0
        self.resumes = 0
        self.reset()

    def reset(self) -> None:
        """Another reply, or none: nothing was heard over it yet."""
        self.stage = Stage.FULL
        self._bits = 0
        self._echoes = 0
        self._sound_frames = 0
        self._quiet_frames = _frames(NEW_SOUND_AFTER_S)
        self._began_at = self._sound_at = float("-inf")
        self._is_noise = False

    def since_sound_s(self, now: float) -> float:
        """Time since the caller made a sound over this reply; infinite if never."""
        return now - self._sound_at

    @property
    def sound_s(self) -> float:
        """Sound within the window."""
        return self._bits.bit_count() * FRAME_S

    def hear(self, *, is_speech: bool, is_echo: bool, now: float) -> Move | None:
        """One frame of the caller while the agent is heard.

        Args:
            is_speech: Whether it was found to be speech.
            is_echo: Whether our own echo explains it.
            now: Loop time.
        """
        self._count(is_speech, is_echo, now)
        if self._is_noise:
            return None
        if self.stage is Stage.PAUSED:
            return self._while_paused(now)
        recent_s = (self._bits & self._duck_mask).bit_count() * FRAME_S
        is_sounding = recent_s >= self._config.duck_speech_s - 1e-6
        is_enough = self._bits & 1 and self.sound_s >= self._pause_s(now) - 1e-6
        if is_enough and (is_sounding or self.stage is Stage.DUCKED):
            self.stage = Stage.PAUSED
            self.pauses += 1
            return Move.PAUSE
        if self.stage is Stage.FULL and is_sounding:
            self.stage = Stage.DUCKED
            return Move.DUCK
        if self.stage is Stage.DUCKED and self._is_quiet(self._config.restore_silence_s):
            self.stage = Stage.FULL
            return Move.RESTORE
        return None

    def hear_noise(self, *, until: float) -> None:
        """There is noise on the line: a sound is worth less until then."""
        self._doubtful_until = max(self._doubtful_until, until)

    def hear_backchannel(self, *, now: float) -> Move | None:
        """What the caller said over the reply asks for nothing; now the reply may go on."""
        is_over = self._is_quiet(self._config.restore_silence_s)
        return self._resume(now) if self.stage is Stage.PAUSED and is_over else None

    def next_deadline(self) -> float | None:
        """Loop time at which a pause ends if frames fail to come; None without a pause."""
        if self.stage is not Stage.PAUSED:
            return None
        quiet_at = self._sound_at + self._config.resume_silence_s + _STALL_S
        return quiet_at if self._is_brief else max(quiet_at, self._words_due_at)

    def handle_deadline(self, *, now: float) -> Move | None:
        """Go on by loop time if frames have stopped coming."""
        at = self.next_deadline()
        return None if at is None or now < at - 1e-6 else self._resume(now)

    @property
    def _is_brief(self) -> bool:
        return self._sound_frames * FRAME_S < self._config.brief_sound_s - 1e-6

    @property
    def _words_due_at(self) -> float:
        return self._began_at + self._config.words_due_s

    def _pause_s(self, now: float) -> float:
        doubt_s = self._config.doubt_s if now < self._doubtful_until else 0.0
        return self._config.pause_speech_s + doubt_s

    def _is_quiet(self, needed_s: float) -> bool:
        return self._quiet_frames * FRAME_S >= needed_s - 1e-6

    def _count(self, is_speech: bool, is_echo: bool, now: float) -> None:
        counts = is_speech
        if is_speech and is_echo:
            self._echoes += 1
            counts = self._echoes % _ECHO_SHARE == 0
        self._bits = ((self._bits << 1) | counts) & self._mask
        if not counts:
            self._quiet_frames += 1
            if self._is_quiet(NEW_SOUND_AFTER_S):
                self._is_noise = False
                self._sound_frames = 0
            return
        if self._sound_frames == 0:
            self._began_at = now - FRAME_S
        self._sound_frames += 1
        self._quiet_frames = 0
        self._sound_at = now

    def _while_paused(self, now: float) -> Move | None:
        if self._is_quiet(self._config.resume_silence_s):
            is_over = self._is_brief or now >= self._words_due_at
            return self._resume(now) if is_over else None
        if self._sound_frames * FRAME_S < self._config.longest_sound_s - 1e-6:
            return None
        if not self.has_heard_words:
            return Move.STOP
        self._is_noise = True
        return self._resume(now)

    def _resume(self, now: float) -> Move:
        self.stage = Stage.FULL
        self._bits = 0
        self.resumes += 1
        self._doubtful_until = max(self._doubtful_until, now + DOUBT_LASTS_S)
        return Move.RESUME


def _frames(seconds: float) -> int:
    return max(round(seconds / FRAME_S), 1)
