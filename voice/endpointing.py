"""When has the caller finished?

Evidence is the silence since the last confirmed speech frame (media time) and the recogniser's
words. Rules, in the order in which they are tried:

1. No words, no turn; but ``empty_speech_s`` of speech followed by ``empty_silence_s`` without a
   single word is reported as an empty turn, at most ``MAX_EMPTY_TURNS`` times in a row.
2. Words that have not changed for ``stuck_words_s`` are taken, whatever the noise on the line does.
3. While the caller speaks nothing else is decided.
4. After ``commit_silence_s`` the turn is taken if all its words are final and none of the speech is
   newer than they are; otherwise after ``final_wait_s`` more, with the words there are.
5. After ``eager_silence_s`` the caller has probably finished: a reply may be prepared.

Words of several phrases of one utterance are joined. A turn may be taken before the recogniser's
final words: these are compared with what was taken, and only what goes beyond it is new. Words that
come long after all speech mean that the detector missed it: they count as speech at their arrival.
When no frames come, loop time stands in for media time.
"""

from __future__ import annotations

from voice.config import EndpointConfig
from voice.decisions import CallerFinished, CallerPaused, CallerWentOn, EndpointDecision
from voice.ports import FRAME_S
from voice.speech_detector import SpeechDetector, SpeechEdge, SpeechState
from voice.words import has_words, join_words, normalise, remainder

MAX_EMPTY_TURNS = 2
_UNCOVERED_SPEECH_S = 0.2
_TAKEN_LIFETIME_S = 3.0
_ROUNDING_S = 1e-6


class Endpointer:
    """Decides for one call; every method yields one decision at most.

    Args:
        config: Thresholds.

    Attributes:
        detector: The stretches of speech it has found in the frames.
    """

    __slots__ = (
        "_checked_at",
        "_config",
        "_empty_turns",
        "_final_at",
        "_finals",
        "_frame_at",
        "_paused_on",
        "_phrase",
        "_speech_at",
        "_speech_frames",
        "_tail",
        "_taken",
        "_taken_at",
        "_uncovered_frames",
        "_words_at",
        "_words_quiet_at",
        "detector",
    )

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self.detector = SpeechDetector()
        self._finals: tuple[str, ...] = ()
        self._phrase = ""  # the running phrase as last heard, and its words not yet taken
        self._tail = ""
        self._taken = ""
        self._taken_at = 0.0
        self._paused_on: tuple[str, ...] | None = None
        self._speech_frames = 0  # confirmed speech of this utterance; and since its last words
        self._uncovered_frames = 0
        self._empty_turns = 0
        self._frame_at: float | None = None
        self._speech_at: float | None = None
        self._words_at: float | None = None
        self._words_quiet_at: float | None = None
        self._final_at: float | None = None
        self._checked_at = 0.0

    @property
    def text(self) -> str:
        """The words heard since the last turn was taken."""
        return join_words((*self._finals, self._tail))

    @property
    def is_waiting(self) -> bool:
        """True while an utterance is going on or its end is not yet decided."""
        return (
            self.detector.state is not SpeechState.QUIET
            or self._speech_frames > 0
            or bool(self._finals)
            or self._tail != ""
        )

    def speech_started_at(self, *, now: float) -> float:
        """Loop time at which the running or last stretch of speech began, about."""
        return now - (self.detector.frames - self.detector.start_frame) * FRAME_S

    def hear_frame(self, is_speech: bool, *, now: float) -> EndpointDecision | None:
        """Count one frame; about a microsecond on a quiet call."""
        detector = self.detector
        edge = detector.receive(is_speech)
        self._frame_at = now
        if detector.end_frame == detector.frames and detector.is_speaking:
            heard = detector.frames - detector.start_frame if edge is SpeechEdge.STARTED else 1
            self._speech_at = now
            self._speech_frames += heard
            self._uncovered_frames += heard
            return self._notice_speech() if self._paused_on is not None else self._decide(now)
        if not self.is_waiting:
            return None
        return self._decide(now)

    def hear_interim(self, text: str, *, now: float) -> EndpointDecision | None:
        """All words of the running phrase so far; they may still change."""
        before = normalise(self.text)
        self._phrase = text
        self._tail = self._beyond_taken(text, now)
        if self._taken:
            self._taken_at = now
        if not has_words(self._tail):
            self._tail = ""
        if normalise(self.text) == before:
            return None
        self._count_words(now)
        if self._silence_s(now) > self._config.missed_speech_lag_s:
            self._words_quiet_at = now
        return self._after_words(now)

    def hear_final(self, text: str, *, now: float) -> EndpointDecision | None:
        """The running phrase as it will stay; empty when it was nothing after all."""
        before = normalise(self.text)
        rest = self._beyond_taken(text, now)
        self._phrase = self._tail = self._taken = ""
        if has_words(rest):
            self._finals += (rest.strip(),)
            self._final_at = now
            self._uncovered_frames = 0
            is_stale = self._acoustic_silence_s(now) > self._config.stale_speech_s
            if not is_stale:
                self._words_quiet_at = None
        elif not self._finals:
            self._final_at = None
        if normalise(self.text) != before:
            self._count_words(now)
            if self._acoustic_silence_s(now) > self._config.stale_speech_s:
                self._words_quiet_at = now
        return self._after_words(now)

    def put_back(self, text: str, *, now: float) -> None:
        """The caller had not finished: ``text`` was taken too early and opens what follows."""
        if not has_words(text):
            return
        self._finals = (text, *self._finals)
        self._words_at = now
        self._paused_on = None
        self._uncovered_frames = 0

    def take(self, *, now: float) -> str:
        """Hand over the words heard so far and begin a new utterance."""
        text = self.text
        if self._phrase and self._tail:
            self._taken, self._taken_at = self._phrase, now
        self._finals, self._tail = (), ""
        self._paused_on = None
        self._speech_frames = self._uncovered_frames = 0
        self._words_at = self._words_quiet_at = self._final_at = None
        return text

    def next_deadline(self) -> float | None:
        """Loop time of the next check; only while frames fail to come does it matter."""
        if not self.is_waiting:
            return None
        last_s = self._frame_at if self._frame_at is not None else self._words_at
        if last_s is None:
            return None
        return max(last_s + self._config.frame_stall_s, self._checked_at + FRAME_S)

    def handle_deadline(self, *, now: float) -> EndpointDecision | None:
        """Decide by loop time if frames have stopped coming."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline - _ROUNDING_S:
            return None
        self._checked_at = now
        return self._decide(now)

    def _beyond_taken(self, text: str, now: float) -> str:
        if not self._taken:
            return text
        if now - self._taken_at > _TAKEN_LIFETIME_S:
            self._taken = ""
            return text
        return remainder(text, self._taken, is_same_phrase=self._speech_frames == 0)

    def _count_words(self, now: float) -> None:
        self._words_at = now
        self._uncovered_frames = 0
        self._empty_turns = 0

    def _after_words(self, now: float) -> EndpointDecision | None:
        decision = self._decide(now)
        if decision is None and self._paused_on is not None:
            if normalise(self.text) == self._paused_on:
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

    def _stalled_s(self, now: float) -> float:
        if self._frame_at is None:
            return 0.0
        gap_s = now - self._frame_at
        return gap_s if gap_s >= self._config.frame_stall_s - _ROUNDING_S else 0.0

    def _acoustic_silence_s(self, now: float) -> float:
        if self._speech_at is None:
            return float("inf")
        return self.detector.silence_s + self._stalled_s(now)

    def _silence_s(self, now: float) -> float:
        silence_s = self._acoustic_silence_s(now)
        if self._words_quiet_at is not None:
            silence_s = min(silence_s, now - self._words_quiet_at)
        return silence_s + _ROUNDING_S

    def _decide(self, now: float) -> EndpointDecision | None:
        config = self._config
        if not self._finals and not self._tail:
            return self._decide_without_words(now)
        if self._words_at is not None and now - self._words_at >= config.stuck_words_s:
            return self._finish(f"words unchanged for {config.stuck_words_s:.1f} s", now)
        if self._is_speech_on(now):
            return None
        silence_s = self._silence_s(now)
        silence_ms = round(min(silence_s, 60.0) * 1000)
        if silence_s >= config.commit_silence_s:
            if not self._tail and self._uncovered_frames * FRAME_S < _UNCOVERED_SPEECH_S:
                return self._finish(f"final+silence {silence_ms} ms", now)
            if silence_s >= config.commit_silence_s + config.final_wait_s:
                return self._finish(f"interim after wait {silence_ms} ms", now)
        if silence_s >= config.eager_silence_s:
            words = normalise(self.text)
            if words != self._paused_on:
                self._paused_on = words
                return CallerPaused(self.text, f"silence {silence_ms} ms")
        return None

    def _is_speech_on(self, now: float) -> bool:
        state = self.detector.state
        is_on = state is SpeechState.SPEAKING or state is SpeechState.STARTING
        return is_on and self._stalled_s(now) == 0.0

    def _decide_without_words(self, now: float) -> EndpointDecision | None:
        if self._speech_frames == 0 or self._silence_s(now) < self._config.empty_silence_s:
            return None
        if self._is_speech_on(now):
            return None
        is_long = self._speech_frames * FRAME_S >= self._config.empty_speech_s - _ROUNDING_S
        if is_long and self._empty_turns < MAX_EMPTY_TURNS:
            self._empty_turns += 1
            return self._finish("speech without words", now)
        self._speech_frames = self._uncovered_frames = 0
        return None

    def _finish(self, reason: str, now: float) -> CallerFinished:
        ended_at = self._speech_at
        if self._words_quiet_at is not None or ended_at is None:
            ended_at = self._words_quiet_at if self._words_quiet_at is not None else now
        final_at = self._final_at
        return CallerFinished(self.take(now=now), reason, ended_at, final_at)
