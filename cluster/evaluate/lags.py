"""How long other people's services take, in published figures, and how they are drawn.

| profile | words after their end | end of a phrase | where from |
| --- | --- | --- | --- |
| ``azure`` | 150 ms | 350 ms of silence, which is what the product asks for, and 100 ms more | partial results of Azure Speech as measured through its SDK |
| ``flux`` | 100 ms of decoding and 80 ms of transport, told every 250 ms | ``EndOfTurn`` 260 ms after the end at the median and 1.5 s at P95; ``EagerEndOfTurn`` 200 ms before it; at 60 % of longer pauses too | Deepgram's pages on Flux and the model card at Together AI; 12.9 % of turns cut in eot-bench |
| ``quick`` | 80 ms | 150 ms of silence and 30 ms more | a recogniser on the same machine |
| ``slow`` | 350 ms | 500 ms of silence and 250 ms more | Twilio's guide to voice agents: 350 ms at the median, 500 ms at P95 |

Language models: first clause 280 ms at the median; voices: first audio 130 ms. Both are log-normal.
"""  # noqa: E501 - a table

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Lag:
    """A log-normal delay: half of all are below ``median_s``; ``sigma`` is of its logarithm."""

    median_s: float
    sigma: float

    def draw(self, random: Random) -> float:
        """One of them, seconds; at most eight times the median."""
        if self.median_s <= 0.0:
            return 0.0
        drawn = random.lognormvariate(math.log(self.median_s), self.sigma)
        return min(drawn, 8.0 * self.median_s)


@dataclass(frozen=True, slots=True)
class HintLags:
    """A recogniser's own opinion about ends of turns.

    Attributes:
        end: From the true end to ``EndOfTurn``.
        eager_lead_s: So much before it comes ``EagerEndOfTurn``, at least ``eager_least_s`` after
            the end.
        false_eager_ratio: Of pauses of ``false_from_s`` and more, those with an eager event.
        false_end_ratio: Of the same, those that it takes for the end.
    """

    end: Lag
    eager_lead_s: float
    eager_least_s: float
    false_eager_ratio: float
    false_end_ratio: float
    false_from_s: float


@dataclass(frozen=True, slots=True)
class EarLags:
    """A recogniser.

    Attributes:
        word: From the end of a word, as it arrives, to the interim result that has it.
        told_every_s: Interim results come on a grid of audio; 0 for whenever there is a word.
        segmentation_s: Silence that ends a phrase.
        final: From then to the final result.
        hints: None when it has no opinion about turns; a phrase is a turn for it otherwise.
    """

    word: Lag
    told_every_s: float
    segmentation_s: float
    final: Lag
    hints: HintLags | None = None


@dataclass(frozen=True, slots=True)
class ReplyLags:
    """What answers.

    Attributes:
        first_clause: From the question to the language model's first segment.
        next_clause: To each further one.
        first_audio: From a segment's text to its first audio.
        ready_ratio: Share of turns whose first segment is there at once: cached, or an opener.
        ready_s: How long "at once" takes: the way to the mind and back.
        judge_s: From the end-of-turn model's question to its answer.
    """

    first_clause: Lag = Lag(0.280, 0.40)
    next_clause: Lag = Lag(0.150, 0.30)
    first_audio: Lag = Lag(0.130, 0.25)
    ready_ratio: float = 0.0
    ready_s: float = 0.003
    judge_s: float = 0.075


EARS: dict[str, EarLags] = {
    "azure": EarLags(Lag(0.150, 0.25), 0.0, 0.35, Lag(0.100, 0.25)),
    "flux": EarLags(
        Lag(0.180, 0.15),
        0.25,
        0.0,
        Lag(0.0, 0.0),
        HintLags(Lag(0.260, 1.065), 0.200, 0.080, 0.60, 0.13, 0.15),
    ),
    "quick": EarLags(Lag(0.080, 0.20), 0.0, 0.15, Lag(0.030, 0.20)),
    "slow": EarLags(Lag(0.350, 0.22), 0.0, 0.50, Lag(0.250, 0.25)),
}
