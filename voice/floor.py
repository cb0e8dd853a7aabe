"""Who has the floor: when the agent holds its tongue, and when it stops.

Rules:

1. A taken turn that is ready while the caller makes a sound waits until the caller is quiet, at
   most ``hold_for_speech_s``. A greeting does not wait.
2. While the agent speaks, ``barge_in_speech_s`` of speech within the window takes the floor; so do
   real words (more than "mhm") while speech is on.
3. Speech that began before or in the first ``went_on_window_s`` of our playout belongs to the
   utterance being answered: the caller had not finished. ``retreat_speech_s`` of it suffice, the
   turn is taken back and its words open what follows.
4. Once the call ends firmly the floor is the agent's.
5. A reply with an action that was heard waits for a caller who is speaking, at most
   ``ACTION_WAITS_S``: "no, wait" comes late.
"""

from __future__ import annotations

from voice.barge_in import BargeIn
from voice.config import VoiceConfig
from voice.ending import Ending
from voice.endpointing import Endpointer
from voice.mouth import Mouth
from voice.speech_detector import SpeechState
from voice.turn import Turn
from voice.turns import Turns
from voice.words import has_real_words

_SOUNDING = (SpeechState.SPEAKING, SpeechState.STOPPING)
_ROUNDING_S = 1e-6
ACTION_WAITS_S = 2.0


class Floor:
    """Gives and takes the floor in one call; owns nothing but the count of barge-in speech."""

    __slots__ = ("_barge_in", "_config", "_ear", "_ending", "_mouth", "_turns")

    def __init__(
        self, config: VoiceConfig, ear: Endpointer, mouth: Mouth, turns: Turns, ending: Ending
    ) -> None:
        self._config = config
        self._ear = ear
        self._mouth = mouth
        self._turns = turns
        self._ending = ending
        self._barge_in = BargeIn(config.barge_in_window_s)

    def watch(self, turn: Turn, is_speech: bool, *, now: float) -> None:
        """One frame of the caller during a taken turn."""
        if not self._mouth.is_audible:
            self._barge_in.reset()
            self.hold(turn, now=now)
        elif not self._ending.is_firm:
            self._barge_in.receive(is_speech)
            needed_s = self._config.barge_in_speech_s
            if self._ear.detector.is_speaking and self._has_gone_on(turn, now):
                needed_s = min(needed_s, self._config.retreat_speech_s)
            if self._barge_in.speech_s >= needed_s - _ROUNDING_S:
                self._ear.put_back(self.yield_to_caller(now=now), now=now)

    def hold(self, turn: Turn, *, now: float) -> None:
        """Keep a silent reply from starting over the caller, or let it start."""
        is_sounding = (
            self._ear.detector.state in _SOUNDING
            and turn.kind not in ("greeting", "resume")
            and not self._ending.is_firm
            and self._ear.speech_started_at(now=now) > turn.taken_at
        )
        if not is_sounding:
            turn.held_at = None
        elif turn.held_at is None:
            turn.held_at = now
        until = self._held_until(turn)
        is_paused = until is not None and now < until - _ROUNDING_S
        if is_paused != self._mouth.playout.is_paused:
            self._mouth.playout.is_paused = is_paused
            self._mouth.pump(now=now)

    def next_deadline(self, turn: Turn) -> float | None:
        """Loop time at which what is held goes on come what may; None if nothing is held."""
        if turn.heard_at is not None:
            return turn.heard_at + ACTION_WAITS_S
        return self._held_until(turn) if self._mouth.playout.is_paused else None

    def is_awaited(self, turn: Turn, *, now: float) -> bool:
        """True while words of the caller may still take back what the heard reply asks for."""
        is_open = bool(turn.action) and not turn.hang_up and not self._ending.is_firm
        if not is_open or not self._ear.is_waiting or not self._turns.is_heard(now=now):
            turn.heard_at = None
            return False
        turn.heard_at = now if turn.heard_at is None else turn.heard_at
        return now < turn.heard_at + ACTION_WAITS_S - _ROUNDING_S

    def is_talked_over(self) -> bool:
        """True when the words in the ear are a reason to give up the taken turn."""
        if self._turns.taken is None or self._ending.is_firm:
            return False
        is_due = not self._mouth.is_audible or self._ear.detector.state in _SOUNDING
        return is_due and has_real_words(self._ear.text)

    def yield_to_caller(self, *, now: float) -> str:
        """The caller has the floor; returns words that the next turn must begin with."""
        turn = self._turns.taken
        if turn is None:
            return ""
        self._ending.take_back()
        self._barge_in.reset()
        if not self._mouth.is_audible or self._has_gone_on(turn, now):
            return self._turns.retract(now=now)
        self._turns.stop("interrupted", "barge-in", now=now)
        return ""

    def _has_gone_on(self, turn: Turn, now: float) -> bool:
        audible_at = self._mouth.playout.first_audible_at
        if turn.kind != "caller" or not turn.is_asked or turn.failure or audible_at is None:
            return False
        started_at = self._ear.speech_started_at(now=now)
        return (
            started_at <= audible_at + self._config.went_on_window_s
            and now <= audible_at + self._config.went_on_heard_s
        )

    def _held_until(self, turn: Turn) -> float | None:
        return None if turn.held_at is None else turn.held_at + self._config.hold_for_speech_s
