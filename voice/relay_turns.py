"""The turns of a relayed call, one at a time: guessed, taken, spoken, settled.

States of the current turn:

    none -> guessed     a reply is prepared and held             BeginTurn(speculative)
    none -> taken       the caller has finished                  BeginTurn, CommitTurn
    guessed -> taken    the words are the same                   CommitTurn; what was held goes out
    guessed -> none     they are not                             AbandonTurn
    taken -> taken      more words before the reply has begun    AbandonTurn; asked again with all
    taken -> settled    heard, interrupted, failed, dropped      TurnSettled, once for a turn_id

What the session says of its own accord (greeting, apology, farewell) is a taken turn with one
segment; the mind is not asked. A reply that fails before anything was said becomes an apology; one
whose mind had something done, and fails before it has said what came of it, ends with one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from voice import timeline
from voice.config import VoiceConfig
from voice.ending import is_known
from voice.events import (
    AbandonTurn,
    BeginTurn,
    CommitTurn,
    MindStep,
    Outcome,
    ReplyFailed,
    ReplyFinished,
    ReplyWorking,
    SegmentPlanned,
    TurnKind,
    TurnSettled,
)
from voice.reasons import WENT_ON, told
from voice.relay_events import DropWords, Output, SendWords
from voice.relay_turn import RelayTurn
from voice.same_words import asks_the_same
from voice.waste import SpeculationBudget, TurnSpend
from voice.words import is_unspaced, join_words

MOST_CHARS = 16_000  # of what a caller says in one turn: twenty minutes of speech


class RelayTurns:
    """Opens, takes and settles the turns of one call.

    Args:
        config: Phrases and limits.
        budget: Of the guesses.
        emit: Takes the outputs.

    Attributes:
        taken: The turn that is thinking or speaking, if there is one.
        guess: The reply that is prepared for the turn that comes, if there is one.
        failures: Failed turns in a row.
    """

    __slots__ = (
        "_asked",
        "_budget",
        "_config",
        "_count",
        "_emit",
        "_guessed",
        "_missed",
        "failures",
        "guess",
        "taken",
        "turn_id",
    )

    def __init__(
        self, config: VoiceConfig, budget: SpeculationBudget, emit: Callable[[Output], None]
    ) -> None:
        self._config = config
        self._budget = budget
        self._emit = emit
        self._count = self._asked = self._guessed = self._missed = 0
        self.turn_id = 1
        self.taken: RelayTurn | None = None
        self.guess: RelayTurn | None = None
        self.failures = 0

    @property
    def is_idle(self) -> bool:
        """True when nothing is taken and nothing prepared."""
        return self.taken is None and self.guess is None

    def change_language(self, config: VoiceConfig) -> None:
        """The call goes on in the language, and with the phrases, of ``config``."""
        self._config = config

    @property
    def has_given_up(self) -> bool:
        """True after so many failures in a row that the call has no use."""
        return self.failures >= self._config.max_failures

    # --- opening ----------------------------------------------------------------------------------

    def prepare(self, text: str, *, now: float) -> None:
        """Begin a reply to words that may still change; nothing of it goes out before."""
        if self.guess is not None:
            if asks_the_same(self.guess.text, text, self._config.language):
                return
            self.drop_guess("other words")
        if self._guessed >= self._config.speculation.max_guesses:
            return
        self._guessed += 1
        self.guess = turn = self._open("caller", text, is_asked=True, now=now)
        turn.timeline[timeline.EAGER] = now
        self._emit(BeginTurn(*turn.key, "caller", text, speculative=True))

    def drop_guess(self, reason: str) -> None:
        """Give up what was only prepared."""
        guess, self.guess = self.guess, None
        if guess is not None:
            self._missed += 1
            self._emit(AbandonTurn(*guess.key, reason))

    def take(self, kind: TurnKind, text: str, *, reason: str, now: float) -> None:
        """The caller has finished. What was taken before and is silent yet is asked again.

        With so many words that no turn holds them (``MOST_CHARS``), it ends there instead.
        """
        before = self.taken
        is_one = before is not None and len(before.text) + len(text) <= MOST_CHARS
        if before is not None and before.is_silent and before.is_asked and is_one:
            self._emit(AbandonTurn(*before.key, WENT_ON))
            text = join_words((before.text, text))
        elif before is not None and before.is_silent:
            self._stop(before, "dropped", "", "more words than a turn holds", now)
        elif before is not None:
            self.talked_past(now=now)
        guess, self.guess = self.guess, None
        if guess is not None and not (
            kind == "caller" and asks_the_same(guess.text, text, self._config.language)
        ):
            self._missed += 1
            self._emit(AbandonTurn(*guess.key, "other words"))
            guess = None
        turn = guess or self._open(kind, text, is_asked=True, now=now)
        if guess is None:
            self._emit(BeginTurn(*turn.key, kind, text, speculative=False))
        turn.text = text
        self._own(turn, reason, now)
        self._emit(CommitTurn(*turn.key, text))
        for segment in turn.planned:
            self._send(turn, segment, now)
        if turn.failure:
            self.fail(turn.failure, now=now)
        elif turn.is_finished:
            self._close(turn, now)

    def say(self, kind: TurnKind, text: str, *, reason: str, now: float) -> None:
        """Say ``text`` without asking the mind."""
        self.drop_guess(reason)
        turn = self._open(kind, "", is_asked=False, now=now)
        self._own(turn, reason, now)
        self._speak_alone(turn, text, now)

    def greet(self, text: str, *, now: float) -> None:
        """Say the greeting: turn 0."""
        turn_id, self.turn_id = self.turn_id, 0
        self.say("greeting", text, reason="call started", now=now)
        self.turn_id = turn_id

    # --- the mind ---------------------------------------------------------------------------------

    def hear_mind(self, event: MindStep, *, now: float) -> None:
        """A step of a reply, if that is spoken or held; anything else is stale."""
        turn = next(
            (
                one
                for one in (self.taken, self.guess)
                if one is not None and one.key == (event.turn_id, event.guess)
            ),
            None,
        )
        if turn is None or turn.is_finished:
            return
        turn.progress_at = now
        match event:
            case SegmentPlanned(text=text):
                turn.planned.append(text)
                turn.owes_answer = turn.owes_answer and turn.working_s > 0.0
                if turn.is_taken:
                    self._send(turn, text, now)
            case ReplyWorking(for_s=for_s):
                turn.working_s, turn.owes_answer = for_s, True
            case ReplyFinished(hang_up=hang_up, action=action):
                turn.is_finished = True
                turn.hang_up, turn.action = hang_up, action
                if turn.is_taken:
                    self._close(turn, now)
            case ReplyFailed(message=message):
                turn.is_finished = True
                turn.failure = turn.failure or message
                if turn.is_taken:
                    self.fail(message, now=now)
            case _:
                assert_never(event)

    def fail(self, message: str, *, now: float) -> None:
        """The reply of the taken turn cannot be had, or not to its end."""
        turn = self.taken
        if turn is None:
            return
        turn.failure = turn.failure or message
        turn.hang_up, turn.action = False, {}
        if not turn.is_finished:
            turn.is_finished = True
            self._emit(AbandonTurn(*turn.key, message))
        if turn.is_silent and turn.is_asked and not turn.has_apologised:
            self._count += 1
            turn.guess = self._count
            turn.planned.clear()
            self._speak_alone(turn, self._apology(turn), now)
        elif turn.heard.closed_at is None and turn.owes_answer:
            self._speak_alone(turn, self._apology(turn), now)
        elif turn.heard.closed_at is None:
            self._close(turn, now)

    def _apology(self, turn: RelayTurn) -> str:
        turn.has_apologised = True
        turn.said_trouble = self.failures + 1 >= self._config.max_failures
        phrases = self._config.phrases
        return phrases.trouble if turn.said_trouble else phrases.apology

    def forget_action(self) -> None:
        """What the reply asked for is not done: the caller spoke first, or the call ends."""
        if self.taken is not None:
            self.taken.hang_up, self.taken.action = False, {}

    # --- settling ---------------------------------------------------------------------------------

    def settle_heard(self) -> RelayTurn | None:
        """All of the taken turn was heard."""
        turn = self.taken
        if turn is not None:
            outcome: Outcome = "failed" if turn.failure else "heard"
            self._settle(turn, outcome, turn.heard.text, turn.failure)
        return turn

    def talked_past(self, *, now: float) -> None:
        """The caller's next words have come, and nobody said that they cut the reply.

        What was sent of it was heard, or will be: the carrier plays it to its end.
        """
        turn = self.taken
        if turn is None:
            return
        self.forget_action()
        if turn.heard.closed_at is not None:
            self.settle_heard()
        else:
            self._stop(turn, "interrupted", turn.heard.text, "caller spoke", now)

    def cut(self, heard: str, *, now: float) -> None:
        """The caller has cut the speech of the taken turn; ``heard`` is the carrier's account."""
        turn = self.taken
        if turn is not None and not turn.is_silent:
            self._stop(turn, "interrupted", turn.heard.cut_at(heard), "barge-in", now)

    def stop(self, outcome: Outcome, reason: str, *, now: float) -> None:
        """Settle the taken turn here and now, from what can have been heard."""
        if self.taken is not None:
            heard = self.taken.heard.heard_until(now=now)
            self._stop(self.taken, outcome, heard, reason, now)

    def _stop(self, turn: RelayTurn, outcome: Outcome, heard: str, reason: str, now: float) -> None:
        self.forget_action()
        if not turn.is_finished:
            self._emit(AbandonTurn(*turn.key, reason))
        self._emit(DropWords())
        if not turn.is_silent and turn.heard.closed_at is None:
            self._close(turn, now)
        outcome = "failed" if turn.failure else outcome
        self._settle(turn, outcome, heard, turn.failure or told(turn.reason, reason))

    def _settle(self, turn: RelayTurn, outcome: Outcome, heard: str, reason: str) -> None:
        self.taken = None
        performs = outcome == "heard" and (turn.hang_up or is_known(turn.action))
        spend = TurnSpend(
            calls=self._asked,
            guessed_calls=self._guessed,
            missed_calls=self._missed,
            wasted_calls=self._asked - turn.is_asked,
        )
        if spend.calls:
            self._budget.settle(spend)
        self._emit(
            TurnSettled(
                *turn.key,
                turn.kind,
                turn.text,
                turn.agent_text,
                heard,
                outcome,
                reason or turn.reason,
                turn.timeline,
                performs,
                spend,
            )
        )
        if turn.failure:
            self.failures += 1
        elif turn.is_asked and outcome != "dropped":
            self.failures = 0
        self._count = self._asked = self._guessed = self._missed = 0
        self.turn_id = max(self.turn_id, turn.turn_id + 1)

    # --- speaking ---------------------------------------------------------------------------------

    def _open(self, kind: TurnKind, text: str, *, is_asked: bool, now: float) -> RelayTurn:
        self._count += 1
        self._asked += is_asked
        return RelayTurn(self.turn_id, self._count, kind, text, is_asked, progress_at=now)

    def _own(self, turn: RelayTurn, reason: str, now: float) -> None:
        self.taken = turn
        turn.is_taken = True
        turn.taken_at = turn.progress_at = now
        turn.reason = reason
        turn.timeline[timeline.COMMITTED] = now

    def _speak_alone(self, turn: RelayTurn, text: str, now: float) -> None:
        turn.planned.append(text)
        turn.is_finished = True
        self._send(turn, text, now)
        self._close(turn, now)

    def _send(self, turn: RelayTurn, text: str, now: float) -> None:
        turn.timeline.setdefault(timeline.FIRST_FRAME_OUT, now)
        turn.heard.send(text, now=now)
        token = text if text and is_unspaced(text[-1]) else text + " "
        self._emit(SendWords(token, is_last=False))

    def _close(self, turn: RelayTurn, now: float) -> None:
        turn.heard.close(now=now)
        self._emit(SendWords("", is_last=True))
