"""How well finished and broken-off utterances are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Verdict:
    """On utterances that were not trained on.

    Attributes:
        utterances: How many of them.
        auc: Area under the curve: how often a whole one has the higher figure.
        held: Broken-off ones that are called unfinished where ``FALSE_HOLDS`` of whole ones are.
        sure: Whole ones that are called finished where ``FALSE_HOLDS`` of broken-off ones are.
        log_loss: In bits; 1 for one who knows nothing.
    """

    utterances: int
    auc: float
    held: float
    sure: float
    log_loss: float


FALSE_HOLDS = 0.05


def judge(
    chance: NDArray[np.float64], is_whole: NDArray[np.float32], weight: NDArray[np.float32]
) -> Verdict:
    """Compare figures with the truth, with the weight of each example."""
    whole = is_whole > 0.5
    order = np.argsort(chance, kind="stable")
    weigh = weight[order].astype(np.float64)
    broken = np.where(whole[order], 0.0, weigh)
    ended = np.where(whole[order], weigh, 0.0)
    below = np.cumsum(broken) / broken.sum()
    missed = np.cumsum(ended) / ended.sum()
    auc = float(((below - broken / broken.sum() / 2) * ended).sum() / ended.sum())
    held = float(below[np.searchsorted(missed, FALSE_HOLDS)])
    sure = float(1.0 - missed[np.searchsorted(below, 1.0 - FALSE_HOLDS)])
    likely = np.clip(np.where(whole, chance, 1.0 - chance), 1e-6, 1.0)
    loss = float(-(np.log2(likely) * weight).sum() / weight.sum())
    return Verdict(int(whole.sum()), auc, held, sure, loss)
