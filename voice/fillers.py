"""What a caller hears while a reply is late: nothing, a breath, a sentence, the sentence again.

Rules:

1. Silence counts from the moment the turn was taken, or a reply ran dry in the middle, or the
   caller made the last sound. The first words of a reply are allowed the wait that is usual in this
   call before they count as late, but no more silence than ``longest_silence_s`` since anybody's
   last sound. A turn that was taken while the caller was making a sound waits from then on: its
   reply may be late as soon as he is silent, and is after ``unheard_after_s`` of that.
2. ``breath_after_s`` of lateness: a breath. ``sentence_after_s``: the sentence. After that the
   sentence again after every ``again_after_s`` of silence, until the turn fails by itself.
3. What is said is taken from memory, so nothing that is down can be in the way; a sound that is not
   there is left out. Only replies that were asked for have fillers.
4. Any audio of the reply starts the count anew.
5. Where the words of what the caller said are missing, all of them or the last, a breath is heard
   once they are ``breath_after_s`` later than usual in this call, at the latest after
   ``unheard_after_s`` of silence: they may still come, so an apology would be wrong. Whether the
   turn is taken meanwhile makes no difference: whoever brings no words may bring no reply.
6. A caller whose words are all there and who pauses in the middle is left in peace, however long
   the pause: a sound of ours would ask him to go on.
7. A caller who was told, while nobody can hear, that he was not understood is told every
   ``again_after_s`` of silence that it takes a moment, until he speaks or can be heard again.
8. While the mind is busy with a tool, it fills the time with words itself: a breath, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voice import timeline
from voice.config import FillerConfig
from voice.decisions import CallerFinished
from voice.endpointing import Endpointer
from voice.mouth import Mouth
from voice.turn import Turn

_ROUNDING_S = 1e-6
_LEARNING_RATE = 0.3
_SHORTEST_GAP_S = 0.1
_SHORTEST_WAIT_S = 0.2  # of a turn that was taken after a long silence: its reply may be ready
_OTHER_SILENCE_S = 3.0  # what is longer ago was not what was answered: nobody heard that sound


@dataclass(frozen=True, slots=True)
class FillerSounds:
    """Audio that is ready, mu-law at 8 kHz; empty for none.

    Attributes:
        breath: Of no language, a few hundred milliseconds.
        sentence: That it takes a moment, in the language and voice of the call.
        sentence_now: The same, read from memory when it is wanted, where a call may change its
            voice; what it does not have is ``sentence``.
    """

    breath: bytes = b""
    sentence: bytes = b""
    sentence_now: Callable[[], bytes] | None = None

    def spoken(self) -> bytes:
        """The sentence in the voice of this moment."""
        return (self.sentence_now() if self.sentence_now is not None else b"") or self.sentence


class Fillers:
    """Watches the replies of one call; see the rules above.

    Args:
        config: When.
        sounds: What.
        mouth: Says it.

    Attributes:
        count: Fillers begun, over the whole call.
    """

    __slots__ = (
        "_breathed_at",
        "_config",
        "_due_at_latest",
        "_has_begun",
        "_is_company_owed",
        "_late_since",
        "_mouth",
        "_quiet_since",
        "_reply",
        "_reply_samples",
        "_sounds",
        "_step",
        "_usual_s",
        "count",
    )

    def __init__(self, config: FillerConfig, sounds: FillerSounds, mouth: Mouth) -> None:
        self._config = config
        self._sounds = sounds
        self._mouth = mouth
        self._usual_s = config.usual_wait_s
        self._reply = (-1, -1)
        self._reply_samples = 0
        self._has_begun = False
        self._quiet_since = 0.0
        self._step = 0
        self._late_since = 0.0
        self._is_company_owed = False  # see rule 7
        self._breathed_at: float | None = None  # before the turn is taken
        self._due_at_latest: tuple[tuple[int, int], float] | None = None  # of which turn; rule 5
        self.count = 0

    def change_sounds(self, sounds: FillerSounds) -> None:
        """What is said from now on, in another language."""
        self._sounds = sounds

    def note_caller(self, *, now: float) -> None:
        """The caller is making a sound."""
        self._quiet_since = now
        self._breathed_at = self._due_at_latest = None
        self._is_company_owed = False

    def owe_company(self) -> None:
        """Nobody can hear the caller, who was asked to say it again; see rule 7."""
        self._is_company_owed = True

    def keep_company(self, *, now: float) -> None:
        """Between two turns, while it is known that nobody can hear; see rule 7."""
        playout = self._mouth.playout
        silent_since = max(self._quiet_since, playout.heard_all_at)
        if not self._is_company_owed or not playout.is_all_heard(now=now):
            return
        if now >= silent_since + self._config.again_after_s - _ROUNDING_S:
            sound = self._sounds.spoken() or self._sounds.breath
            if sound:
                self.count += 1
                playout.insert_filler(sound, -1, -1, now=now)

    def hear_waiting(self, ear: Endpointer, *, now: float) -> None:
        """What the caller said waits for its words; see rules 5 and 6."""
        due_s = ear.words_due_s
        if due_s is None or ear.is_hearing_lost:
            return
        if ear.silence_s(now=now) >= self._patience_s(due_s) - _ROUNDING_S:
            self._breathe_early(now)

    def turn_taken(self, turn: Turn, finished: CallerFinished) -> None:
        """A breath in the pause before it belongs to this turn; see rule 5 for one that is due."""
        self._due_at_latest = None
        if self._breathed_at is not None:
            turn.timeline.setdefault(timeline.FILLER_OUT, self._breathed_at)
            self._breathed_at = None
        elif finished.words_due_s is not None:
            due_at = finished.speech_ended_at + self._patience_s(finished.words_due_s)
            self._due_at_latest = turn.key, max(due_at, turn.taken_at + _SHORTEST_GAP_S)

    def _patience_s(self, due_s: float) -> float:
        return min(due_s + self._config.breath_after_s, self._config.unheard_after_s)

    def _breathe_early(self, now: float) -> None:
        """Before the turn is taken: once, and again after a long silence."""
        playout = self._mouth.playout
        longest_s = self._config.longest_silence_s
        if self._breathed_at is not None and now < playout.heard_all_at + longest_s - _ROUNDING_S:
            return
        if self._sounds.breath and not playout.is_paused and playout.is_all_heard(now=now):
            self._breathed_at = self._breathed_at or now
            self.count += 1
            playout.insert_filler(self._sounds.breath, -1, -1, now=now)

    def begin_with(self, sound: bytes, turn: Turn, *, now: float) -> None:
        """Say this before the reply to ``turn``, which was asked long ago, and not a breath."""
        self._follow(turn)
        if sound:
            self._step, self._late_since = 1, now
            self.count += 1
            turn.timeline.setdefault(timeline.FILLER_OUT, now)
            self._mouth.playout.insert_filler(sound, turn.turn_id, turn.guess, now=now)

    def next_deadline(self, turn: Turn) -> float | None:
        """Loop time at which the taken ``turn`` wants a sound if nothing changes; or None."""
        self._follow(turn)
        if not self._wants_any(turn) or (self._step and self._mouth.reply.working_s):
            return None
        at = self._due_at(turn)
        sounds_left = self._sounds.sentence or (self._sounds.breath and self._step == 0)
        return at if sounds_left else None

    def handle_deadline(self, turn: Turn, *, now: float) -> None:
        """Make the sound that is due, if one is."""
        at = self.next_deadline(turn)
        if at is None or now < at - _ROUNDING_S:
            return
        if self._step == 0:
            self._late_since = now - self._config.breath_after_s
        sound = self._sounds.breath if self._step == 0 else self._sounds.spoken()
        self._step += 1
        if sound:
            self.count += 1
            turn.timeline.setdefault(timeline.FILLER_OUT, now)
            self._mouth.playout.insert_filler(sound, turn.turn_id, turn.guess, now=now)

    def _follow(self, turn: Turn) -> None:
        """Start the count anew for another reply, or for one that goes on."""
        playout = self._mouth.playout
        reply = (turn.turn_id, turn.guess)
        if reply == self._reply and playout.reply_samples == self._reply_samples:
            return
        if reply != self._reply:
            self._has_begun = False
        if playout.first_out_at is not None and not self._has_begun:
            self._has_begun = True
            self._learn(playout.first_out_at - turn.taken_at)
        self._reply, self._reply_samples, self._step = reply, playout.reply_samples, 0

    def _learn(self, wait_s: float) -> None:
        limited = min(max(wait_s, self._config.usual_wait_s), self._config.longest_usual_wait_s)
        self._usual_s += _LEARNING_RATE * (limited - self._usual_s)

    def _wants_any(self, turn: Turn) -> bool:
        mouth = self._mouth
        return turn.is_asked and not turn.failure and not mouth.is_complete

    def _due_at(self, turn: Turn) -> float:
        playout = self._mouth.playout
        silent_since = max(turn.taken_at, self._quiet_since, playout.heard_all_at)
        if self._step == 0:
            usual_s = 0.0 if self._mouth.is_audible else self._usual_s
            late_at = silent_since + usual_s + self._config.breath_after_s
            if self._quiet_since > turn.taken_at:
                waited_at = turn.taken_at + usual_s + self._config.breath_after_s
                soonest_at = silent_since + self._config.unheard_after_s
                late_at = min(late_at, max(waited_at, soonest_at))
            return min(late_at, self._too_silent_at(turn), self._words_late_at(turn))
        if self._step == 1:
            late_at = self._late_since + self._config.sentence_after_s
            return max(late_at, silent_since + _SHORTEST_GAP_S)
        return silent_since + self._config.again_after_s

    def _words_late_at(self, turn: Turn) -> float:
        if self._due_at_latest is None or self._mouth.is_audible:
            return float("inf")
        key, at = self._due_at_latest
        return at if key == turn.key else float("inf")

    def _too_silent_at(self, turn: Turn) -> float:
        last_sound_at = max(self._quiet_since, self._mouth.playout.heard_all_at)
        if last_sound_at < turn.taken_at - _OTHER_SILENCE_S:
            return float("inf")
        at = last_sound_at + max(self._config.longest_silence_s, self._config.breath_after_s)
        return max(at, turn.taken_at + _SHORTEST_WAIT_S)
