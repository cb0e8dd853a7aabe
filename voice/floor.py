"""Who has the floor: when the agent holds its tongue, and when it stops.

Rules:

1. A taken turn that is ready while the caller makes a sound waits until the caller is quiet and
   words of what he said would be there, at most ``hold_for_speech_s``. A greeting does not wait.
2. While the agent is heard, a sound of the caller turns the voice down, then silences it; the
   reply goes on from the exact sample when nothing was meant (``barge_in.py``). Words that ask for
   the floor take it: stop words always, others unless they are a listener's. A listener's "yes" is
   an answer once a question was begun.
3. Speech that began before or in the first ``went_on_window_s`` of our playout belongs to the
   utterance being answered: the caller had not finished. ``retreat_speech_s`` of it suffice, the
   turn is taken back and its words open what follows.
4. Once the call ends firmly the floor is the agent's.
5. A reply with an action that was heard waits for a caller who is speaking, at most
   ``ACTION_WAITS_S``: "no, wait" comes late.
6. Where a turn was told by its words alone, with sound all the while, there is noise: for
   ``NOISE_LASTS_S`` no sound alone keeps the agent waiting or takes a turn back, and more of it is
   needed to silence the agent.
7. While the line echoes us, words that we are saying ourselves are no words of the caller.
"""

from __future__ import annotations

import re
from typing import assert_never

from voice import timeline
from voice.barge_in import BargeIn, Move, Stage
from voice.config import VoiceConfig
from voice.decisions import CallerFinished
from voice.echo import EchoGate
from voice.ending import Ending
from voice.endpointing import Endpointer
from voice.lexicon import has_stop_word, is_backchannel, is_yes_or_no, what_was_asked
from voice.mouth import Mouth
from voice.speech_detector import SpeechState
from voice.turn import Turn
from voice.turns import Turns
from voice.words import has_real_words, has_words, normalise

_SOUNDING = (SpeechState.SPEAKING, SpeechState.STOPPING)
_ROUNDING_S = 1e-6
ACTION_WAITS_S = 2.0
NOISE_LASTS_S = 30.0
_ECHO_LASTS_S = 5.0
_SENTENCE_END = re.compile(r"[.?!](?=\s|$)|[。？！]")


class Floor:
    """Gives and takes the floor in one call."""

    __slots__ = (
        "_barge_in",
        "_config",
        "_ear",
        "_echo",
        "_ending",
        "_mouth",
        "_noise_until",
        "_reply",
        "_turns",
    )

    def __init__(
        self, config: VoiceConfig, ear: Endpointer, mouth: Mouth, turns: Turns, ending: Ending
    ) -> None:
        self._config = config
        self._ear = ear
        self._mouth = mouth
        self._turns = turns
        self._ending = ending
        self._barge_in = BargeIn(config.barge_in)
        self._echo = EchoGate(mouth.playout.levels)
        self._reply = (-1, -1)
        self._noise_until = 0.0

    def change_language(self, config: VoiceConfig) -> None:
        """The caller speaks the language of ``config`` from now on."""
        self._config = config

    def hear_end(self, finished: CallerFinished, *, now: float) -> None:
        """How a turn of the caller was told to be over."""
        if finished.is_in_noise:
            self._noise_until = now + NOISE_LASTS_S
            self._barge_in.hear_noise(until=self._noise_until)

    def hear_frame(self, is_speech: bool, level_db: float, *, now: float) -> None:
        """One frame of the caller."""
        is_echo = self._echo.hear(level_db, is_speech=is_speech, now=now)
        turn = self._turns.taken
        if turn is None:
            return
        if not self._mouth.is_audible:
            self._barge_in.reset()
            self.hold(turn, now=now)
        elif self._ending.is_firm:
            self._let_go(now)
        else:
            self._follow(turn)
            move = self._barge_in.hear(is_speech=is_speech, is_echo=is_echo, now=now)
            if self._is_retreat_due(turn, now):
                self._ear.put_back(self.yield_to_caller(now=now), now=now)
            else:
                self._make(move, now)

    def handle_deadline(self, turn: Turn, *, now: float) -> None:
        """Let go on what was held for long enough."""
        if not self._mouth.is_audible:
            self.hold(turn, now=now)
        elif self._reply == turn.key:
            self._make(self._barge_in.handle_deadline(now=now), now)

    def hold(self, turn: Turn, *, now: float) -> None:
        """Keep a silent reply from starting over the caller, or let it start."""
        is_sounding = (
            (self._ear.detector.state in _SOUNDING or self._ear.expects_words(now=now))
            and now >= self._noise_until
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
        if self._mouth.is_audible:
            return self._barge_in.next_deadline() if self._reply == turn.key else None
        return self._held_until(turn) if self._mouth.playout.is_paused else None

    def is_awaited(self, turn: Turn, *, now: float) -> bool:
        """True while words of the caller may still take back what the heard reply asks for."""
        is_open = bool(turn.action) and not turn.hang_up and not self._ending.is_firm
        if not is_open or not self._ear.is_waiting or not self._turns.is_heard(now=now):
            turn.heard_at = None
            return False
        turn.heard_at = now if turn.heard_at is None else turn.heard_at
        return now < turn.heard_at + ACTION_WAITS_S - _ROUNDING_S

    def is_talked_over(self, *, now: float) -> bool:
        """True when the words in the ear are a reason to give up the taken turn."""
        text = self._ear.text
        if not has_words(text):
            return False
        self._barge_in.has_heard_words = True
        turn = self._turns.taken
        if turn is None or self._ending.is_firm:
            return False
        if not self._mouth.is_audible:
            return has_real_words(text)
        if not self._asks_for_floor(text, now):
            self._make(self._barge_in.hear_backchannel(now=now), now)
            return False
        return (
            self._ear.detector.state in _SOUNDING
            or self._barge_in.since_sound_s(now) <= self._config.barge_in.late_words_s
            or has_stop_word(text, self._config.language)
        )

    def is_worth_a_turn(self, text: str, *, now: float) -> bool:
        """True when a finished utterance takes the floor from the agent."""
        if not self._mouth.is_audible:
            return has_real_words(text)
        return self._asks_for_floor(text, now)

    def _asks_for_floor(self, text: str, now: float) -> bool:
        """True when these words, said over the agent, are more than a listener's."""
        language = self._config.language
        if self._is_echo(text, now):
            return False
        if has_stop_word(text, language):
            return True
        if has_real_words(text) and not is_backchannel(text, language):
            return True
        is_asked = what_was_asked(self._begun_text(now), language).kind == "yes_no"
        return is_asked and is_yes_or_no(text, language)

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

    def _follow(self, turn: Turn) -> None:
        if self._reply != turn.key:
            self._reply = turn.key
            self._barge_in.reset()

    def _make(self, move: Move | None, now: float) -> None:
        playout = self._mouth.playout
        match move:
            case None:
                return
            case Move.DUCK:
                playout.duck(now=now)
            case Move.RESTORE:
                playout.restore(now=now)
            case Move.PAUSE:
                playout.pause(now=now)
            case Move.RESUME:
                playout.resume(now=now)
            case Move.STOP:
                self._ear.put_back(self.yield_to_caller(now=now), now=now)
            case _:
                assert_never(move)

    def _let_go(self, now: float) -> None:
        """The floor is the agent's: what was held because of the caller goes on."""
        if self._barge_in.stage is Stage.PAUSED:
            self._mouth.playout.resume(now=now)
        elif self._barge_in.stage is Stage.DUCKED:
            self._mouth.playout.restore(now=now)
        self._barge_in.reset()

    def _is_retreat_due(self, turn: Turn, now: float) -> bool:
        """True when the caller had not finished; once for the same words, or it were for ever."""
        return (
            self._barge_in.sound_s >= self._config.retreat_speech_s - _ROUNDING_S
            and self._ear.detector.is_speaking
            and now >= self._noise_until
            and timeline.RETREATED not in turn.timeline
            and self._has_gone_on(turn, now)
        )

    def _is_echo(self, text: str, now: float) -> bool:
        """True when the line echoes us and these are our own words."""
        if now - self._echo.coherent_at > _ECHO_LASTS_S:
            return False
        ours, theirs = normalise(self._mouth.reply.planned_text), normalise(text)
        starts = range(len(ours) - len(theirs) + 1)
        return any(ours[at : at + len(theirs)] == theirs for at in starts)

    def _begun_text(self, now: float) -> str:
        """What was heard of the reply, and the rest of the sentence that is being said."""
        heard = self._mouth.heard_text(now=now)
        planned = self._mouth.reply.planned_text
        if not heard or _SENTENCE_END.search(heard[-1]):
            return heard
        end = _SENTENCE_END.search(planned, len(heard))
        return planned[: end.end()] if end else planned

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
