"""Which recogniser a call is heard by, and when a second one is asked.

Rules

1. One stream is *listened to*. At most one *understudy* beside it is sent the same caller again,
   from the last finished phrase.
2. A stream that fails is replaced at once: by the understudy if there is one, else by the next
   recogniser in order. Only one that has just failed is given a pause before its next stream.
   ``MOST_FAILURES`` in a row, or a failure that no other try can mend: the call is deaf. One that
   stood for ``STEADY_S`` before it broke begins the count anew: a caller may be silent for long.
3. Somebody who has spoken for ``doubt_speech_s`` without a single word being heard, or has spoken
   for ``short_speech_s`` and been silent for ``doubt_silence_s``, raises a doubt: the understudy is
   opened. Both are longer by what the recogniser takes longer than usual at the moment. Whoever
   brings words first is listened to from then on; the other one is closed. So a recogniser that
   hangs is left within a second of speech, and one that is right about a cough, a radio or a dog is
   kept.
   The end of what was said may be missing as well: where no word accounts for ``short_speech_s`` of
   it after such a silence, the same is done as long as ``may_double`` allows it. It may have been
   a breath, and words came just before: nobody is asked (rule 4) because of it. So it is with a
   sound of ``shortest_word_s`` alone: a "yes", or a cough; but then everybody may be asked.
4. An understudy that hears nothing either is closed after ``understudy_s``, and the next doubt
   takes twice as much speech, up to ``MOST_PATIENCE`` times, until somebody brings words. Whether
   it was a noise, or everybody hangs, is found out meanwhile (``AskEverybody``), ``ask_after_s``
   after the doubt; if nobody understands a known sentence either, the call is deaf.
   The next doubt passes over an understudy that failed, or heard nothing twice (``turns``).
5. Words count from the stream that is listened to, and from the understudy in the moment in which
   they make it the one that is listened to. Everything else is not for the call.
6. A stream whose connection broke, and that opens another by itself, is not waited for where words
   are awaited: the understudy is opened at once, and whoever brings words that are new first is
   listened to. The same holds for what is said within ``mending_s``.
7. Hearing is *lost* while every recogniser has failed in a row, twice at least, and no stream has
   stood for ``PROVEN_S`` since: then no words can come, though the next try may bring some.

Shape of a machine: events in with ``now`` (loop time, seconds), outputs out, one timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from providers.failover.listening_outputs import (
    AskEverybody,
    CallIsDeaf,
    CloseStream,
    OpenStream,
    Output,
    TellBroken,
    TellDeaf,
)
from providers.failover.listening_policy import ListeningPolicy as ListeningPolicy
from providers.failover.turns import Turns
from voice.ports import FRAME_S

MOST_FAILURES = 4
MOST_PATIENCE = 8
STEADY_S = 8.0
PROVEN_S = 1.0  # some vendors' streams open at once, and connect, or fail, behind that
RETRY_AFTER_S = (0.0, 0.2, 0.5, 1.0)
_ROUNDING_S = 1e-6


@dataclass(slots=True)
class _Line:
    stream: int
    choice: int
    deadline_s: float
    asked_s: float
    is_open: bool = False
    opened_s: float = float("inf")
    broke_s: float = float("-inf")  # its connection; it may stand again


class Listening:
    """The recognisers of one call.

    Args:
        choices: How many there are, or their places, best first.
        policy: When one is doubted.
        streams_before: Of the call, at other recognisers: numbers go on from there.
        may_double: Asked before a second stream is opened only because an end may be missing.

    Attributes:
        failures: Streams that failed since words were last heard.
        switches: How often the call went to another recogniser.
    """

    def __init__(
        self,
        choices: Sequence[int],
        policy: ListeningPolicy | None = None,
        *,
        streams_before: int = 0,
        may_double: Callable[[], bool] = lambda: False,
    ) -> None:
        if not choices:
            raise ValueError("a call needs at least one recogniser")
        self._order = tuple(choices)
        self._turns = Turns(choices)
        self._policy = policy or ListeningPolicy()
        self._may_double = may_double
        self._outputs: deque[Output] = deque()
        self._streams = streams_before
        self._heard: _Line | None = None
        self._understudy: _Line | None = None
        self._next_open_s: float | None = None
        self._next_choice = self._order[0]
        self._ask_at: float | None = None
        self._is_asked = False  # whether anybody hears, since words came last
        self._speech_s = 0.0  # since words came
        self._tail_s = 0.0  # since the end of the last of them
        self._silence_s = 0.0
        self._worded_s = float("-inf")  # when words came
        self._patience = 1
        self._is_over = False
        self.failures = 0
        self.switches = 0

    @property
    def streams(self) -> int:
        """Number of the stream that was opened last; 0 before the first."""
        return self._streams

    @property
    def listened(self) -> int:
        """Number of the stream that is listened to; 0 while there is none."""
        return self._heard.stream if self._heard is not None else 0

    def is_lost(self, *, now: float) -> bool:
        """True while no words can come; see rule 7."""
        line = self._heard
        is_proven = line is not None and line.is_open and now - line.opened_s >= PROVEN_S
        return self.failures >= max(2, len(self._order)) and not is_proven

    def next_output(self) -> Output | None:
        """The oldest thing to do, or None."""
        return self._outputs.popleft() if self._outputs else None

    def next_deadline(self) -> float | None:
        """Loop time at which ``handle_deadline`` is due; None for never."""
        due = [line.deadline_s for line in (self._heard, self._understudy) if line is not None]
        due += [at for at in (self._next_open_s, self._ask_at) if at is not None]
        return min((at for at in due if at != float("inf")), default=None)

    # --- events -----------------------------------------------------------------------------------

    def start(self, *, now: float) -> None:
        """The call has begun."""
        self._heard = self._open(self._order[0], now)

    def opened(self, stream: int, *, now: float) -> None:
        """A stream takes audio."""
        for line in (self._heard, self._understudy):
            if line is not None and line.stream == stream:
                line.is_open, line.opened_s = True, now
                is_listened = line is self._heard
                line.deadline_s = float("inf") if is_listened else now + self._policy.understudy_s

    def failed(self, stream: int, reason: str, *, retryable: bool, now: float) -> None:
        """A stream could not be opened, or broke."""
        if self._understudy is not None and self._understudy.stream == stream:
            self._drop_understudy(self._understudy, has_failed=True)
        elif self._heard is not None and self._heard.stream == stream:
            self._lost(reason, retryable, now)

    def interrupted(self, stream: int, *, now: float) -> None:
        """The connection of a stream broke, and it opens another by itself; see rule 6."""
        if self._heard is not None and self._heard.stream == stream:
            self._heard.broke_s = now
            self._doubt_broken(now)

    def words_came(
        self, stream: int, *, now: float, uncovered_s: float = 0.0, is_new: bool = True
    ) -> bool:
        """A stream brings words; returns whether they are for the call.

        Args:
            stream: Its number.
            now: Loop time.
            uncovered_s: Speech after the end of the last word; 0 where that is not known.
            is_new: Some of them were said after all that were heard before.
        """
        line, other = self._heard, self._understudy
        if other is not None and other.stream == stream:
            if line is not None and not is_new and self._is_broken(line, other):
                return False  # it tells again what is known; the other one may be back before it
            if line is not None:
                self._outputs.append(CloseStream(line.stream))
                if line.choice != other.choice:
                    told = TellBroken if self._is_broken(line, other) else TellDeaf
                    self._outputs.append(told(line.choice))
                    self.switches += 1
            self._heard, self._understudy = other, None
            other.deadline_s = float("inf")
        elif line is None or line.stream != stream:
            return False
        elif other is not None:
            self._outputs.append(CloseStream(other.stream))
            self._understudy = None
        self.failures = 0
        self._patience = 1
        self._turns.words_came()
        self._next_open_s = self._ask_at = None
        self._is_asked = False
        self._forget_speech()
        self._worded_s, self._tail_s = now, uncovered_s
        return True

    @property
    def heard_choice(self) -> int | None:
        """Whose stream is listened to; None while there is none."""
        return self._heard.choice if self._heard is not None else None

    @property
    def follows_speech(self) -> bool:
        """Whether frames without speech change anything: words of what was said may be missing."""
        return self._tail_s > 0.0

    def frame_heard(self, *, is_speech: bool, now: float, late_s: float = 0.0) -> None:
        """20 ms of the caller were scored.

        Args:
            is_speech: The caller made a sound.
            now: Loop time.
            late_s: How much longer than usual words of the listened recogniser take at the moment.
        """
        if is_speech:
            self._speech_s += FRAME_S
            self._tail_s += FRAME_S
            self._silence_s = 0.0
        elif self.follows_speech:
            self._silence_s += FRAME_S
        else:
            return
        if is_speech and self._heard is not None:
            self._doubt_broken(now)
        if self._is_doubtful(late_s) and self._heard is not None and self._heard.is_open:
            self._doubt(now)
        elif self._is_tail_missing(late_s):
            self._doubt_tail(now)
        elif self._is_short_word(late_s, now):
            self._doubt_short(now)
        elif self._silence_s > 2 * self._policy.doubt_silence_s + late_s:
            self._forget_speech()

    def handle_deadline(self, *, now: float) -> None:
        """Do what has come due."""
        due = now + 1e-9
        if self._ask_at is not None and self._ask_at <= due:
            self._ask_at, self._is_asked = None, True
            self._outputs.append(AskEverybody())
        if self._understudy is not None and self._understudy.deadline_s <= due:
            self._drop_understudy(self._understudy, has_failed=not self._understudy.is_open)
        if self._heard is not None and self._heard.deadline_s <= due:
            self._lost(f"no stream within {self._policy.open_within_s:.1f} s", True, now)
        if self._next_open_s is not None and self._next_open_s <= due:
            self._next_open_s = None
            self._heard = self._open(self._next_choice, now)

    def nobody_hears(self) -> None:
        """Everybody was asked, and none of them understood a known sentence.

        Words that came since the question was put say more.
        """
        if self._is_asked and not self._is_over:
            self._is_over = True
            self._outputs.append(CallIsDeaf("nobody understands a known sentence"))

    def close(self) -> None:
        """The call is over: all streams are closed, nothing else happens any more."""
        for line in (self._heard, self._understudy):
            if line is not None:
                self._outputs.append(CloseStream(line.stream))
        self._heard = self._understudy = self._next_open_s = self._ask_at = None
        self._is_over = True

    # --- inside -----------------------------------------------------------------------------------

    def _open(self, choice: int, now: float) -> _Line | None:
        if self._is_over:
            return None
        self._streams += 1
        line = _Line(self._streams, choice, now + self._policy.open_within_s, now)
        self._outputs.append(OpenStream(line.stream, choice))
        return line

    def _lost(self, reason: str, retryable: bool, now: float) -> None:
        line, self._heard = self._heard, None
        if line is None:
            return
        self._outputs.append(CloseStream(line.stream))
        self.failures = 1 if now - line.opened_s >= STEADY_S else self.failures + 1
        if self._understudy is not None:
            self._heard, self._understudy = self._understudy, None
            if self._heard.is_open:
                self._heard.deadline_s = float("inf")
            self.switches += self._heard.choice != line.choice
            return
        has_other = len(self._order) > 1
        if self.failures >= MOST_FAILURES or not (retryable or has_other):
            self._is_over = True
            self._outputs.append(CallIsDeaf(reason))
            return
        following = self._turns.after(line.choice)
        self.switches += following != line.choice
        rounds = (self.failures - 1) // len(self._order) if has_other else self.failures
        pause_s = RETRY_AFTER_S[min(rounds, len(RETRY_AFTER_S) - 1)]
        if pause_s == 0.0:
            self._heard = self._open(following, now)
        else:
            self._next_choice, self._next_open_s = following, now + pause_s

    def _is_doubtful(self, late_s: float) -> bool:
        policy = self._policy
        if self._understudy is not None:
            return False
        if self._speech_s >= policy.doubt_speech_s * self._patience + late_s:
            return True
        is_long = self._speech_s >= policy.short_speech_s * self._patience
        return is_long and self._silence_s >= policy.doubt_silence_s + late_s

    def _is_tail_missing(self, late_s: float) -> bool:
        """Of what was understood before the end is missing; true once for each silence."""
        policy, tail_s = self._policy, self._tail_s
        if tail_s <= self._speech_s or self._silence_s < policy.doubt_silence_s + late_s:
            return False
        return tail_s >= policy.short_speech_s - _ROUNDING_S

    def _is_short_word(self, late_s: float, now: float) -> bool:
        """A sound between two silences may have been a word; true once for each silence.

        What follows other words is the end of them, or a breath.
        """
        policy = self._policy
        if self._tail_s > self._speech_s or self._understudy is not None or self._patience > 1:
            return False
        if not 0.0 <= self._silence_s - policy.doubt_silence_s - late_s < FRAME_S - _ROUNDING_S:
            return False
        since_words_s = now - self._worded_s - self._silence_s - self._speech_s
        is_apart = since_words_s >= policy.doubt_silence_s
        return is_apart and self._speech_s >= policy.shortest_word_s - _ROUNDING_S

    def _doubt_short(self, now: float) -> None:
        if self._heard is not None and self._heard.is_open and self._may_double():
            self._doubt(now)

    def _doubt_tail(self, now: float) -> None:
        is_free = self._heard is not None and self._heard.is_open and self._understudy is None
        if is_free and self._may_double():
            self._doubt(now)
            self._ask_at = None
        self._forget_speech()

    def _doubt(self, now: float) -> None:
        if self._heard is not None:
            self._understudy = self._open(self._turns.beside(self._heard.choice), now)
            self._ask_at = now + self._policy.ask_after_s
        self._forget_speech()

    def _doubt_broken(self, now: float) -> None:
        """Ask the understudy if words are awaited of a stream that mends its connection."""
        line, policy = self._heard, self._policy
        if line is None or not line.is_open or self._understudy is not None:
            return
        is_awaited = max(self._speech_s, self._tail_s) >= policy.awaited_s - _ROUNDING_S
        if is_awaited and now - line.broke_s < policy.mending_s:
            self._understudy = self._open(self._turns.beside(line.choice), now)
            self._ask_at = now + policy.doubt_silence_s + policy.ask_after_s

    def _is_broken(self, line: _Line, other: _Line) -> bool:
        """Whether ``other`` was asked because a connection of ``line`` broke."""
        return line.broke_s >= other.asked_s - self._policy.mending_s

    def _drop_understudy(self, line: _Line, *, has_failed: bool) -> None:
        self._outputs.append(CloseStream(line.stream))
        self._understudy = None
        self._turns.asked_in_vain(line.choice, has_failed=has_failed)
        self._patience = min(self._patience * 2, MOST_PATIENCE)
        self._forget_speech()

    def _forget_speech(self) -> None:
        self._speech_s = self._tail_s = self._silence_s = 0.0
