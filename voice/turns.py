"""The turns of a call, one at a time: guessed, taken, spoken, settled.

States of the current turn:

    none -> taken       the turn is over; nothing was prepared   BeginTurn, CommitTurn
    none -> guessed     replies are prepared and held            BeginTurn(speculative)
    guessed -> taken    one of them answers what was said        CommitTurn; AbandonTurn of others
    taken -> guessed    the caller had not finished; the reply   RetractTurn, or AbandonTurn if it
                        is kept in case no words follow          cannot be; same turn_id again
    taken -> settled    heard, interrupted, failed, dropped      TurnSettled, once for a turn_id

Guesses live in ``guesses.py``; here is what is taken. A taken turn is *thinking* until its first
audio is sent, then *speaking*. What the session says of its own accord (greeting, apology,
farewell) is a taken turn with one planned segment; the mind is not asked. A turn that fails before
anything was said becomes an apology under its next guess. One whose mind had something done and
then fails before it has said what came of it ends with an apology.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from voice import timeline
from voice.attempts import Attempts
from voice.config import VoiceConfig
from voice.decisions import CallerFinished
from voice.ending import is_known
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CommitTurn,
    MindStep,
    Outcome,
    Output,
    ReplyFailed,
    ReplyFinished,
    ReplyWorking,
    ResumeSpeech,
    RetractTurn,
    SegmentPlanned,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    TurnKind,
    TurnSettled,
)
from voice.guesses import Guesses
from voice.mouth import Mouth
from voice.reasons import WENT_ON, told
from voice.reply import Reply
from voice.turn import Turn
from voice.waste import SpeculationBudget


class Turns:
    """Opens, takes and settles the turns of one call.

    Args:
        config: Phrases and limits.
        mouth: Speaks the taken turn.
        budget: Of the guesses.
        emit: Takes the outputs.

    Attributes:
        guesses: Replies prepared for the turn that comes.
        taken: The turn that is thinking or speaking, if there is one.
        failures: Failed turns in a row.
    """

    __slots__ = (
        "_attempts",
        "_budget",
        "_config",
        "_emit",
        "_mouth",
        "_retreated_at",
        "_taken_back",
        "failures",
        "guesses",
        "taken",
    )

    def __init__(
        self,
        config: VoiceConfig,
        mouth: Mouth,
        budget: SpeculationBudget,
        emit: Callable[[Output], None],
    ) -> None:
        self._config = config
        self._mouth = mouth
        self._budget = budget
        self._emit = emit
        self._attempts = Attempts()
        self._taken_back: Turn | None = None
        self._retreated_at: float | None = None
        self.guesses = Guesses(config, budget, emit)
        self.taken: Turn | None = None
        self.failures = 0

    def change_language(self, config: VoiceConfig) -> None:
        """The call goes on in the language, and with the phrases, of ``config``."""
        self._config = config
        self.guesses.change_language(config.language)

    @property
    def is_idle(self) -> bool:
        """True when nothing is taken and nothing prepared."""
        return self.taken is None and not self.guesses.live

    @property
    def has_given_up(self) -> bool:
        """True after so many failures in a row that the call has no use."""
        return self.failures >= self._config.max_failures

    def start_at(self, turn_id: int) -> None:
        """Count on from ``turn_id``: after a loss the call goes on in another process."""
        self._attempts.turn_id = turn_id

    def guess(self, text: str, confidence: float | None, *, now: float) -> None:
        """Prepare a reply to ``text``, if none is prepared and one more is wanted."""
        if self.guesses.is_wanted(text, confidence, now=now):
            self._begin_guess(text, now)

    def drop_guesses(self, reason: str) -> None:
        """Give up what was only prepared."""
        self.guesses.drop_all(reason)

    def handle_deadline(self, *, now: float) -> None:
        """Do what is due with the guesses."""
        due = self.guesses.handle_deadline(now=now)
        if due is not None and self.taken is None:
            self._begin_guess(due, now)

    def take(self, kind: TurnKind, finished: CallerFinished, *, now: float) -> None:
        """The turn is over: a guess at these words becomes the reply, else one is asked for."""
        guess = self.guesses.pick(kind, finished.text)
        if guess is None:
            self.drop_guesses("other words")
            turn = self._attempts.open(kind, finished.text, is_asked=True)
            reply = self._reply_of(turn)
            self._emit(BeginTurn(*turn.key, kind, finished.text, speculative=False))
        else:
            turn, reply = guess.turn, guess.reply
        turn.text = finished.text
        turn.timeline[timeline.SPEECH_ENDED] = finished.speech_ended_at
        if finished.final_at is not None:
            turn.timeline[timeline.FINAL_TRANSCRIPT] = finished.final_at
        self._taken_back = None
        self._take(turn, finished.reason, now)
        self._emit(CommitTurn(*turn.key, turn.text))
        self._mouth.speak(reply, now=now)
        if guess is not None and guess.is_paused:
            self._emit(ResumeSpeech(*turn.key))
        self.drop_guesses("other words")

    def say(self, kind: TurnKind, text: str, *, reason: str, now: float) -> None:
        """Say ``text`` without asking the mind."""
        self.drop_guesses(reason)
        self.give_up_retracted()
        turn = self._attempts.open(kind, "", is_asked=False)
        self._take(turn, reason, now)
        self._speak_alone(turn, text, now)

    def greet(self, text: str, *, now: float) -> None:
        """Say the greeting: turn 0."""
        turn_id, self._attempts.turn_id = self._attempts.turn_id, 0
        self.say("greeting", text, reason="call started", now=now)
        self._attempts.turn_id = turn_id

    def retract(self, *, now: float) -> str:
        """Take back a turn that was taken too early; returns the words it would have answered.

        A turn that was asked for keeps its number, and its reply is held, as whole as it is, in
        case that no other words come; another turn is settled as interrupted.
        """
        turn = self.taken
        if turn is None:
            return ""
        if not turn.is_asked or turn.has_apologised:
            self.stop("interrupted", "caller spoke first", now=now)
            return ""
        if self._mouth.is_audible:
            turn.timeline[timeline.RETREATED] = self._retreated_at = now
        reply = None if turn.failure else self._mouth.take_back()
        self._fall_silent(now)
        self.taken, self._taken_back = None, turn
        if reply is None:
            self._abandon(turn, WENT_ON)
        else:
            turn.is_taken = False
            self._emit(RetractTurn(*turn.key, WENT_ON))
            self.guesses.take_back(turn, reply)
        return turn.text

    def give_up_retracted(self) -> None:
        """A turn taken back before will not be asked again under its number: settle it."""
        turn, self._taken_back = self._taken_back, None
        if turn is not None:
            self._settle(turn, "dropped", "", "", told(turn.reason, WENT_ON))

    def stop(self, outcome: Outcome, reason: str, *, now: float) -> None:
        """Settle the taken turn here and now, from what was heard; its audio is thrown away."""
        turn = self.taken
        if turn is None:
            return
        heard = self._mouth.heard_text(now=now)
        self._fall_silent(now)
        if self._mouth.reply.is_truncated or not self._mouth.reply.is_all_there:
            self._abandon(turn, reason)
        outcome = "failed" if turn.failure else outcome
        self._settle_spoken(turn, outcome, heard, turn.failure or told(turn.reason, reason))

    def hear_mind(self, event: MindStep, *, now: float) -> None:
        """A step of a reply, if that is spoken or held."""
        turn = self.taken
        if turn is None or not self._mouth.owns(event.turn_id, event.guess):
            guess = self.guesses.find(event.turn_id, event.guess)
            if guess is not None:
                self.guesses.hear_mind(guess, event, now=now)
            return
        match event:
            case SegmentPlanned():
                self._mouth.plan(event.index, event.text, now=now)
            case ReplyWorking():
                self._mouth.wait_longer(event.for_s, now=now)
            case ReplyFinished():
                self._mouth.finish_plan(now=now)
                if not turn.has_apologised:
                    turn.hang_up, turn.action = event.hang_up, event.action
            case ReplyFailed():
                self.fail(None, event.message, now=now)
            case _:
                assert_never(event)

    def hear_speaker(
        self, event: SpeechArrived | SpeechFinished | SpeechFailed, *, now: float
    ) -> None:
        """Audio of a segment, if its reply is spoken or held."""
        if not self._mouth.owns(event.turn_id, event.guess):
            guess = self.guesses.find(event.turn_id, event.guess)
            if guess is not None:
                self.guesses.hear_speaker(guess, event, now=now)
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
        turn, reply = self.taken, self._mouth.reply
        if turn is None:
            return
        turn.failure = turn.failure or message
        is_minds = index in (None, len(reply.segments)) and not reply.is_planned
        if is_minds and reply.segments and reply.owes_answer and turn.is_asked:
            reply.is_truncated = index is not None  # it may still be thinking
            self._mouth.plan(len(reply.segments), self._apology(turn), now=now)
            self._mouth.finish_plan(now=now)
        elif index is None and reply.segments:
            self._mouth.finish_plan(now=now)
        elif index is not None and reply.has_speech_before(index):
            self._mouth.truncate(index, now=now)
        elif not turn.is_asked or turn.has_apologised:
            self._mouth.truncate(0, now=now)
        else:
            self._apologise(turn, message, now)

    def forget_action(self) -> None:
        """The call ends before the action of the current reply can be performed."""
        if self.taken is not None:
            self.taken.action = {}

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
        if self._mouth.reply.is_truncated:
            self._abandon(turn, turn.failure)
        self._settle_spoken(turn, "failed" if turn.failure else "heard", heard, turn.failure)
        return turn

    def _begin_guess(self, text: str, now: float) -> None:
        turn = self._attempts.open("caller", text, is_asked=True)
        turn.timeline[timeline.EAGER] = now
        self.guesses.begin(turn)

    def _reply_of(self, turn: Turn) -> Reply:
        return Reply(turn.key, self._config.speculation.held_bytes)

    def _take(self, turn: Turn, reason: str, now: float) -> None:
        self.taken = turn
        turn.is_taken = True
        turn.taken_at = now
        turn.reason = reason
        turn.timeline[timeline.COMMITTED] = now

    def _speak_alone(self, turn: Turn, text: str, now: float) -> None:
        self._mouth.speak(self._reply_of(turn), now=now)
        self._mouth.plan(0, text, now=now)
        self._mouth.finish_plan(now=now)

    def _apologise(self, turn: Turn, message: str, now: float) -> None:
        self._abandon(turn, message)
        turn.guess = self._attempts.next_number()
        self._speak_alone(turn, self._apology(turn), now)

    def _apology(self, turn: Turn) -> str:
        turn.has_apologised = True
        turn.hang_up, turn.action = False, {}
        turn.said_trouble = self.failures + 1 >= self._config.max_failures
        phrases = self._config.phrases
        return phrases.trouble if turn.said_trouble else phrases.apology

    def _abandon(self, turn: Turn, reason: str) -> None:
        self._mouth.close()
        self._emit(AbandonTurn(*turn.key, reason))

    def _fall_silent(self, now: float) -> None:
        """Nothing of the reply is heard from here on, nor of a filler before it."""
        playout = self._mouth.playout
        if self._mouth.is_audible or not playout.is_all_heard(now=now):
            playout.clear(now=now)

    def _settle_spoken(self, turn: Turn, outcome: Outcome, heard: str, reason: str) -> None:
        mouth = self._mouth
        stages = {
            timeline.SPEAK_REQUESTED: mouth.reply.requested_at,
            timeline.SPEAK_FIRST_BYTE: mouth.reply.first_byte_at,
            timeline.FIRST_FRAME_OUT: mouth.playout.first_out_at,
            timeline.FIRST_FRAME_AUDIBLE: mouth.playout.first_audible_at,
        }
        turn.timeline.update({name: at for name, at in stages.items() if at is not None})
        mouth.close()
        self.taken = None
        self._settle(turn, outcome, mouth.reply.planned_text, heard, reason or turn.reason)
        if turn.failure:
            self.failures += 1
        elif turn.is_asked and outcome != "dropped":
            self.failures = 0

    def _settle(self, turn: Turn, outcome: Outcome, planned: str, heard: str, reason: str) -> None:
        texts = (turn.text, planned, heard)
        performs = outcome == "heard" and (turn.hang_up or is_known(turn.action))
        if self._retreated_at is not None:  # perhaps from another attempt at this turn
            turn.timeline.setdefault(timeline.RETREATED, self._retreated_at)
        spend = self._attempts.spend(turn, self.guesses, self._mouth.reply.requested_chars)
        if spend.calls:
            self._budget.settle(spend)
        self._emit(
            TurnSettled(
                *turn.key, turn.kind, *texts, outcome, reason, turn.timeline, performs, spend
            )
        )
        self._attempts.settled(turn)
        self._retreated_at = None
        self.guesses.new_turn()
