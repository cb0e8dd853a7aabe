"""One call's ear and mouth: what the caller does, what the agent says, and who has the floor.

Rules:

1. Caller's words and silence go through the endpointer. At its eager threshold a reply is
   prepared (held, ``guesses.py``), at its commit threshold the turn is taken.
2. Words while a taken turn is still silent take it back: it is asked again with all the words.
3. Speech or real words while the agent speaks stop it: clear, abandon, settle with what was heard.
   Speech that begins in the first moments of our own playout means that the caller had not
   finished: the turn is taken back likewise.
4. A reply that is ready while the caller makes a sound waits, for a bounded time (``floor.py``).
5. A turn settles when all of it was heard. Failed ones apologise; too many end the call.
6. A reply that is late is preceded by a breath or a sentence from memory (``fillers.py``); nothing
   of the reply is heard yet, so rule 2 holds.
7. Keys form entries; a key stops the agent. Long silence on both sides is asked about, then ends.
8. An end that is *firm* (asked for, or trouble) is spoken to the end; a goodbye after silence, or
   at the mind's wish while it is being said, is taken back when the caller speaks. So is what the
   carrier is to do with the call (``action``): it waits until the reply was heard and, for at most
   ``floor.ACTION_WAITS_S``, until a caller who has begun to speak has ended.

``receive`` and ``handle_deadline`` make one mutation; drain ``next_output`` after each, then re-arm
one timer from ``next_deadline``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import assert_never

from voice import events
from voice.config import VoiceConfig
from voice.deadlines import earliest
from voice.decisions import CallerFinished, CallerPaused, CallerWentOn, EndpointDecision
from voice.ending import Ending
from voice.endpointing import Endpointer
from voice.fillers import Fillers, FillerSounds
from voice.floor import Floor
from voice.hearing import WordsEvent, hear
from voice.idle import IdleWatch
from voice.keypad import Keypad
from voice.mouth import Mouth
from voice.opening import Opening
from voice.outgoing import Outgoing
from voice.reasons import STREAM_CLOSED
from voice.turns import Turns
from voice.waste import SpeculationBudget
from voice.words import has_words, join_words

__all__ = ["VoiceConfig", "VoiceSession"]


class VoiceSession:
    """The machine of one call: events in, requests out, one timer.

    Args:
        config: How this agent takes turns.
        sounds: What may be heard while a reply is late; none by default.
        budget: Of the guesses, shared with the tenant's other calls; one of its own by default.
    """

    def __init__(
        self,
        config: VoiceConfig,
        sounds: FillerSounds | None = None,
        budget: SpeculationBudget | None = None,
    ) -> None:
        self._config = config
        self._outbox: deque[events.Output] = deque()
        self._ear = Endpointer(config.endpoint, config.language)
        self._mouth = Mouth(config, self._outbox.append)
        budget = budget or SpeculationBudget(config.speculation.max_waste_ratio)
        self._outgoing = Outgoing(self._outbox, self._ear, config)
        self._turns = Turns(config, self._mouth, budget, self._outgoing.put)
        self._ending = Ending()
        self._floor = Floor(config, self._ear, self._mouth, self._turns, self._ending)
        self._fillers = Fillers(config.fillers, sounds or FillerSounds(), self._mouth)
        self._keypad = Keypad(config.digit_wait_s)
        self._idle = IdleWatch(config.idle_prompt_s, config.idle_hang_up_s)
        self._opening = Opening(self._ear, self._turns, self._fillers)
        self._is_over = False

    def receive(self, event: events.Input, *, now: float) -> None:
        """Take one event in. Never blocks and never raises for what the outside does.

        Args:
            event: What happened. Events of an abandoned guess are ignored.
            now: Loop time in seconds; never runs backwards.
        """
        if self._is_over:
            return
        match event:
            case events.FrameHeard():
                self._hear_frame(event.is_speech, event.level_db, now)
            case (
                events.InterimHeard()
                | events.FinalHeard()
                | events.TurnEndHinted()
                | events.TurnResumed()
                | events.TurnJudged()
            ):
                self._hear_words(event, now)
            case (
                events.SegmentPlanned()
                | events.ReplyWorking()
                | events.ReplyFinished()
                | events.ReplyFailed()
            ):
                self._turns.hear_mind(event, now=now)
            case events.SpeechArrived() | events.SpeechFinished() | events.SpeechFailed():
                self._turns.hear_speaker(event, now=now)
            case events.MarkPlayed():
                self._mouth.playout.mark_played(event.name, now=now)
            case events.HearingChanged():
                self._ear.is_hearing_lost = event.is_lost
            case events.DigitPressed():
                self._press(event.digit, now)
            case events.CallStarted():
                if self._opening.begin(event, now=now):
                    self._idle.note_activity(now=now)
            case events.HangUpRequested():
                self._wind_up(event, now)
            case _:
                assert_never(event)
        self._follow_up(now)

    def hear_frame(self, is_speech: bool, level_db: float, *, now: float) -> None:
        """As ``receive`` with a ``FrameHeard``, of which each second of a call brings fifty."""
        if not self._is_over:
            self._hear_frame(is_speech, level_db, now)
            self._follow_up(now)

    def close(self, *, now: float) -> None:
        """The stream is gone: settle the turn in flight from what was heard until ``now``."""
        if self._is_over:
            return
        self._turns.forget_action()
        self._turns.settle_if_heard(now=now)
        self._turns.drop_guesses(STREAM_CLOSED)
        self._turns.stop("interrupted", STREAM_CLOSED, now=now)
        self._turns.give_up_retracted()
        self._is_over = True

    def change_language(self, config: VoiceConfig, sounds: FillerSounds) -> None:
        """Hear and say everything from now on in the language of ``config``; between two turns."""
        self._config = self._outgoing.config = config
        self._ear.change_language(config.language)
        self._turns.change_language(config)
        self._floor.change_language(config)
        self._fillers.change_sounds(sounds)

    @property
    def underruns(self) -> int:
        """Times the ear ran dry inside a reply, over the whole call."""
        return self._mouth.playout.underruns

    def next_output(self) -> events.Output | None:
        """The oldest request, or None when there is none left."""
        return self._outbox.popleft() if self._outbox else None

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` wants to be called, or None."""
        if self._is_over:
            return None
        turn = self._turns.taken
        if turn is None and self.is_between_turns:
            return earliest(self._idle.next_deadline(), self._mouth.playout.next_deadline())
        ear_at, key_at = self._ear.next_deadline(), self._keypad.next_deadline()
        if turn is not None:
            floor_at = self._floor.next_deadline(turn)
            mouth_at = None if turn.heard_at is not None else self._mouth.next_deadline()
            filler_at = None if self._mouth.playout.is_paused else self._fillers.next_deadline(turn)
            return earliest(ear_at, key_at, floor_at, mouth_at, filler_at)
        breath_at = self._mouth.playout.next_deadline()
        return earliest(ear_at, key_at, breath_at, self._turns.guesses.next_deadline())

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due at ``now``; early or repeated calls do no harm."""
        if self._is_over:
            return
        decision = self._ear.handle_deadline(now=now)
        if decision is not None:
            self._decide(decision, now)
        entry = self._keypad.handle_deadline(now=now)
        if entry is not None:
            self._enter(entry, now)
        self._turns.handle_deadline(now=now)
        self._mouth.pump(now=now)
        turn = self._turns.taken
        if turn is not None:
            if self._mouth.is_stuck(now=now):
                self._turns.fail(self._mouth.reply.first_missing, "no progress", now=now)
            else:
                self._floor.handle_deadline(turn, now=now)
            if not self._mouth.playout.is_paused:
                self._fillers.handle_deadline(turn, now=now)
        self._follow_up(now)
        if self.is_between_turns:
            self._break_silence(now)

    # --- the caller -------------------------------------------------------------------------------

    def _hear_frame(self, is_speech: bool, level_db: float, now: float) -> None:
        decision = self._ear.hear_frame(is_speech, now=now)
        if self._ear.detector.is_speaking:
            self._idle.note_activity(now=now)
            self._fillers.note_caller(now=now)
        self._floor.hear_frame(is_speech, level_db, now=now)
        if decision is not None:
            self._decide(decision, now)
        if self._ear.is_waiting and self._turns.taken is None and not self._keypad.is_waiting:
            self._fillers.hear_waiting(self._ear, now=now)
        elif self._ear.is_hearing_lost and self.is_between_turns:
            self._fillers.keep_company(now=now)

    def _hear_words(self, event: WordsEvent, now: float) -> None:
        if has_words(getattr(event, "text", "")):
            self._idle.note_activity(now=now)
        decision = hear(self._ear, event, now=now)
        if not isinstance(decision, CallerFinished) and self._floor.is_talked_over(now=now):
            carried = self._floor.yield_to_caller(now=now)
            if carried:
                self._ear.put_back(carried, now=now)  # and decide anew, with all the words
            if carried or self._opening.take_up(now=now):
                decision = None
        # Words that were taken back, all of them, leave their guesses as other words do.
        if self._turns.taken is None and not isinstance(decision, CallerFinished):
            self._turns.guesses.hear_words(self._ear.text, may_guess=self._may_guess, now=now)
        if decision is not None:
            self._decide(decision, now)

    @property
    def _may_guess(self) -> bool:
        is_free = self._turns.taken is None and not self._keypad.is_waiting
        return self._config.speculate and is_free and not self._ending.is_firm

    def _decide(self, decision: EndpointDecision, now: float) -> None:
        if self._ending.is_firm:
            return
        match decision:
            case CallerPaused():
                if self._may_guess:
                    self._turns.guess(decision.text, decision.confidence, now=now)
            case CallerWentOn():
                self._turns.guesses.doubt()
            case CallerFinished():
                self._take_turn(decision, now)
            case _:
                assert_never(decision)

    def _take_turn(self, finished: CallerFinished, now: float) -> None:
        self._floor.hear_end(finished, now=now)
        if self._keypad.is_waiting:
            self._keypad.hear_words(finished.text)
            return
        if self._turns.taken is not None:
            if not self._floor.is_worth_a_turn(finished.text, now=now):
                return
            text = self._ear.words.after(self._floor.yield_to_caller(now=now), finished.text)
            finished = replace(finished, text=self._opening.joined(text))
        if has_words(finished.text):
            self._turns.take("caller", finished, now=now)
        else:
            apology = self._config.phrases.apology
            self._turns.say("caller", apology, reason=finished.reason, now=now)
            if self._ear.is_hearing_lost:
                self._fillers.owe_company()
        if self._turns.taken is not None:
            self._fillers.turn_taken(self._turns.taken, finished)

    def _press(self, digit: str, now: float) -> None:
        if not self._keypad.is_key(digit) or self._ending.is_firm:
            return
        self._idle.note_activity(now=now)
        self._ending.take_back()
        self._turns.drop_guesses("key pressed")
        self._turns.stop("interrupted", "key pressed", now=now)
        entry = self._keypad.press(digit, now=now)
        if entry is not None:
            self._enter(entry, now)

    def _enter(self, entry: str, now: float) -> None:
        """A key entry is complete; what was said before it belongs to it."""
        if self._ending.is_firm:
            return
        text = join_words((self._keypad.take_words(), self._ear.take(now=now), entry))
        self._turns.drop_guesses("keys entered")
        self._turns.take("digits", CallerFinished(text, "keys entered", now, None), now=now)

    # --- the agent --------------------------------------------------------------------------------

    def _wind_up(self, event: events.HangUpRequested, now: float) -> None:
        if self._ending.is_firm:
            return
        if event.is_trouble:
            self._ending.give_up(event.reason, event.farewell, self._config.trouble_action)
        else:
            self._ending.decide(event.reason, event.farewell, is_firm=True)
        self._turns.drop_guesses(event.reason)
        self._turns.forget_action()
        if not self._mouth.is_audible:
            self._turns.stop("dropped", event.reason, now=now)

    def _follow_up(self, now: float) -> None:
        """Ask about a pause, settle what was heard, end the call when nothing is left to say."""
        question = self._ear.next_question()
        if question is not None:
            self._outbox.append(events.JudgeTurn(question))
        turns, ending = self._turns, self._ending
        if self._opening.unfinished:
            self._opening.take_up(now=now)
        if turns.is_idle and ending.reason is None and not turns.has_given_up:
            return
        if turns.taken is not None and self._floor.is_awaited(turns.taken, now=now):
            return
        settled = turns.settle_if_heard(now=now)
        if settled is not None and settled.kind != "silence":
            self._idle.note_activity(now=now)
        if settled is not None:
            self._opening.take_up(now=now)
            action = {} if settled.failure else settled.action
            ending.perform(hang_up=settled.hang_up, action=action)
        if turns.taken is not None and turns.taken.said_trouble:
            ending.give_up("provider_trouble", None, self._config.trouble_action)
        elif turns.has_given_up:
            trouble = self._config.phrases.trouble
            ending.give_up("provider_trouble", trouble, self._config.trouble_action)
            turns.drop_guesses("provider trouble")
        if ending.reason is not None and turns.is_idle:
            self._end(ending.reason, now)

    def _end(self, reason: str, now: float) -> None:
        farewell, self._ending.farewell = self._ending.farewell, None
        if farewell is None:
            self._turns.give_up_retracted()
            self._outbox.append(events.EndCall(reason, self._ending.hand_over))
            self._is_over = True
        else:
            self._turns.say("silence", farewell, reason=reason, now=now)

    # --- time -------------------------------------------------------------------------------------

    @property
    def is_between_turns(self) -> bool:
        """True when nobody's words are on their way: the call can be moved unnoticed."""
        return (
            self._turns.is_idle
            and self._ending.reason is None
            and not self._ear.is_waiting
            and not self._opening.unfinished
            and not self._keypad.is_waiting
        )

    def _break_silence(self, now: float) -> None:
        due = self._idle.handle_deadline(now=now)
        if due == "prompt":
            self._turns.say("silence", self._config.phrases.still_there, reason="idle", now=now)
        elif due == "hang_up":
            self._ending.decide("idle", self._config.phrases.goodbye, is_firm=False)
            self._end("idle", now)
