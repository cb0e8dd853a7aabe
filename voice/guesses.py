"""Replies that are prepared, and held, before the turn is taken.

Rules:

1. At most ``live_guesses`` are held. A newer one does not end an older one: words flap, and what
   the caller said is only known in the end. When there are too many, the one goes whose words have
   not been the caller's for longest; so does any for which that is ``keep_s`` ago.
2. Whether a guess answers what was said is told by ``same_words``; of several that do, the one
   that is furthest wins.
3. At most ``max_guesses`` are made for a turn, and those put off or left out that the budget does
   not want (``waste.py``). Words that stand still while the caller speaks are a weaker reason: they
   leave two guesses for the pauses.
4. While the caller goes on, nothing more is spoken for a guess than was asked for before.
5. What comes for a guess that is not held changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from voice.config import VoiceConfig
from voice.events import (
    AbandonTurn,
    BeginTurn,
    MindStep,
    Output,
    PauseSpeech,
    ReplyFailed,
    ReplyFinished,
    ReplyWorking,
    SegmentPlanned,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    Synthesise,
    TurnKind,
)
from voice.lexicon import Cue, end_cue
from voice.reply import Reply
from voice.same_words import asks_the_same
from voice.turn import Turn
from voice.waste import SpeculationBudget

_ROUNDING_S = 1e-6
_LEFT_FOR_PAUSES = 2


@dataclass(slots=True)
class Guess:
    """A reply that is prepared.

    Attributes:
        left_at: Loop time at which the caller's words became others; None while they are these.
        is_doubted: The caller goes on.
        is_paused: The speaker is not read further.
    """

    turn: Turn
    reply: Reply
    left_at: float | None = None
    is_doubted: bool = False
    is_paused: bool = False


class Guesses:
    """The prepared replies of one call; see the rules above.

    Args:
        config: How many, for how long.
        budget: Says how choosy to be.
        emit: Takes the outputs.

    Attributes:
        live: What is held, oldest first.
        begun: Guesses made for the current turn.
        missed: Those of them that were given up and never taken.
        wasted_chars: Characters spoken in vain for it.
    """

    __slots__ = (
        "_budget",
        "_config",
        "_due_at",
        "_due_text",
        "_emit",
        "_language",
        "_steady_at",
        "_steady_text",
        "begun",
        "live",
        "missed",
        "wasted_chars",
    )

    def __init__(
        self, config: VoiceConfig, budget: SpeculationBudget, emit: Callable[[Output], None]
    ) -> None:
        self._config = config.speculation
        self._language = config.language
        self._budget = budget
        self._emit = emit
        self.live: list[Guess] = []
        self.begun = 0
        self.missed = 0
        self.wasted_chars = 0
        self._due_at: float | None = None  # a guess that was put off
        self._due_text = ""
        self._steady_at: float | None = None  # words that may turn out to stand still
        self._steady_text = ""

    def change_language(self, language: str) -> None:
        """The caller speaks another language from now on."""
        self._language = language

    def new_turn(self) -> None:
        """The turn is settled: count anew."""
        self.begun = self.missed = self.wasted_chars = 0

    def find(self, turn_id: int, guess: int) -> Guess | None:
        """The held guess of this name."""
        key = (turn_id, guess)
        return next((each for each in self.live if each.reply.key == key), None)

    # --- what the caller does ---------------------------------------------------------------------

    def is_wanted(self, text: str, confidence: float | None, *, now: float) -> bool:
        """Whether a reply to ``text`` should be begun now; else it may become due later.

        Args:
            text: The caller's words in a pause.
            confidence: That the turn is over, 0 to 1; None when nobody says.
            now: Loop time.
        """
        self._due_at = None
        if self._is_prepared(text, now) or self.begun >= self._config.max_guesses:
            return False
        wait_s = self._budget.delay_ratio(confidence) * self._config.longest_wait_s
        if wait_s <= 0.0:
            return True
        self._due_text, self._due_at = text, now + wait_s
        return False

    def hear_words(self, text: str, *, may_guess: bool, now: float) -> None:
        """The words of the caller so far.

        Args:
            text: All of them.
            may_guess: False: no guess may become due from them.
            now: Loop time.
        """
        for guess in self.live:
            if asks_the_same(guess.turn.text, text, self._language):
                guess.left_at = None
            elif guess.left_at is None:
                guess.left_at = now
        if text == self._steady_text:
            return
        self._due_at = None
        self._steady_text = text
        is_on = may_guess and self._config.steady_words_s > 0.0 and text != ""
        self._steady_at = now + self._config.steady_words_s if is_on else None

    def doubt(self) -> None:
        """The caller goes on; the words will tell what becomes of the guesses."""
        self._due_at = None
        for guess in self.live:
            guess.is_doubted = True

    # --- beginning and ending ---------------------------------------------------------------------

    def begin(self, turn: Turn) -> None:
        """Ask for the reply to ``turn`` and hold it."""
        self.begun += 1
        self._make_room()
        self.live.append(Guess(turn, Reply(turn.key, self._config.held_bytes)))
        self._emit(BeginTurn(*turn.key, turn.kind, turn.text, speculative=True))

    def take_back(self, turn: Turn, reply: Reply) -> None:
        """Hold a reply again whose turn was taken too early."""
        self._make_room()
        guess = Guess(turn, reply, is_doubted=True)
        self.live.append(guess)
        self._pause_if_full(guess)

    def pick(self, kind: TurnKind, text: str) -> Guess | None:
        """The best guess at ``text``, held no longer; None if none answers it."""
        fitting = [guess for guess in self.live if self._fits(guess, kind, text)]
        if not fitting:
            return None
        best = max(reversed(fitting), key=lambda guess: _progress(guess, text))
        self.live.remove(best)
        return best

    def drop(self, guess: Guess, reason: str) -> None:
        """Give up one guess."""
        self.live.remove(guess)
        self.missed += not guess.turn.taken_at
        self.wasted_chars += guess.reply.requested_chars
        self._emit(AbandonTurn(*guess.reply.key, reason))

    def drop_all(self, reason: str) -> None:
        """Give up all guesses, and those that might have been made."""
        self._due_at = self._steady_at = None
        self._steady_text = ""
        for guess in tuple(self.live):
            self.drop(guess, reason)

    # --- what mind and speaker bring --------------------------------------------------------------

    def hear_mind(self, guess: Guess, event: MindStep, *, now: float) -> None:
        """A step of a held reply."""
        match event:
            case SegmentPlanned():
                guess.reply.plan(event.index, event.text)
                self._request(guess, now)
            case ReplyWorking():
                guess.reply.work(event.for_s)
            case ReplyFinished():
                guess.reply.is_planned = True
                guess.turn.hang_up, guess.turn.action = event.hang_up, event.action
            case ReplyFailed():
                self.drop(guess, event.message)
            case _:
                assert_never(event)

    def hear_speaker(
        self, guess: Guess, event: SpeechArrived | SpeechFinished | SpeechFailed, *, now: float
    ) -> None:
        """Audio of a held reply."""
        match event:
            case SpeechArrived():
                guess.reply.arrive(event.index, event.ulaw, event.marks, now=now)
                self._pause_if_full(guess)
            case SpeechFinished():
                segment = guess.reply.finish_segment(event.index)
                if segment is not None and not segment.is_whole:
                    self.drop(guess, "speaker sent no audio")
            case SpeechFailed():
                self.drop(guess, event.message)
            case _:
                assert_never(event)

    # --- time -------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """Loop time at which something is due."""
        keep_s = self._config.keep_s
        left = [each.left_at + keep_s for each in self.live if each.left_at is not None]
        due = [at for at in (self._due_at, self._steady_at) if at is not None]
        return min((*left, *due), default=None)

    def handle_deadline(self, *, now: float) -> str | None:
        """Let go what is too old; returns words to which a reply should be begun now."""
        for guess in tuple(self.live):
            if guess.left_at is not None and _is_past(guess.left_at + self._config.keep_s, now):
                self.drop(guess, "other words")
        due, steady = self._due_at, self._steady_at
        if due is not None and _is_past(due, now):
            self._due_at = None
            return self._due_text
        if steady is not None and _is_past(steady, now):
            self._steady_at = None
            return self._steady_text if self._is_worth_it(self._steady_text, now) else None
        return None

    # --- within -----------------------------------------------------------------------------------

    def _is_prepared(self, text: str, now: float) -> bool:
        """Whether ``text`` is answered already; what was doubted is wanted again then."""
        fitting = [each for each in self.live if self._fits(each, "caller", text)]
        for guess in fitting:
            guess.is_doubted, guess.left_at = False, None
            self._request(guess, now)
        return bool(fitting)

    def _fits(self, guess: Guess, kind: TurnKind, text: str) -> bool:
        return guess.turn.kind == kind and asks_the_same(guess.turn.text, text, self._language)

    def _is_worth_it(self, text: str, now: float) -> bool:
        """Whether words that stand still while the caller speaks are reason enough."""
        is_free = self.begun < self._config.max_guesses - _LEFT_FOR_PAUSES
        if not is_free or self._budget.patience > 0.0:
            return False
        return end_cue(text, self._language).cue is not Cue.HOLD and not self._is_prepared(
            text, now
        )

    def _make_room(self) -> None:
        while len(self.live) >= self._config.live_guesses:
            oldest = min(self.live, key=lambda each: _when(each.left_at))
            self.drop(oldest, "other words")

    def _request(self, guess: Guess, now: float) -> None:
        if guess.is_doubted:
            return
        reply = guess.reply
        for index, text in reply.requests(reply.first_spoken, now=now):
            self._emit(Synthesise(*reply.key, index, text))

    def _pause_if_full(self, guess: Guess) -> None:
        if guess.reply.is_full and not guess.is_paused:
            guess.is_paused = True
            self._emit(PauseSpeech(*guess.reply.key))


def _is_past(at: float, now: float) -> bool:
    return now >= at - _ROUNDING_S


def _when(at: float | None) -> float:
    return float("inf") if at is None else at


def _progress(guess: Guess, text: str) -> tuple[bool, bool, bool]:
    """How near a guess is to being heard; of equals the one with the very words."""
    reply = guess.reply
    return reply.first_byte_at is not None, bool(reply.segments), guess.turn.text == text
