"""The heard ledger of a reply that the carrier speaks for us.

Rules
1. What the carrier says was heard counts: of a reply that was cut, the words that it names. They
   are looked for in the reply, so that the ledger holds our spelling and not that of its voice;
   words that are not in there are taken as they come, unless they are more than can have been said.
2. A reply is heard to its end once all of it was played (``tokensPlayed``), or the voice has fallen
   silent after a time in which it can have been said, or nothing of the kind was told and it must
   have been said by now, at a slow pace. A silence that was told before its last words left us says
   nothing of them.
3. Of a reply that ends for another reason (the socket is gone), so much was heard as was played,
   or, where nothing is told of that, the segments that can have been said by then.
4. A filler that was said before the reply is no part of it, whatever the carrier tells of it.
"""

from __future__ import annotations

from voice.heard import speaking_time_s
from voice.words import Word, has_words, join_words, split_words

VOICE_DELAY_S = 0.3  # from our words to the carrier's sound, about
FASTEST = 0.5  # of the time that words usually take: nothing is said faster
SLOWEST = 1.6
SPARE_S = 1.5
MOST_TOLD_FOR_ONE = 10  # characters of the carrier's account for one that was sent: "$9" is words
MOST_TOLD_BESIDES = 200
LONGEST_SOUND_S = 60.0  # beyond the slowest pace, while the carrier says that its voice sounds


class RelayHeard:
    """What was sent of one reply, and how much of it has been heard.

    Attributes:
        filler: What was sent before it because it was late; empty for nothing.
        sent: The segments, in order.
        first_at: Loop time of the first words sent; None before.
        closed_at: Loop time at which the last of them was sent; None before.
    """

    __slots__ = (
        "_ends",
        "_filler_left",
        "_has_sounded",
        "_is_sounding",
        "_latest",
        "_played",
        "_played_words",
        "_sent_words",
        "_soonest",
        "_until_s",
        "closed_at",
        "filler",
        "first_at",
        "sent",
    )

    def __init__(self) -> None:
        self.filler = ""
        self.sent: list[str] = []
        self.first_at: float | None = None
        self.closed_at: float | None = None
        self._ends: list[float] = []  # of each segment, when it will have been said, about
        self._until_s = 0.0
        # Asked after with every message of the carrier: added up as it comes, not each time anew.
        self._soonest = 0.0  # loop time before which nobody can have said it all
        self._latest = 0.0  # loop time at which a slow voice has
        self._sent_words = 0
        self._filler_left: list[str] = []  # words of it that the carrier has not told of
        self._played: list[str] = []
        self._played_words = 0
        self._is_sounding = False
        self._has_sounded = False

    @property
    def text(self) -> str:
        """All that was sent."""
        return join_words(self.sent)

    def fill(self, text: str, *, now: float) -> None:
        """This goes out while nothing of the reply is there."""
        self.filler = text
        self._filler_left = _forms(text)
        takes_s = speaking_time_s(text)
        self._until_s = now + VOICE_DELAY_S + takes_s
        # What begins and ends to sound before is this, for all that anybody tells.
        self._soonest = self._latest = now + VOICE_DELAY_S + takes_s * SLOWEST

    def send(self, text: str, *, now: float) -> None:
        """A segment goes out."""
        if self.first_at is None:
            self.first_at = now
        if not self._is_sounding and has_words(text):
            self._has_sounded = False
        takes_s = speaking_time_s(text)
        self._sent_words += len(split_words(text))
        self._soonest = max(self._soonest, now) + takes_s * FASTEST
        self._latest = max(self._latest, now + VOICE_DELAY_S) + takes_s * SLOWEST
        self._until_s = max(self._until_s, now + VOICE_DELAY_S) + takes_s
        self.sent.append(text)
        self._ends.append(self._until_s)

    def close(self, *, now: float) -> None:
        """Nothing more of the reply comes."""
        self.closed_at = now

    def played(self, text: str) -> None:
        """The carrier says that these words were just played."""
        text, self._filler_left = _without(text, self._filler_left)
        if self.first_at is not None and text:
            self._played.append(text)
            self._played_words += len(split_words(text))

    def sounded(self, *, is_on: bool) -> None:
        """The carrier's voice begins or ends to sound."""
        if self.first_at is not None:
            self._is_sounding = is_on
            self._has_sounded = self._has_sounded or is_on

    def next_deadline(self) -> float | None:
        """Loop time at which the reply counts as heard if nothing is told; None while it grows."""
        if self.closed_at is None or self.first_at is None:
            return None
        at = max(self._latest, self.closed_at) + SPARE_S
        if self._has_sounded and not self._is_sounding:  # sooner than seemed possible
            at = min(at, max(self._soonest, self.closed_at))
        return at + LONGEST_SOUND_S if self._is_sounding else at

    def is_heard(self, *, now: float) -> bool:
        """Whether all of it has reached the caller."""
        if self.closed_at is None or self.first_at is None:
            return False
        if self._played and self._played_words >= self._sent_words:
            return True
        if self._has_sounded and not self._is_sounding and now >= self._soonest:
            return True
        deadline = self.next_deadline()
        return deadline is not None and now >= deadline

    def heard_until(self, *, now: float) -> str:
        """What has been heard when nobody says how much it was."""
        if self._played:
            return self._cut_at(join_words(self._played))
        return join_words(
            text for text, end in zip(self.sent, self._ends, strict=True) if end <= now
        )

    def cut_at(self, heard: str) -> str:
        """The beginning of the reply that was heard when the carrier says ``heard`` was."""
        most = MOST_TOLD_FOR_ONE * len(self.text) + len(self.filler) + MOST_TOLD_BESIDES
        rest, _ = _without(heard[:most], _forms(self.filler))
        return self._cut_at(rest)

    def _cut_at(self, heard: str) -> str:
        text, words = self.text, split_words(self.text)
        heard = heard[: MOST_TOLD_FOR_ONE * len(text) + MOST_TOLD_BESIDES]
        told = _forms(heard)
        if not told:
            return ""
        forms = [word.form for word in words]
        # It may name the whole reply until then, or only what was said since its last report.
        first = self._played_words
        for begin in (0, *range(max(first - len(told), 1), len(forms) - len(told) + 1)):
            count = _words_at(forms, told, begin)
            if count is not None:
                return _until(text, words, count)
        return heard.strip()


def _words_at(forms: list[str], told: list[str], begin: int) -> int | None:
    """How many words were heard if ``told`` stands there; its last one may have been cut."""
    there = forms[begin : begin + len(told)]
    if len(there) < len(told) or there[:-1] != told[:-1]:
        return None
    if there[-1] == told[-1]:
        return begin + len(told)
    return begin + len(told) - 1 if there[-1].startswith(told[-1]) else None


def _until(text: str, words: list[Word], count: int) -> str:
    """The first ``count`` words, with the punctuation behind them."""
    end = words[count].start if count < len(words) else len(text)
    return text[:end].strip()


def _forms(text: str) -> list[str]:
    return [word.form for word in split_words(text)]


def _without(told: str, before: list[str]) -> tuple[str, list[str]]:
    """What was told after the words ``before``, and those of them that were not told yet."""
    words = split_words(told)
    count = min(len(words), len(before))
    if not count or [word.form for word in words[:count]] != before[:count]:
        return told, before
    return told[words[count].start :] if count < len(words) else "", before[count:]
