"""A call whose ear and mouth are the carrier's: words come in, words go out, one timer.

Rules:

1. A prompt that is over (``is_last``) takes the turn. Words that are not over yet, and stay the
   same for a moment, are prepared for; that reply is held until the turn is taken.
2. Prompts that come while the taken turn is still silent belong to it: it is asked again with all
   the words, so that a burst of them is answered once, and nothing is lost.
3. What the carrier says was heard when the caller cuts in is what was heard (``relay_heard.py``);
   the rest of the reply is not thought or sent.
4. A turn settles when all of it was heard. Failed ones apologise; too many end the call.
5. What a reply asks for is done once it was heard, unless the caller has begun to speak: then it
   waits, for at most ``ACTION_WAITS_S``, and words take it back. Keys are pressed in the session;
   for anything else the session ends.
6. A reply that is late is preceded by a sentence.
7. Pressed keys form entries. Long silence on both sides is asked about, then ends.
8. An end that is firm (asked for, or trouble) is spoken to the end.

``receive`` and ``handle_deadline`` make one mutation; drain ``next_output`` after each, then re-arm
one timer from ``next_deadline``.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from voice import timeline
from voice.config import VoiceConfig
from voice.ending import Ending, is_known
from voice.events import (
    CallStarted,
    DigitPressed,
    HangUpRequested,
    ReplyFailed,
    ReplyFinished,
    ReplyWorking,
    SegmentPlanned,
)
from voice.idle import IdleWatch
from voice.keypad import Keypad
from voice.relay_events import (
    AgentSounded,
    CallerSounded,
    EndSession,
    Input,
    Output,
    PressKeys,
    PromptHeard,
    SendWords,
    SpeechCut,
    WordsPlayed,
)
from voice.relay_turn import RelayTurn
from voice.relay_turns import RelayTurns
from voice.waste import SpeculationBudget
from voice.words import has_words, join_words

STEADY_S = 0.25  # words that stay the same for so long are worth a guess
ACTION_WAITS_S = 2.0
_ROUNDING_S = 1e-6


class RelaySession:
    """The machine of one call: events in, requests out, one timer.

    Args:
        config: How this agent takes turns; what concerns audio is not used.
        one_moment: Said when a reply is late; empty for nothing.
        budget: Of the guesses, shared with the tenant's other calls; one of its own by default.
    """

    def __init__(
        self,
        config: VoiceConfig,
        one_moment: str = "",
        budget: SpeculationBudget | None = None,
    ) -> None:
        self._config = config
        self._one_moment = one_moment
        self._budget = budget or SpeculationBudget(config.speculation.max_waste_ratio)
        self._outbox: deque[Output] = deque()
        self._turns = RelayTurns(config, self._budget, self._outbox.append)
        self._ending = Ending()
        self._keypad = Keypad(config.digit_wait_s)
        self._spoken_before_keys = ""
        self._idle = IdleWatch(config.idle_prompt_s, config.idle_hang_up_s)
        self._partial = ""
        self._partial_since = 0.0
        self._caller_since: float | None = None  # the caller makes a sound
        self._heard_at: float | None = None  # all was heard, and an action waits
        self._is_started = False
        self._is_over = False

    def receive(self, event: Input, *, now: float) -> None:
        """Take one event in. Never blocks and never raises for what the outside does.

        Args:
            event: What happened. Steps of an abandoned guess are ignored.
            now: Loop time in seconds; never runs backwards.
        """
        if self._is_over:
            return
        match event:
            case PromptHeard():
                self._hear_words(event, now)
            case SegmentPlanned() | ReplyWorking() | ReplyFinished() | ReplyFailed():
                self._turns.hear_mind(event, now=now)
            case SpeechCut(heard_text=heard):
                self._hear_cut(heard, now)
            case WordsPlayed() | AgentSounded() | CallerSounded():
                self._hear_sound(event, now)
            case DigitPressed(digit=digit):
                self._press(digit, now)
            case CallStarted():
                self._start(event, now)
            case HangUpRequested():
                self._wind_up(event, now)
            case _:
                assert_never(event)
        self._follow_up(now)

    def close(self, *, now: float) -> None:
        """The socket is gone: settle the turn in flight from what was heard until ``now``."""
        if self._is_over:
            return
        turn = self._turns.taken
        self._turns.forget_action()
        if turn is not None and turn.heard.is_heard(now=now):
            self._turns.settle_heard()
        self._turns.drop_guess("stream closed")
        self._turns.stop("interrupted", "stream closed", now=now)
        self._is_over = True

    def change_language(self, config: VoiceConfig, one_moment: str) -> None:
        """Hear and say everything from now on in the language of ``config``; between two turns."""
        self._config, self._one_moment = config, one_moment
        self._turns.change_language(config)

    def next_output(self) -> Output | None:
        """The oldest request, or None when there is none left."""
        return self._outbox.popleft() if self._outbox else None

    @property
    def is_between_turns(self) -> bool:
        """True when nobody's words are on their way: the call can be moved unnoticed."""
        is_quiet = self._turns.is_idle and not self._partial and not self._keypad.is_waiting
        return is_quiet and self._caller_since is None and self._ending.reason is None

    # --- time -------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` wants to be called, or None."""
        if self._is_over:
            return None
        if self._is_idle:
            return _earliest(self._idle.next_deadline(), self._guess_at())
        turn = self._turns.taken
        turn_at = None if turn is None else self._turn_deadline(turn)
        return _earliest(self._keypad.next_deadline(), turn_at, self._guess_at())

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due at ``now``; early or repeated calls do no harm."""
        if self._is_over:
            return
        entry = self._keypad.handle_deadline(now=now)
        if entry is not None:
            self._enter(entry, now)
        guess_at = self._guess_at()
        if guess_at is not None and now >= guess_at - _ROUNDING_S:
            self._turns.prepare(self._partial, now=now)
        turn = self._turns.taken
        if turn is not None and not turn.is_finished:
            if now >= self._given_up_at(turn) - _ROUNDING_S:
                self._turns.fail("no progress", now=now)
            elif self._is_late(turn, now):
                self._fill(turn, now)
        self._follow_up(now)
        if self._is_idle and not self._is_over:
            self._break_silence(now)

    def _turn_deadline(self, turn: RelayTurn) -> float | None:
        if self._heard_at is not None:
            return self._heard_at + ACTION_WAITS_S
        if turn.is_finished:
            return turn.heard.next_deadline()
        at = self._given_up_at(turn)
        return min(at, turn.taken_at + self._late_s) if self._can_fill(turn) else at

    def _given_up_at(self, turn: RelayTurn) -> float:
        return turn.progress_at + max(self._config.reply_wait_s, turn.working_s)

    def _guess_at(self) -> float | None:
        """When the words that the caller is saying are prepared for."""
        turns = self._turns
        if not self._partial or turns.guess is not None or not self._may_guess:
            return None
        if turns.taken is not None:
            return None  # the turn is asked again with them, or cut by them first
        wait_s = max(STEADY_S, self._config.speculation.steady_words_s)
        delay_s = self._budget.patience * self._config.speculation.longest_wait_s
        return self._partial_since + wait_s + delay_s

    @property
    def _may_guess(self) -> bool:
        is_free = not self._keypad.is_waiting and not self._ending.is_firm
        return self._config.speculate and is_free

    @property
    def _is_idle(self) -> bool:
        return (
            self._turns.is_idle
            and self._ending.reason is None
            and not self._partial
            and not self._keypad.is_waiting
        )

    def _break_silence(self, now: float) -> None:
        due = self._idle.handle_deadline(now=now)
        phrases = self._config.phrases
        if due == "prompt":
            self._turns.say("silence", phrases.still_there, reason="idle", now=now)
        elif due == "hang_up":
            self._ending.decide("idle", phrases.goodbye, is_firm=False)
            self._end("idle", now)

    # --- a reply that is late ---------------------------------------------------------------------

    @property
    def _late_s(self) -> float:
        fillers = self._config.fillers
        return fillers.usual_wait_s + fillers.sentence_after_s

    def _can_fill(self, turn: RelayTurn) -> bool:
        needs_none = turn.heard.filler or turn.working_s or self._ending.is_firm
        return bool(self._one_moment and not needs_none) and turn.is_asked and turn.is_silent

    def _is_late(self, turn: RelayTurn, now: float) -> bool:
        return self._can_fill(turn) and now >= turn.taken_at + self._late_s - _ROUNDING_S

    def _fill(self, turn: RelayTurn, now: float) -> None:
        turn.heard.fill(self._one_moment, now=now)
        turn.timeline[timeline.FILLER_OUT] = now
        self._outbox.append(SendWords(self._one_moment, is_last=True))

    # --- the caller -------------------------------------------------------------------------------

    def _hear_words(self, prompt: PromptHeard, now: float) -> None:
        if not has_words(prompt.text):
            if prompt.is_last:
                self._partial = ""
                self._turns.drop_guess("words taken back")
            return
        self._idle.note_activity(now=now)
        if self._ending.is_firm:
            return
        if not prompt.is_last:
            if prompt.text != self._partial:
                self._partial, self._partial_since = prompt.text, now
            return
        self._partial, self._caller_since = "", None
        self._ending.take_back()
        self._give_back_action()
        if self._keypad.is_waiting:
            self._spoken_before_keys = join_words((self._spoken_before_keys, prompt.text))
            return
        self._turns.take("caller", prompt.text, reason="prompt", now=now)

    def _hear_sound(self, event: WordsPlayed | AgentSounded | CallerSounded, now: float) -> None:
        turn = self._turns.taken
        if isinstance(event, CallerSounded):
            self._caller_since = now if event.is_on else None
            self._idle.note_activity(now=now)
        elif turn is not None and isinstance(event, AgentSounded):
            turn.heard.sounded(is_on=event.is_on)
        elif turn is not None and isinstance(event, WordsPlayed):
            turn.heard.played(event.text)

    def _hear_cut(self, heard: str, now: float) -> None:
        self._idle.note_activity(now=now)
        if not self._ending.is_firm:
            self._ending.take_back()
        self._give_back_action()
        self._turns.cut(heard, now=now)

    def _give_back_action(self) -> None:
        """The caller spoke before what the reply asked for was done: it is not done."""
        if self._heard_at is not None:
            self._heard_at = None
            self._turns.forget_action()

    def _press(self, digit: str, now: float) -> None:
        if not self._keypad.is_key(digit) or self._ending.is_firm:
            return
        self._idle.note_activity(now=now)
        self._ending.take_back()
        self._give_back_action()
        self._turns.drop_guess("key pressed")
        self._turns.stop("interrupted", "key pressed", now=now)
        entry = self._keypad.press(digit, now=now)
        if entry is not None:
            self._enter(entry, now)

    def _enter(self, entry: str, now: float) -> None:
        """A key entry is complete; what was said before it belongs to it."""
        if self._ending.is_firm:
            return
        spoken, self._spoken_before_keys = self._spoken_before_keys, ""
        text = join_words((spoken, entry))
        self._turns.take("digits", text, reason="keys entered", now=now)

    # --- beginning and end ------------------------------------------------------------------------

    def _start(self, event: CallStarted, now: float) -> None:
        if self._is_started:
            return
        self._is_started = True
        self._idle.note_activity(now=now)
        self._turns.turn_id = event.next_turn_id
        if event.greeting is not None:
            self._turns.greet(event.greeting, now=now)
        elif event.resume_text is not None:
            self._turns.say("resume", event.resume_text, reason="call resumed", now=now)

    def _wind_up(self, event: HangUpRequested, now: float) -> None:
        if self._ending.is_firm:
            return
        action = self._config.trouble_action if event.is_trouble else {}
        self._give_up(event.reason, event.farewell, has_action=is_known(action))
        self._turns.drop_guess(event.reason)
        self._turns.forget_action()
        self._heard_at = None
        turn = self._turns.taken
        if turn is not None and turn.is_silent:
            self._turns.stop("dropped", event.reason, now=now)

    def _give_up(self, reason: str, farewell: str | None, *, has_action: bool) -> None:
        action = self._config.trouble_action if has_action else None
        self._ending.decide(reason, farewell, is_firm=True, hand_over=action)

    def _follow_up(self, now: float) -> None:
        """Settle what was heard, do what it asked for, end the call when nothing is left to say."""
        turns, ending = self._turns, self._ending
        turn = turns.taken
        if turn is not None and turn.heard.is_heard(now=now):
            if self._waits_for_caller(turn, now):
                return
            self._heard_at = None
            turns.settle_heard()
            if turn.kind != "silence":
                self._idle.note_activity(now=now)
            if not turn.failure:
                self._perform(turn)
        known = is_known(self._config.trouble_action)
        if turn is not None and turn.said_trouble:
            self._give_up("provider_trouble", None, has_action=known)
        elif turns.has_given_up:
            self._give_up("provider_trouble", self._config.phrases.trouble, has_action=known)
            turns.drop_guess("provider trouble")
        if ending.reason is not None and turns.is_idle:
            self._end(ending.reason, now)

    def _waits_for_caller(self, turn: RelayTurn, now: float) -> bool:
        """Whether what the reply asked for has to wait for a caller who has begun to speak."""
        if not (turn.hang_up or is_known(turn.action)) or self._ending.is_firm:
            return False
        is_speaking = self._caller_since is not None or bool(self._partial)
        if not is_speaking:
            return False
        if self._heard_at is None:
            self._heard_at = now
        return now < self._heard_at + ACTION_WAITS_S - _ROUNDING_S

    def _perform(self, turn: RelayTurn) -> None:
        """A reply was heard to its end: do what it asked for."""
        if turn.action.get("verb") == "digits" and not turn.hang_up:
            if self._ending.reason is None:
                self._outbox.append(PressKeys(str(turn.action.get("digits", ""))))
            return
        self._ending.perform(hang_up=turn.hang_up, action=turn.action)

    def _end(self, reason: str, now: float) -> None:
        farewell, self._ending.farewell = self._ending.farewell, None
        if farewell is None:
            self._outbox.append(EndSession(reason, self._ending.hand_over))
            self._is_over = True
        else:
            self._turns.say("silence", farewell, reason=reason, now=now)


def _earliest(*deadlines: float | None) -> float | None:
    return min((at for at in deadlines if at is not None), default=None)
