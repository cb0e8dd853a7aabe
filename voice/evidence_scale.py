"""The evidence of one call as it comes and goes, weighed again only after it has changed.

Rules:

1. What the agent asked stays until it says something else.
2. The recogniser's hint and the model's answer belong to one pause: they are gone when the caller
   speaks again. A hint is gone too when the words change.
3. This caller's pauses are learned over the whole call, and how long replies to him take.
"""

from __future__ import annotations

from voice.endpoint_config import EndpointConfig
from voice.evidence import (
    LEAST_SPOKEN_S,
    MOST_SPOKEN_S,
    NOTHING_ASKED,
    Evidence,
    Weighed,
    weigh,
)
from voice.evidence_lead import ReplyLead
from voice.evidence_model import TurnJudge
from voice.evidence_pauses import CallerPauses
from voice.lexicon import what_was_asked

_LIKELY = 0.7
_STEP_S = 0.5  # of speech: weighing anew with every frame of it would cost more than it tells


class Scale:
    """Weighs one caller's evidence.

    Args:
        config: What each piece weighs.
        language: BCP-47 tag.

    Attributes:
        judge: When the end-of-turn model is asked.
    """

    __slots__ = (
        "_asked",
        "_config",
        "_hint",
        "_is_stale",
        "_language",
        "_lead",
        "_pauses",
        "_spoken_s",
        "_weighed",
        "judge",
    )

    def __init__(self, config: EndpointConfig, language: str) -> None:
        self._config = config
        self._language = language
        self._asked = NOTHING_ASKED
        self._hint: float | None = None
        self._is_stale = False
        self._spoken_s: float | None = None
        self._pauses = CallerPauses(config.usual_pause_s)
        self._lead = ReplyLead(config.reply_lead_s)
        self._weighed: Weighed | None = None
        self.judge = TurnJudge(config.judge_at_s)

    def weighed(self, text: str, *, is_stale: bool = False, spoken_s: float = 0.0) -> Weighed:
        """What the evidence comes to.

        Args:
            text: The words.
            is_stale: More was said than they tell.
            spoken_s: How long the caller has been speaking in this turn; 0 when none was found.
        """
        known_s = _in_steps(spoken_s) if spoken_s > 0.0 else None
        is_same = is_stale is self._is_stale and known_s == self._spoken_s
        if self._weighed is None or not is_same:
            self._is_stale, self._spoken_s = is_stale, known_s
            evidence = Evidence(
                text,
                self._language,
                self._asked,
                self.judge.ratio,
                self._hint,
                self._pauses.pace_ratio,
                self._lead.usual_s + self._config.lead_margin_s,
                is_stale,
                known_s,
            )
            self._weighed = weigh(evidence, self._config)
        return self._weighed

    def hear_agent(self, text: str) -> None:
        """What the agent said last; empty while it speaks."""
        self._asked = what_was_asked(text, self._language) if text else NOTHING_ASKED
        self._weighed = None

    def change_language(self, language: str) -> None:
        """The caller speaks another language from now on; what was asked is still that."""
        self._language = language
        self._weighed = None

    def reweigh(self) -> None:
        """Something about the words is new."""
        self._weighed = None

    def change_words(self) -> None:
        """The words are others now."""
        self._hint = self._weighed = None

    def hear_hint(self, probability: float | None) -> None:
        """The recogniser believes in an end, 0 to 1; None when it does not say how much."""
        self._hint = _LIKELY if probability is None else min(max(probability, 0.0), 1.0)
        self._weighed = None

    def hear_judgement(self, pause_id: int, ratio: float) -> bool:
        """The model's answer; returns whether it counts."""
        counts = self.judge.answered(pause_id, ratio)
        if counts:
            self._weighed = None
        return counts

    def end_pause(self) -> None:
        """The caller speaks."""
        if self._hint is not None or self.judge.ratio is not None:
            self._hint = self._weighed = None
        self.judge.went_on()

    def learn_pause(self, pause_s: float, *, was_taken: bool = False) -> None:
        """The caller paused so long and went on; see ``CallerPauses``."""
        if self._pauses.went_on_after(pause_s, was_taken=was_taken):
            self._weighed = None

    def learn_reply(self, seconds: float) -> None:
        """A reply was there so long after it was asked for; see ``ReplyLead``."""
        self._lead.took(seconds)
        self._weighed = None


def _in_steps(spoken_s: float) -> float:
    return min(max(spoken_s // _STEP_S * _STEP_S, LEAST_SPOKEN_S), MOST_SPOKEN_S)
