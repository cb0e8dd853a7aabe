"""A call that one model hears and speaks: who has the floor, what was heard, when it ends.

Rules:

1. When the caller begins to speak, by the service's judgement, the reply ends: the carrier is
   cleared, the service is told what was really heard, and the turn is settled with that.
2. Our own detector is quicker than the way to the service and back: at its word the voice pauses,
   and goes on from the exact sample if the service hears nobody.
3. A turn is told when its reply is over and the caller's words are written down, or after a while
   without them (``turn.WordsLedger``); always in order.
4. Keys form entries, as in the other modes; a key ends the reply. Silence on both sides is asked
   about, then ends the call.
5. An end that is firm (asked for, or after a goodbye) is said to its end: the service is made deaf
   to interruptions before. Without a session there is nobody to say it, and the call just ends.
6. A session that is lost takes nothing with it: what came is still heard; what was not answered is
   asked again of the next one, and what was not even understood is said to it again
   (``replay_from``).

``receive`` and ``handle_deadline`` make one mutation; drain ``next_output`` after each.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from dialogue.agent import Agent
from dialogue.history import caller_line
from dialogue.realtime import with_end_call
from providers.realtime import messages, outputs
from providers.realtime.answers import Answers
from providers.realtime.config import RealtimeConfig
from providers.realtime.events import (
    AudioCommitted,
    Remark,
    RequestRefused,
    ServerEvent,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    WordsArrived,
    WordsKnown,
)
from providers.realtime.floor import CallerSpeaking, VoiceWatch
from providers.realtime.outputs import Input, LineEvent, Output, SessionLost, SessionUp, Tell
from providers.realtime.turn import RealtimeTurn, WordsLedger
from voice import timeline
from voice.config import VoiceConfig
from voice.deadlines import earliest
from voice.ending import Ending
from voice.events import (
    CallStarted,
    ClearPlayout,
    DigitPressed,
    EndCall,
    FrameHeard,
    HangUpRequested,
    MarkPlayed,
    SendAudio,
    SendMark,
    TurnSettled,
)
from voice.events import Output as VoiceOutput
from voice.idle import IdleWatch
from voice.keypad import Keypad
from voice.playout import Playout
from voice.reasons import told

_SAMPLES_A_MS = 8


class RealtimeCall:
    """The machine of one call: events in, requests out, one timer.

    Args:
        agent: Whose call it is.
        config: Of the service.
        voice: Playout, barge-in, silence.
    """

    def __init__(self, agent: Agent, config: RealtimeConfig, voice: VoiceConfig) -> None:
        self._phrases = voice.phrases
        self._outbox: deque[Output] = deque()
        self._playout = Playout(voice.playout, self._play)
        self._words = WordsLedger(config.words_timeout_s)
        self._answers = Answers(
            with_end_call(agent), config, self._playout, self._outbox.append, self._words.count
        )
        self._ending = Ending()
        self._keypad = Keypad(voice.digit_wait_s)
        self._idle = IdleWatch(voice.idle_prompt_s, voice.idle_hang_up_s)
        self._watch = VoiceWatch(voice.barge_in, self._playout)
        self._session_from = 0
        self._utterance_from: int | None = None
        self._caller = CallerSpeaking(voice.idle_prompt_s, self._watch)
        self._replay_from: int | None = None
        self._unnoticed_from: int | None = None
        self._is_started = self._is_over = False

    def _play(self, output: VoiceOutput) -> None:
        if isinstance(output, SendAudio | SendMark | ClearPlayout):
            self._outbox.append(output)

    def change_language(self, voice: VoiceConfig) -> None:
        """What is said to a silent caller, and at the end, is in the language of ``voice``."""
        self._phrases = voice.phrases

    # --- what the driver reads --------------------------------------------------------------------

    @property
    def replay_from(self) -> int | None:
        """Where the next session has to hear the caller again, samples of the call; or None."""
        return self._replay_from

    @property
    def unanswered_from(self) -> int | None:
        """Where the caller began to say what was not answered, samples of the call; or None."""
        return self._unnoticed_from if self._utterance_from is None else self._utterance_from

    @property
    def was_cut(self) -> bool:
        """Whether a reply was under way that the caller waits for, though its words were heard."""
        turn = self._answers.turn
        return turn is not None and turn.is_understood

    @property
    def open_turns(self) -> tuple[TurnSettled, ...]:
        """Turns that were not told yet, as far as they have come: part of the conversation."""
        turn = self._answers.turn
        return self._words.turns if turn is None else (*self._words.turns, turn.so_far())

    @property
    def underruns(self) -> int:
        """Times the ear ran dry inside a reply, over the whole call."""
        return self._playout.underruns

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks and nothing is on its way: a good moment for another session."""
        return self._answers.turn is None and not self._caller.is_speaking

    @property
    def next_turn_id(self) -> int:
        """Of the turn that comes next."""
        return self._answers.next_turn_id

    def usage_of(self, turn_id: int) -> dict[str, float]:
        """Provider units of a turn, and of what belongs to none; each is told once."""
        return self._words.usage_of(turn_id)

    def next_output(self) -> Output | None:
        """The oldest request, or None when there is none left."""
        return self._outbox.popleft() if self._outbox else None

    # --- events -----------------------------------------------------------------------------------

    def receive(self, event: Input, *, now: float) -> None:
        """Take one event in. Never blocks and never raises for what the outside does."""
        if self._is_over:
            return
        if isinstance(event, ServerEvent):
            self._hear_service(event, now)
        else:
            self._hear_line(event, now)
        self._follow_up(now)

    def _hear_line(self, event: LineEvent, now: float) -> None:
        match event:
            case FrameHeard():
                self._watch.hear(event, is_open=not self._ending.is_firm, now=now)
            case MarkPlayed(name=name):
                self._playout.mark_played(name, now=now)
            case DigitPressed(digit=digit):
                self._press(digit, now)
            case CallStarted():
                self._start(event, now)
            case HangUpRequested():
                self._wind_up(event, now)
            case SessionUp():
                self._session_from, self._replay_from = event.heard_samples, None
                self._answers.find(now=now)
            case SessionLost(reason=reason):
                self._lose(reason, now)
            case outputs.ToolAnswered() | outputs.ToolRunning():
                self._answers.hear_tool(event, now=now)
            case _:
                assert_never(event)

    def _hear_service(self, event: ServerEvent, now: float) -> None:
        match event:
            case SpeechStarted():
                self._caller_begins(event, now)
            case SpeechStopped():
                self._caller.is_speaking = False
                self._watch.noticed()
            case AudioCommitted():
                self._caller_ended(event, now)
            case WordsArrived():
                self._hear_words(event.item_id, event.text, now, is_all=False)
            case WordsKnown():
                self._words.count(event.usage)
                self._hear_words(event.item_id, event.text, now, is_all=True)
            case RequestRefused(code=code):
                self._answers.refused(code, now=now)
            case SessionCreated() | SessionUpdated() | Remark():
                pass
            case _:
                self._answers.receive(event, now=now)

    def close(self, *, now: float) -> None:
        """The stream is gone, or another way of carrying the call takes over: settle everything."""
        if self._is_over:
            return
        self._break_off("stream closed", now)
        self._outbox.extend(self._words.due(now=now, all_of_them=True))
        self._is_over = True

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` wants to be called, or None."""
        if self._is_over:
            return None
        idle_at = self._idle.next_deadline() if self.is_between_turns else None
        parts = (self._answers, self._words, self._keypad, self._watch, self._caller)
        return earliest(idle_at, *(part.next_deadline() for part in parts))

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due at ``now``; early or repeated calls do no harm."""
        if self._is_over:
            return
        entry = self._keypad.handle_deadline(now=now)
        if entry is not None:
            self._enter(entry, now)
        self._watch.handle_deadline(now=now)
        self._caller.handle_deadline(now=now)
        self._answers.handle_deadline(now=now)
        if self.is_between_turns:
            self._break_silence(now)
        self._follow_up(now)

    # --- the caller -------------------------------------------------------------------------------

    def _start(self, event: CallStarted, now: float) -> None:
        if self._is_started:
            return
        self._is_started = True
        self._idle.note_activity(now=now)
        self._answers.start_at(event.next_turn_id if event.greeting is None else 0)
        if event.greeting is not None:
            self._answers.say("greeting", event.greeting, now=now)
            self._answers.start_at(event.next_turn_id)
        elif event.resume_text is not None:
            self._answers.say("resume", event.resume_text, reason="call resumed", now=now)

    def _caller_begins(self, event: SpeechStarted, now: float) -> None:
        self._caller.began(now=now)
        self._utterance_from = self._session_from + event.audio_start_ms * _SAMPLES_A_MS
        self._idle.note_activity(now=now)
        self._watch.noticed()
        if self._ending.is_firm:
            return
        self._ending.take_back()
        self._break_off("barge-in", now)

    def _caller_ended(self, event: AudioCommitted, now: float) -> None:
        if self._ending.is_firm:
            return
        self._break_off("barge-in", now)
        turn = self._answers.hear(event.item_id, now=now)
        turn.reason = "the service heard the end"
        if self._watch.last_speech_at is not None:
            turn.note(timeline.SPEECH_ENDED, min(self._watch.last_speech_at, now))

    def _hear_words(self, item_id: str, text: str, now: float, *, is_all: bool) -> None:
        turn = self._answers.turn
        if turn is not None and turn.item_id == item_id:
            if is_all:
                turn.text = text
                turn.note(timeline.FINAL_TRANSCRIPT, now)
        else:
            self._words.know(item_id, text, at=now, is_all=is_all)

    def _press(self, digit: str, now: float) -> None:
        if not self._keypad.is_key(digit) or self._ending.is_firm:
            return
        self._idle.note_activity(now=now)
        self._ending.take_back()
        self._break_off("key pressed", now)
        entry = self._keypad.press(digit, now=now)
        if entry is not None:
            self._enter(entry, now)

    def _enter(self, entry: str, now: float) -> None:
        if self._ending.is_firm:
            return
        self._break_off("keys entered", now)
        self._tell(messages.user_text(caller_line("digits", entry)))
        self._answers.type_in(entry, now=now)

    # --- the agent --------------------------------------------------------------------------------

    def _wind_up(self, event: HangUpRequested, now: float) -> None:
        if self._ending.is_firm:
            return
        self._ending.decide(event.reason, event.farewell, is_firm=True)
        self._watch.let_go(now=now)  # the floor is ours from here on
        if not self._playout.first_out_at:
            self._break_off(event.reason, now)

    def _break_off(self, reason: str, now: float) -> None:
        """End the running turn where it is."""
        turn = self._answers.turn
        if turn is None:
            return
        if self._answers.is_heard(now=now):
            self._settle(turn, "failed" if turn.failure else "heard", "", now)
            return
        heard = turn.reply.heard_text(now=now)
        self._answers.stop(now=now)
        self._settle(turn, "interrupted" if heard else "dropped", reason, now, heard=heard)

    def _settle(
        self, turn: RealtimeTurn, outcome: str, reason: str, now: float, *, heard: str | None = None
    ) -> None:
        heard = turn.reply.heard_text(now=now) if heard is None else heard
        is_performed = outcome == "heard" and bool(turn.action)
        reason = told(turn.reason, turn.failure or reason)
        settled = turn.settled(outcome, reason, heard=heard, performs=is_performed)
        self._answers.close()
        self._words.add(settled, turn, now=now)
        if turn.is_understood:
            self._utterance_from = None  # it was understood well enough to be answered
        if settled.kind != "silence":
            self._idle.note_activity(now=now)
        if outcome == "heard":
            self._ending.perform(hang_up=turn.hang_up, action=turn.action)

    def _follow_up(self, now: float) -> None:
        self._answers.pump(now=now)
        turn = self._answers.turn
        if turn is not None and self._answers.is_heard(now=now):
            self._settle(turn, "failed" if turn.failure else "heard", "", now)
        self._outbox.extend(self._words.due(now=now))
        if self._ending.reason is not None and self._answers.turn is None:
            self._end(self._ending.reason, now)

    def _end(self, reason: str, now: float) -> None:
        farewell, self._ending.farewell = self._ending.farewell, None
        if farewell and self._answers.is_up:
            if self._ending.is_firm:
                self._tell(messages.deaf_to_interruptions())
            self._answers.say("silence", farewell, reason=reason, now=now)
            return
        self._outbox.extend(self._words.due(now=now, all_of_them=True))
        self._outbox.append(EndCall(reason, self._ending.hand_over))
        self._is_over = True

    def _lose(self, reason: str, now: float) -> None:
        since = self._unnoticed_from = self._watch.unnoticed_from(now=now)
        if self._caller.is_speaking:
            since = self._utterance_from
        self._caller.is_speaking = False
        self._answers.lose(reason)
        turn = self._answers.turn
        if turn is not None and not turn.is_done and turn.kind == "caller" and turn.text is None:
            turn.text = ""
            if not turn.has_used_tools:
                # Nobody knows what was said: the next session hears it, and makes a turn of it.
                since = self._utterance_from
                self._settle(turn, "dropped", reason, now)
        if turn is not None and turn.has_used_tools:
            self._utterance_from = None  # heard again, it would have the same tools used again
        if self._replay_from is None:  # what was said while there was none is heard in any case
            self._replay_from = self._watch.samples if since is None else since

    def _tell(self, message: str) -> None:
        if self._answers.is_up:
            self._outbox.append(Tell(message))

    # --- silence ----------------------------------------------------------------------------------

    @property
    def is_between_turns(self) -> bool:
        """True when nobody's words are on their way: the call can be moved unnoticed."""
        is_free = self._answers.turn is None and self._ending.reason is None
        return is_free and not self._caller.is_speaking and not self._keypad.is_waiting

    def _break_silence(self, now: float) -> None:
        due = self._idle.handle_deadline(now=now)
        if due == "prompt" and self._answers.is_up:
            self._answers.say("silence", self._phrases.still_there, reason="idle", now=now)
        elif due == "hang_up":
            self._ending.decide("idle", self._phrases.goodbye, is_firm=False)
