"""The evidence of one call as it comes and goes, weighed again only after it has changed.

Rules:

1. What the agent asked stays until it says something else.
2. The recogniser's hint and the model's answer belong to one pause: they are gone when the caller
   speaks again. A hint is gone too when the words change.
3. This caller's pauses are learned over the whole call, and how long replies to him take.
"""

from __future__ import annotations

from voice.endpoint_config import EndpointConfig
from voice.evidence import NOTHING_ASKED, Evidence, Weighed, weigh
from voice.evidence_lead import ReplyLead
from voice.evidence_model import TurnJudge
from voice.evidence_pauses import CallerPauses
from voice.lexicon import what_was_asked

_LIKELY = 0.7


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
        "_weighed",
        "judge",
    )

    def __init__(self, config: EndpointConfig, language: str) -> None:
        self._config = config
        self._language = language
        self._asked = NOTHING_ASKED
        self._hint: float | None = None
        self._is_stale = False
        self._pauses = CallerPauses(config.usual_pause_s)
        self._lead = ReplyLead(config.reply_lead_s)
        self._weighed: Weighed | None = None
        self.judge = TurnJudge(config.judge_at_s)

    def weighed(self, text: str, *, is_stale: bool = False) -> Weighed:
        """What the evidence comes to, with these words; more was said if they are stale."""
        if self._weighed is None or is_stale is not self._is_stale:
            self._is_stale = is_stale
            evidence = Evidence(
                text,
                self._language,
                self._asked,
                self.judge.ratio,
                self._hint,
                self._pauses.pace_ratio,
                self._lead.usual_s + self._config.lead_margin_s,
                is_stale,
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
