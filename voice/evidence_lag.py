"""Are there words on their way that the recogniser has not brought yet?

Rules, all times in seconds of the caller's audio:

1. *Lag* is how late words come: their arrival less the end of the last of them. A longer lag is
   believed at once, a shorter one little by little, so the figure stays near this call's longest.
2. *Gap* is by how much the sound outlives the last word (breath, line, a detector that lets go
   late); it is learned whenever a turn ends whose words have all come.
3. Words cover the speech when no more of it than the gap and ``COVER_S`` comes after them. What
   they do not cover may be words or not: words would come within the lag.
4. Words of a recogniser that does not say where they end (0) cover all that was said before them.
"""

from __future__ import annotations

COVER_S = 0.12
MARGIN_S = 0.06
SURELY_WORDS_S = 0.4
LIKELY_WORDS_S = 0.2
_MOST_LAG_S = 1.2
_MOST_GAP_S = 0.4
_FADING = 0.2
_FIRST_GAP_S = 0.06


class WordLag:
    """What one call has shown about its recogniser.

    Args:
        first_lag_s: The lag of a recogniser of which nothing is known yet.

    Attributes:
        usual_s: The lag, as learned so far.
        gap_s: The gap, as learned so far.
    """

    __slots__ = ("_after_words_s", "_has_words", "_words_end_s", "gap_s", "usual_s")

    def __init__(self, first_lag_s: float) -> None:
        self._after_words_s = 0.0
        self._has_words = False
        self._words_end_s: float | None = None  # where that was told
        self.usual_s = first_lag_s
        self.gap_s = _FIRST_GAP_S

    @property
    def sound_s(self) -> float:
        """Speech since the last word, or what was taken for it."""
        return self._after_words_s

    @property
    def uncovered_s(self) -> float:
        """Speech that no word accounts for; 0 when the words cover it."""
        rest_s = self._after_words_s
        return rest_s if rest_s > self.gap_s + COVER_S else 0.0

    @property
    def due_s(self) -> float | None:
        """Silence by which words that no word accounts for are there; None if none are missing."""
        return self.usual_s if self.uncovered_s >= LIKELY_WORDS_S else None

    def spoke(self, seconds: float) -> None:
        """The caller was heard."""
        self._after_words_s += seconds

    def arrived(
        self, end_s: float, *, at_s: float, speech_s: tuple[float, float], is_new: bool
    ) -> None:
        """Words came.

        Args:
            end_s: Where the last of them ends; 0 when that was not said.
            at_s: When they came.
            speech_s: Begin and end of the running or last stretch of speech.
            is_new: True when they are not merely those of before.
        """
        is_told = 0.0 < end_s <= at_s
        if is_new and is_told:
            lag_s = min(at_s - end_s, _MOST_LAG_S)
            if lag_s < self.usual_s:
                lag_s = self.usual_s + _FADING * (lag_s - self.usual_s)
            self.usual_s = lag_s
        if not is_told and not is_new:
            return
        began_s, ended_s = speech_s
        words_end_s = end_s if is_told else at_s
        self._has_words = True
        self._words_end_s = end_s if is_told else None
        self._after_words_s = max(ended_s - max(words_end_s, began_s), 0.0)

    def put_back(self, at_s: float) -> None:
        """Words of before count as heard at ``at_s``: what is said now has to come yet."""
        self._has_words = True
        self._words_end_s = at_s
        self._after_words_s = 0.0

    def ended(self, silence_s: float) -> None:
        """A turn was taken after ``silence_s``; what did not come by then was no word."""
        if self._has_words and silence_s > self.usual_s + MARGIN_S:
            gap_s = min(self._after_words_s, _MOST_GAP_S)
            self.gap_s += _FADING * (gap_s - self.gap_s)
        self._has_words = False
        self._words_end_s = None
        self._after_words_s = 0.0

    def wordless_s(self, now_s: float) -> float:
        """How long no word has ended, by media time and all that the recogniser can know by now."""
        if self._words_end_s is None:
            return 0.0
        return now_s - self._words_end_s - self.usual_s

    def wait_s(self, commit_s: float, final_wait_s: float) -> float:
        """The silence by which words that are on their way will have come; 0 if there are none.

        Args:
            commit_s: Silence after which the turn would be taken.
            final_wait_s: How much longer to wait at most.
        """
        uncovered_s = self.uncovered_s
        if uncovered_s == 0.0:
            return 0.0
        most_s = commit_s + final_wait_s
        return most_s if uncovered_s >= SURELY_WORDS_S else min(self.usual_s + MARGIN_S, most_s)
