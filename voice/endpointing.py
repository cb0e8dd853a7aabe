"""When has the caller finished?

Evidence is the silence since the last confirmed speech frame (media time), the words, and whatever
else is known (``evidence.py``). Rules, in the order in which they are tried:

1. No words, no turn; but ``empty_speech_s`` of speech followed by ``empty_silence_s`` without a
   single word is reported as an empty turn, at most ``MAX_EMPTY_TURNS`` times in a row. While it
   is known that no words can come (``is_hearing_lost``) less of both suffices, and what was heard
   before waits for no more.
2. Words that have not changed for ``stuck_words_s`` are taken, whatever the noise on the line does;
   so are words behind whose end there was sound, but no other word, for ``wordless_s`` and as long
   as silence would have been needed. A caller who speaks on brings words before that; so words
   that were put back for a sound alone are taken again sooner (``retreat_wordless_s``). But sound
   that has just begun is given the time of a word (``first_word_s``) and the lag.
3. While the caller speaks nothing else is decided.
4. The evidence is weighed anew whenever some of it changes: it says how much silence is needed to
   take the turn, and how much to prepare a reply.
5. Words that are on their way are waited for: as long as this call's recogniser usually needs, and
   ``final_wait_s`` beyond the needed silence at most (``evidence_lag.py``). They need not be final.
   Behind as many digits as the question named none are waited for.
6. Words younger than ``stable_words_s`` may still change and are given that time, unless they are
   final or all that was asked for.
7. When the pause has a certain length the end-of-turn model is asked (``next_question``). Nothing
   waits for its answer.

A turn may be taken before the recogniser's final words; only what goes beyond them is new
(``evidence_words.py``). Words that come long after all speech mean that the detector missed it:
they count as speech at their arrival. When no frames come, loop time stands in for media time.
"""

from __future__ import annotations

from voice.decisions import CallerFinished, CallerPaused, CallerWentOn, EndpointDecision
from voice.endpoint_config import EndpointConfig
from voice.evidence import Weighed
from voice.evidence_lag import WordLag
from voice.evidence_scale import Scale
from voice.evidence_silence import Silence
from voice.evidence_words import HeardWords
from voice.ports import FRAME_S
from voice.speech_detector import SpeechEdge, SpeechState
from voice.words import has_words

MAX_EMPTY_TURNS = 2
_ROUNDING_S = 1e-6


class Endpointer:
    """Decides for one call; every method yields one decision at most.

    Args:
        config: Thresholds.
        language: BCP-47 tag of the caller's words.

    Attributes:
        detector: The stretches of speech it has found in the frames.
        is_hearing_lost: It is known that no words can come.
        words: What the caller has said since the last turn was taken.
    """

    __slots__ = (
        "_checked_at",
        "_config",
        "_empty_turns",
        "_final_at",
        "_is_put_back",
        "_lag",
        "_paused_on",
        "_question",
        "_scale",
        "_silence",
        "_speech_frames",
        "_taken_frame",
        "_words_at",
        "detector",
        "is_hearing_lost",
        "words",
    )

    def __init__(self, config: EndpointConfig, language: str = "en-US") -> None:
        self._config = config
        self._silence = Silence(config.frame_stall_s)
        self.detector = self._silence.detector
        self.words = HeardWords()
        self._lag = WordLag(config.word_lag_s)
        self._scale = Scale(config, language)
        self._question: int | None = None
        self._paused_on: tuple[str, ...] | None = None
        self._is_put_back = False  # nothing new was heard since
        self._speech_frames = 0  # confirmed speech of this utterance
        self._taken_frame = 0  # where the speech of the last turn ended
        self._empty_turns = 0
        self._words_at: float | None = None
        self._final_at: float | None = None
        self._checked_at = 0.0
        self.is_hearing_lost = False

    def change_language(self, language: str) -> None:
        """The caller speaks another language from now on."""
        self._scale.change_language(language)

    @property
    def text(self) -> str:
        """The words heard since the last turn was taken."""
        return self.words.text

    @property
    def is_waiting(self) -> bool:
        """True while an utterance is going on or its end is not yet decided."""
        return (
            self.detector.state is not SpeechState.QUIET
            or self._speech_frames > 0
            or self.words.text != ""
        )

    def speech_started_at(self, *, now: float) -> float:
        """Loop time at which the running or last stretch of speech began, about."""
        return now - (self.detector.frames - self.detector.start_frame) * FRAME_S

    @property
    def is_unheard(self) -> bool:
        """The caller has said enough for an apology, and not a word of it came."""
        if not self._speech_frames or self.words.text or self._empty_turns >= MAX_EMPTY_TURNS:
            return False
        config = self._config
        least_s = config.lost_speech_s if self.is_hearing_lost else config.empty_speech_s
        return self._speech_frames * FRAME_S >= least_s - _ROUNDING_S

    @property
    def words_due_s(self) -> float | None:
        """Silence by which the words of what was said usually come; None when none are missing."""
        if self.words.text:
            return self._lag.due_s
        return self._lag.usual_s if self.is_unheard else None

    def expects_words(self, *, now: float) -> bool:
        """The caller has just said something, and the words of it may still be on their way."""
        due_s = self._lag.due_s
        return due_s is not None and self._silence.length_s(now) < due_s

    def silence_s(self, *, now: float) -> float:
        """How long the caller has been silent; 0 while there is a sound."""
        return 0.0 if self._silence.is_broken(now) else self._silence.length_s(now)

    def next_question(self) -> int | None:
        """The pause about which the end-of-turn model is to be asked, once; None for none."""
        question, self._question = self._question, None
        return question

    def hear_agent(self, text: str) -> None:
        """What the agent said last, as far as the caller heard it; empty while it speaks."""
        self._scale.hear_agent(text)

    def hear_frame(self, is_speech: bool, *, now: float) -> EndpointDecision | None:
        """Count one frame; about a microsecond on a quiet call."""
        detector = self.detector
        ended_frame = detector.end_frame
        edge = detector.receive(is_speech)
        self._silence.frame_at = now
        if detector.end_frame != detector.frames or not detector.is_speaking:
            return self._decide(now) if self.is_waiting else None
        heard = 1
        if edge is SpeechEdge.STARTED:
            heard = detector.frames - detector.start_frame
            if self._is_put_back:
                self._silence.missed_at = None  # from here on he is heard
            if self.words.text:
                self._scale.learn_pause((detector.start_frame - ended_frame) * FRAME_S)
        self._silence.speech_at = now
        self._speech_frames += heard
        self._lag.spoke(heard * FRAME_S)
        self._end_pause()
        return self._notice_speech() if self._paused_on is not None else self._decide(now)

    def hear_interim(self, text: str, *, now: float, end_s: float = 0.0) -> EndpointDecision | None:
        """All words of the running phrase so far, which may still change.

        Args:
            text: The words.
            now: Loop time.
            end_s: Media time at which the last of them ends; 0 if that is not known.
        """
        before = self.words.form
        self.words.hear_interim(text, is_same_phrase=self._speech_frames == 0, now=now)
        if not self._count_words(before, end_s, now):
            return None
        if self._silence.length_s(now) > self._config.missed_speech_lag_s:
            self._silence.missed_at = now
        return self._after_words(now)

    def hear_final(self, text: str, *, now: float, end_s: float = 0.0) -> EndpointDecision | None:
        """The running phrase as it will stay; empty when it was nothing after all."""
        before = self.words.form
        self._scale.reweigh()  # for its punctuation
        has_rest = self.words.hear_final(text, is_same_phrase=self._speech_frames == 0, now=now)
        is_stale = self._silence.acoustic_s(now) > self._config.stale_speech_s
        if has_rest:
            self._final_at = now
            if not is_stale:
                self._silence.missed_at = None
        elif not self.words.has_finals:
            self._final_at = None
        if self._count_words(before, end_s if has_rest else 0.0, now) and is_stale:
            self._silence.missed_at = now
        return self._after_words(now)

    def hear_hint(
        self, text: str, probability: float | None, *, now: float, end_s: float = 0.0
    ) -> EndpointDecision | None:
        """The recogniser believes, 0 to 1, that these words are the end of the turn."""
        decision = self.hear_interim(text, now=now, end_s=end_s)
        if isinstance(decision, CallerFinished) or not self.words.text:
            return decision
        self._scale.hear_hint(probability)
        return self._decide(now) or decision

    def withdraw_hint(self) -> None:
        """The recogniser has heard that the caller goes on."""
        self._scale.change_words()

    def hear_judgement(self, pause_id: int, ratio: float, *, now: float) -> EndpointDecision | None:
        """The end-of-turn model's answer, 0 to 1; one for an earlier pause changes nothing."""
        return self._decide(now) if self._scale.hear_judgement(pause_id, ratio) else None

    def hear_reply(self, seconds: float) -> None:
        """A reply was there so long after it was asked for: later ones are asked for in time."""
        self._scale.learn_reply(seconds)

    def put_back(self, text: str, *, now: float, is_carried: bool = False) -> None:
        """``text`` opens what follows: taken too early or, if carried, said on a lost stream."""
        if not has_words(text):
            return
        if not self.words.text:
            self._is_put_back = True
            self._lag.put_back(self._silence.media_s(now))
        if is_carried:
            # As if it were said now: a caller who has not finished is given the usual time.
            self._silence.missed_at = None if self._silence.is_broken(now) else now
            self.words.carry(text)
        else:
            pause_frames = self.detector.start_frame - self._taken_frame
            self._scale.learn_pause(pause_frames * FRAME_S, was_taken=True)
            self.words.put_back(text)
        self._scale.change_words()
        self._words_at = now
        self._paused_on = None

    def take(self, *, now: float) -> str:
        """Hand over the words heard so far and begin a new utterance."""
        self._lag.ended(self._silence.acoustic_s(now))
        self._is_put_back = False
        self._taken_frame = self.detector.end_frame
        text = self.words.take(now=now)
        self._end_pause()
        self._scale.change_words()
        self._paused_on = None
        self._speech_frames = 0
        self._words_at = self._silence.missed_at = self._final_at = None
        return text

    def next_deadline(self) -> float | None:
        """Loop time of the next check; only while frames fail to come does it matter."""
        stalls_at = self._silence.stalls_at(self._words_at) if self.is_waiting else None
        return None if stalls_at is None else max(stalls_at, self._checked_at + FRAME_S)

    def handle_deadline(self, *, now: float) -> EndpointDecision | None:
        """Decide by loop time if frames have stopped coming."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline - _ROUNDING_S:
            return None
        self._checked_at = now
        return self._decide(now)

    def _count_words(self, before: tuple[str, ...], end_s: float, now: float) -> bool:
        """Words came that were ``before``; returns whether they are others now."""
        is_new = self.words.form != before
        speech_s = self.detector.start_s, self.detector.end_s
        at_s = self._silence.media_s(now)
        self._lag.arrived(end_s, at_s=at_s, speech_s=speech_s, is_new=is_new)
        if is_new:
            self._is_put_back = False
            self._scale.change_words()
            self._words_at = now
            self._empty_turns = 0
        return is_new

    def _end_pause(self) -> None:
        self._scale.end_pause()
        self._question = None

    def _after_words(self, now: float) -> EndpointDecision | None:
        decision = self._decide(now)
        if decision is None and self._paused_on is not None:
            if self.words.form == self._paused_on:
                return None
            self._paused_on = None
            return CallerWentOn()
        return decision

    def _notice_speech(self) -> EndpointDecision | None:
        spoken_s = (self.detector.frames - self.detector.start_frame) * FRAME_S
        if spoken_s < self._config.went_on_speech_s - _ROUNDING_S:
            return None
        self._paused_on = None
        return CallerWentOn()

    def _decide(self, now: float) -> EndpointDecision | None:
        config, words = self._config, self.words
        if not words.text:
            return self._decide_without_words(now)
        if self._words_at is not None and now - self._words_at >= config.stuck_words_s:
            is_in_noise = self._silence.is_broken(now)
            if is_in_noise and self._may_be_word():
                return None
            reason = f"words unchanged for {config.stuck_words_s:.1f} s"
            return self._finish(reason, now, is_in_noise=is_in_noise)
        spoken_s = self._speech_frames * FRAME_S
        is_stale = self._lag.uncovered_s > 0.0
        weighed = self._scale.weighed(words.text, is_stale=is_stale, spoken_s=spoken_s)
        if self._silence.is_broken(now):
            return self._decide_in_noise(weighed, now)
        silence_s = self._silence.length_s(now)
        if self.is_hearing_lost and silence_s >= config.lost_silence_s:
            return self._finish("no more words can come", now)
        judge = self._scale.judge
        if silence_s >= judge.next_at_s and not weighed.is_whole:
            self._question = judge.asked(silence_s)
        if silence_s < weighed.eager_s or silence_s < self._words_by_s(weighed):
            return None
        if silence_s >= weighed.commit_s and self._is_stable(weighed, now):
            return self._finish(self._reason(weighed, silence_s), now)
        if words.form == self._paused_on:
            return None
        self._paused_on = words.form
        reason = self._reason(weighed, silence_s)
        return CallerPaused(words.text, reason, weighed.confidence(silence_s))

    def _decide_in_noise(self, weighed: Weighed, now: float) -> EndpointDecision | None:
        wordless_s = self._lag.wordless_s(self._silence.media_s(now))
        if wordless_s < self._wordless_needed_s(weighed) - _ROUNDING_S:
            return None
        if not weighed.is_whole and self._may_be_word():
            return None
        reason = f"sound without words for {wordless_s:.1f} s ({weighed.why})"
        return self._finish(reason, now, is_in_noise=True)

    def _may_be_word(self) -> bool:
        """Whether the sound is too young for the recogniser to have brought a word of it."""
        return self._lag.sound_s < self._lag.usual_s + self._config.first_word_s

    def _wordless_needed_s(self, weighed: Weighed) -> float:
        config = self._config
        if self._is_put_back:
            return config.retreat_wordless_s
        usual_s = config.whole_wordless_s if weighed.is_whole else config.wordless_s
        return max(usual_s, weighed.commit_s)

    def _words_by_s(self, weighed: Weighed) -> float:
        if self._silence.missed_at is not None or weighed.is_counted:
            return 0.0
        return self._lag.wait_s(weighed.commit_s, self._config.final_wait_s)

    def _is_stable(self, weighed: Weighed, now: float) -> bool:
        if weighed.is_whole or self.words.is_final or self._words_at is None:
            return True
        return now - self._words_at >= self._config.stable_words_s - _ROUNDING_S

    def _reason(self, weighed: Weighed, silence_s: float) -> str:
        state = "final" if self.words.is_final else "interim"
        waited_ms, needed_ms = round(min(silence_s, 60.0) * 1000), round(weighed.commit_s * 1000)
        return f"{state}+silence {waited_ms} ms ({needed_ms} needed: {weighed.why})"

    def _decide_without_words(self, now: float) -> EndpointDecision | None:
        config, silence = self._config, self._silence
        needed_s = config.lost_silence_s if self.is_hearing_lost else config.empty_silence_s
        if not self._speech_frames or silence.is_broken(now) or silence.length_s(now) < needed_s:
            return None
        if self.is_unheard:
            self._empty_turns += 1
            return self._finish("speech without words", now)
        self._speech_frames = 0
        return None

    def _finish(self, reason: str, now: float, *, is_in_noise: bool = False) -> CallerFinished:
        ended_at = self._silence.began_at(now)
        final_at, due_s = self._final_at, self.words_due_s
        return CallerFinished(self.take(now=now), reason, ended_at, final_at, is_in_noise, due_s)
