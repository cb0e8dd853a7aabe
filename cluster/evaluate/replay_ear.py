"""A recogniser that knows what is said, as late as a real one: a machine on audio time.

It hears the audio that was delivered, so what the network holds up it hears late. Words become
known ``word`` after their end, phrases end after ``segmentation_s`` of delivered audio without a
word. Interims are lower case without punctuation and finals as one writes them, as Azure has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cluster.evaluate.lags import EarLags, HintLags
from simulation.clip_library import join_words
from simulation.corpus_turn import LabelledTurn
from voice.events import FinalHeard, InterimHeard, TurnEndHinted, TurnResumed

Heard = InterimHeard | FinalHeard | TurnEndHinted | TurnResumed
Due = tuple[float, Heard]
_ROUNDING_S = 1e-6
_EAGER, _SURE = 0.4, 0.8


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    display: str
    start_s: float
    end_s: float
    language: str


@dataclass(frozen=True, slots=True)
class _Opinion:
    """Something it will say about the end of the turn once that much audio was delivered."""

    at_s: float
    eager: bool
    after_word_s: float


class ReplayEar:
    """Listens to one call.

    Args:
        lags: Which recogniser.
        random: Draws its lags.
    """

    def __init__(self, lags: EarLags, random: Random) -> None:
        self._lags = lags
        self._random = random
        self._coming: list[_Said] = []
        self._phrase: list[_Said] = []
        self._opinions: list[_Opinion] = []
        self._is_hinted = False
        self._unsaid = False
        self._told_at_s = 0.0
        self._last_due_s = 0.0

    @property
    def is_idle(self) -> bool:
        """True when more silence changes nothing."""
        return not (self._coming or self._phrase or self._opinions)

    def begin(self, turn: LabelledTurn, start_s: float) -> None:
        """``turn`` will be said from media time ``start_s`` on."""
        self._coming += [
            _Said(
                word.text,
                word.display,
                start_s + word.start_s,
                start_s + word.end_s,
                turn.language,
            )
            for word in turn.words
        ]
        if self._lags.hints is not None:
            self._opinions = self._opine(turn, start_s, self._lags.hints)

    def deliver(self, media_s: float, *, now: float) -> list[Due]:
        """Audio up to ``media_s`` has arrived; returns what it will say, and when."""
        if self.is_idle:
            return []
        said: list[Due] = []
        while self._coming and self._coming[0].end_s <= media_s + _ROUNDING_S:
            self._phrase.append(self._coming.pop(0))
            self._unsaid = True
            if self._is_hinted:
                self._is_hinted = False
                due = now + self._lags.word.draw(self._random)
                said.append(self._due(due, TurnResumed(self._phrase[-1].end_s)))
        if self._unsaid and media_s - self._told_at_s >= self._lags.told_every_s - _ROUNDING_S:
            self._unsaid = False
            self._told_at_s = media_s
            due = now + self._lags.word.draw(self._random)
            interim = InterimHeard(self._lexical(), self._phrase[-1].end_s)
            said.append(self._due(due, interim))
        if self._lags.hints is not None:
            said += self._give_opinions(media_s, now)
        elif self._phrase:
            silent_s = media_s - self._phrase[-1].end_s
            if silent_s >= self._lags.segmentation_s - _ROUNDING_S and self._pauses(media_s):
                said.append(self._finish(now + self._lags.final.draw(self._random)))
        return said

    def _pauses(self, media_s: float) -> bool:
        """Nothing has begun to be said meanwhile: half a word is no silence."""
        return not self._coming or self._coming[0].start_s > media_s + _ROUNDING_S

    def _finish(self, due_s: float) -> Due:
        final = FinalHeard(self._display(), self._phrase[-1].end_s)
        self._phrase = []
        self._unsaid = False
        return self._due(due_s, final)

    def _give_opinions(self, media_s: float, now: float) -> list[Due]:
        said: list[Due] = []
        while self._opinions and self._opinions[0].at_s <= media_s + _ROUNDING_S:
            opinion = self._opinions.pop(0)
            if not self._phrase:
                continue
            end_s = self._phrase[-1].end_s
            sure = _EAGER if opinion.eager else _SURE
            said.append(self._due(now, TurnEndHinted(self._display(), end_s, sure)))
            self._is_hinted = opinion.eager
            if not opinion.eager:
                said.append(self._finish(now))
        return said

    def _opine(self, turn: LabelledTurn, start_s: float, hints: HintLags) -> list[_Opinion]:
        random, found = self._random, []
        for begin, end in turn.pauses:
            if end - begin < hints.false_from_s:
                continue
            if random.random() < hints.false_eager_ratio:
                at_s = begin + random.uniform(hints.false_from_s, end - begin)
                found.append(_Opinion(start_s + at_s, True, start_s + begin))
                if random.random() < hints.false_end_ratio / hints.false_eager_ratio:
                    later = min(end, at_s + hints.eager_lead_s)
                    found.append(_Opinion(start_s + later, False, start_s + begin))
        end_s = start_s + turn.speech_end_s
        sure_s = max(hints.end.draw(random), hints.eager_least_s)
        eager_s = max(sure_s - hints.eager_lead_s, hints.eager_least_s)
        lag_s = self._lags.word.median_s  # it must know the last word first
        found.append(_Opinion(end_s + max(eager_s, lag_s), True, end_s))
        found.append(_Opinion(end_s + max(sure_s, lag_s), False, end_s))
        return found

    def _due(self, due_s: float, event: Heard) -> Due:
        self._last_due_s = max(self._last_due_s, due_s)
        return self._last_due_s, event

    def _lexical(self) -> str:
        return join_words([word.text for word in self._phrase], self._phrase[0].language)

    def _display(self) -> str:
        language = self._phrase[0].language
        text = join_words([word.display for word in self._phrase], language)
        text = (text[0].upper() + text[1:]).rstrip(",;:，；：")
        if text[-1:] in ".!?。！？":
            return text
        return text + ("。" if language.lower().startswith(("zh", "yue")) else ".")
