"""The turns of a call, one at a time: guessed, taken, spoken, settled.

States of the current turn:

    none -> guessed        a reply is prepared and held             BeginTurn(speculative)
    guessed -> none        the caller went on, or other words       AbandonTurn
    none, guessed -> taken the turn is over                         (BeginTurn,) CommitTurn
    taken -> none          the caller went on before any audio      AbandonTurn; same turn_id again
    taken -> settled       heard, interrupted, failed, dropped      TurnSettled, once for a turn_id

A taken turn is *thinking* until its first audio is sent, then *speaking*. What the session says of
its own accord (greeting, apology, farewell) is a taken turn with one planned segment; the mind is
not asked. A turn that fails before anything was said becomes an apology under its next guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from voice import timeline
from voice.config import VoiceConfig
from voice.decisions import CallerFinished
from voice.ending import is_known
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CommitTurn,
    Outcome,
    Output,
    ReplyFailed,
    ReplyFinished,
    SegmentPlanned,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    TurnKind,
    TurnSettled,
)
from voice.mouth import Mouth
from voice.turn import Turn
from voice.words import normalise


class Turns:
    """Opens, takes and settles the turns of one call.

    Args:
        config: Phrases and limits.
        mouth: Speaks the current turn.
        emit: Takes the outputs.

    Attributes:
        current: The turn that is guessed or taken, if there is one.
        failures: Failed turns in a row.
    """

    __slots__ = (
        "_config",
        "_emit",
        "_guesses",
        "_mouth",
        "_taken_back",
        "_turn_id",
        "current",
        "failures",
    )

    def __init__(self, config: VoiceConfig, mouth: Mouth, emit: Callable[[Output], None]) -> None:
        self._config = config
        self._mouth = mouth
        self._emit = emit
        self._turn_id = 1
        self._guesses = 0
        self._taken_back: Turn | None = None
        self.current: Turn | None = None
        self.failures = 0

    @property
    def taken(self) -> Turn | None:
        """The current turn if it is thinking or speaking."""
        return self.current if self.current is not None and self.current.is_taken else None

    @property
    def has_given_up(self) -> bool:
        """True after so many failures in a row that the call has no use."""
        return self.failures >= self._config.max_failures

    def start_at(self, turn_id: int) -> None:
        """Count on from ``turn_id``: after a loss the call goes on in another process."""
        self._turn_id = turn_id

    def guess(self, text: str, *, now: float) -> None:
        """Prepare a reply to ``text``, unless the same one is being prepared already."""
        if self.current is not None:
            if normalise(self.current.text) == normalise(text):
                return
            self.drop_guess("other words")
        if self._guesses >= self._config.max_guesses:
            return
        turn = self._open("caller", text, is_asked=True, now=now)
        turn.timeline[timeline.EAGER] = now
        self._emit(BeginTurn(turn.turn_id, turn.guess, turn.kind, text, speculative=True))

    def drop_guess(self, reason: str) -> None:
        """Give up a reply that was only prepared; nothing happens if there is none."""
        turn = self.current
        if turn is not None and not turn.is_taken:
            self._abandon(turn, reason)
            self.current = None

    def take(self, kind: TurnKind, finished: CallerFinished, *, now: float) -> None:
        """The turn is over: a guess at the same words becomes the reply, else one is asked for."""
        turn = self.current
        if turn is not None and (
            turn.kind != kind or normalise(turn.text) != normalise(finished.text)
        ):
            self.drop_guess("other words")
            turn = None
        if turn is None:
            turn = self._open(kind, finished.text, is_asked=True, now=now)
            self._emit(BeginTurn(turn.turn_id, turn.guess, kind, finished.text, speculative=False))
        turn.text = finished.text
        turn.timeline[timeline.SPEECH_ENDED] = finished.speech_ended_at
        if finished.final_at is not None:
            turn.timeline[timeline.FINAL_TRANSCRIPT] = finished.final_at
        self._taken_back = None
        self._take(turn, finished.reason, now)
        self._emit(CommitTurn(turn.turn_id, turn.guess, turn.text))
        self._mouth.release(now=now)

    def say(self, kind: TurnKind, text: str, *, reason: str, now: float) -> None:
        """Say ``text`` without asking the mind."""
        self.drop_guess(reason)
        self.give_up_retracted()
        turn = self._open(kind, "", is_asked=False, now=now)
        self._take(turn, reason, now)
        self._speak_alone(text, now)

    def greet(self, text: str, *, now: float) -> None:
        """Say the greeting: turn 0."""
        turn_id, self._turn_id = self._turn_id, 0
        self.say("greeting", text, reason="call started", now=now)
        self._turn_id = turn_id

    def retract(self, *, now: float) -> str:
        """Take back a turn of which nothing was heard; returns the words it would have answered.

        A turn that was asked for keeps its number; another one is settled as interrupted.
        """
        turn = self.current
        if turn is None or not turn.is_taken:
            return ""
        if not turn.is_asked or turn.has_apologised:
            self.stop("interrupted", "caller spoke first", now=now)
            return ""
        self._abandon(turn, "caller went on")
        self._fall_silent(now)
        self.current = None
        self._taken_back = turn
        return turn.text

    def give_up_retracted(self) -> None:
        """A turn taken back before will not be asked again under its number: settle it."""
        turn, self._taken_back = self._taken_back, None
        if turn is not None:
            self._settle(turn, "dropped", "", "", "caller went on")

    def stop(self, outcome: Outcome, reason: str, *, now: float) -> None:
        """Settle the taken turn here and now, from what was heard; its audio is thrown away."""
        turn = self.current
        if turn is None or not turn.is_taken:
            return
        heard = self._mouth.heard_text(now=now)
        self._fall_silent(now)
        if self._mouth.is_truncated or not self._mouth.is_all_there:
            self._abandon(turn, reason)
        outcome = "failed" if turn.failure else outcome
        self._settle_spoken(turn, outcome, heard, turn.failure or reason)

    def hear_mind(self, event: SegmentPlanned | ReplyFinished | ReplyFailed, *, now: float) -> None:
        """A step of the reply, if it belongs to the current one."""
        turn = self.current
        if turn is None or not self._mouth.owns(event.turn_id, event.guess):
            return
        match event:
            case SegmentPlanned():
                self._mouth.plan(event.index, event.text, now=now)
            case ReplyFinished():
                self._mouth.finish_plan(now=now)
                turn.hang_up = event.hang_up
                turn.action = event.action
            case ReplyFailed():
                self.fail(None, event.message, now=now)
            case _:
                assert_never(event)

    def hear_speaker(
        self, event: SpeechArrived | SpeechFinished | SpeechFailed, *, now: float
    ) -> None:
        """Audio of a segment, if it belongs to the current reply."""
        if not self._mouth.owns(event.turn_id, event.guess):
            return
        match event:
            case SpeechArrived():
                self._mouth.arrive(event.index, event.ulaw, event.marks, now=now)
            case SpeechFinished():
                if not self._mouth.finish_segment(event.index, now=now):
                    self.fail(event.index, "speaker sent no audio", now=now)
            case SpeechFailed():
                self.fail(event.index, event.message, now=now)
            case _:
                assert_never(event)

    def fail(self, index: int | None, message: str, *, now: float) -> None:
        """The mind (``index`` None) or the synthesis of segment ``index`` has failed."""
        turn = self.current
        if turn is None:
            return
        if not turn.is_taken:
            self.drop_guess(message)
            return
        turn.failure = turn.failure or message
        if index is None and self._mouth.has_segments:
            self._mouth.finish_plan(now=now)
        elif index is not None and self._mouth.has_speech_before(index):
            self._mouth.truncate(index, now=now)
        elif not turn.is_asked or turn.has_apologised:
            self._mouth.truncate(0, now=now)
        else:
            self._apologise(turn, message, now)

    def forget_action(self) -> None:
        """The call ends before the action of the current reply can be performed."""
        if self.current is not None:
            self.current.action = {}

    def is_heard(self, *, now: float) -> bool:
        """True when all of the taken turn was said and heard."""
        is_said = self.taken is not None and self._mouth.is_complete
        return is_said and self._mouth.playout.is_all_heard(now=now)

    def settle_if_heard(self, *, now: float) -> Turn | None:
        """Settle the taken turn if all of it was said and heard; returns it then."""
        turn = self.taken
        if turn is None or not self.is_heard(now=now):
            return None
        heard = self._mouth.heard_text(now=now)
        if self._mouth.is_truncated:
            self._abandon(turn, turn.failure)
        self._settle_spoken(turn, "failed" if turn.failure else "heard", heard, turn.failure)
        return turn

    def _open(self, kind: TurnKind, text: str, *, is_asked: bool, now: float) -> Turn:
        self._guesses += 1
        turn = self.current = Turn(self._turn_id, self._guesses, kind, text, is_asked)
        self._mouth.begin(turn.turn_id, turn.guess, now=now)
        return turn

    def _take(self, turn: Turn, reason: str, now: float) -> None:
        turn.is_taken = True
        turn.taken_at = now
        turn.reason = reason
        turn.timeline[timeline.COMMITTED] = now

    def _speak_alone(self, text: str, now: float) -> None:
        self._mouth.plan(0, text, now=now)
        self._mouth.finish_plan(now=now)
        self._mouth.release(now=now)

    def _apologise(self, turn: Turn, message: str, now: float) -> None:
        self._abandon(turn, message)
        self._guesses += 1
        turn.guess = self._guesses
        turn.has_apologised = True
        turn.hang_up, turn.action = False, {}
        turn.said_trouble = self.failures + 1 >= self._config.max_failures
        phrases = self._config.phrases
        self._mouth.begin(turn.turn_id, turn.guess, now=now)
        self._speak_alone(phrases.trouble if turn.said_trouble else phrases.apology, now)

    def _abandon(self, turn: Turn, reason: str) -> None:
        self._mouth.close()
        self._emit(AbandonTurn(turn.turn_id, turn.guess, reason))

    def _fall_silent(self, now: float) -> None:
        """Nothing of the reply is heard from here on, nor of a filler before it."""
        playout = self._mouth.playout
        if self._mouth.is_audible or not playout.is_all_heard(now=now):
            playout.clear(now=now)

    def _settle_spoken(self, turn: Turn, outcome: Outcome, heard: str, reason: str) -> None:
        mouth = self._mouth
        stages = {
            timeline.SPEAK_REQUESTED: mouth.requested_at,
            timeline.SPEAK_FIRST_BYTE: mouth.first_byte_at,
            timeline.FIRST_FRAME_OUT: mouth.playout.first_out_at,
            timeline.FIRST_FRAME_AUDIBLE: mouth.playout.first_audible_at,
        }
        turn.timeline.update({name: at for name, at in stages.items() if at is not None})
        mouth.close()
        self.current = None
        self._settle(turn, outcome, mouth.planned_text, heard, reason or turn.reason)
        if turn.failure:
            self.failures += 1
        elif turn.is_asked and outcome != "dropped":
            self.failures = 0

    def _settle(self, turn: Turn, outcome: Outcome, planned: str, heard: str, reason: str) -> None:
        key = (turn.turn_id, turn.guess)
        texts = (turn.text, planned, heard)
        performs = outcome == "heard" and (turn.hang_up or is_known(turn.action))
        told = TurnSettled(
            *key, turn.kind, *texts, outcome, reason, turn.timeline, performs=performs
        )
        self._emit(told)
        self._guesses = 0
        self._turn_id = max(self._turn_id, turn.turn_id + 1)
