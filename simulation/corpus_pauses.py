"""How long people pause inside a turn when they talk to a machine.

The survival function is read off eot-bench (LiveKit, Apache-2.0, June 2026: recorded turns of
people to agents): an endpointer that only waits for silence cuts 55.6 % of English turns after
300 ms, 21.7 % after 600 ms, 10 % after a second and 5 % after 1.6 s, which is the share of turns
whose longest pause is longer than that. Below 300 ms and above 1.6 s it is continued log-linearly
by us. So "a plain detector at 300 ms" means the same here as there.
"""

from __future__ import annotations

import itertools
import math
from random import Random

# Longest pause of a turn in seconds, and the share of turns that have a longer one.
SURVIVAL: tuple[tuple[float, float], ...] = (
    (0.10, 0.90),
    (0.30, 0.556),
    (0.60, 0.217),
    (1.00, 0.100),
    (1.60, 0.050),
    (2.50, 0.015),
    (3.50, 0.000),
)
_SECOND_PAUSE_RATIO = 0.4
# Between the groups of a number: our model, short of measurements under a free licence.
_GROUP_MEDIAN_S = 0.45
_GROUP_SIGMA = 0.35
_GROUP_BOUNDS_S = (0.25, 1.2)
_DIGIT_GAP_S = (0.03, 0.12)


def longest_pause_s(share: float) -> float:
    """The longest pause of a turn, 0 for none; a share ``share`` of turns has a longer one."""
    if share >= SURVIVAL[0][1]:
        return 0.0
    for (short_s, more), (long_s, less) in itertools.pairwise(SURVIVAL):
        if share >= less:
            part = (more - share) / (more - less)
            return math.exp(math.log(short_s) + part * math.log(long_s / short_s))
    return SURVIVAL[-1][0]


def pauses_s(random: Random, share: float, most: int) -> list[float]:
    """The pauses of one turn, the longest first; at most ``most`` and at most two.

    Args:
        random: Decides about the second.
        share: Decides about the longest; see ``longest_pause_s``.
        most: Places there are.
    """
    longest = longest_pause_s(share)
    if longest == 0.0 or most < 1:
        return []
    found = [longest]
    if most > 1 and random.random() < _SECOND_PAUSE_RATIO:
        found.append(random.uniform(SURVIVAL[0][0], max(longest, SURVIVAL[0][0])))
    return found


def group_pause_s(random: Random) -> float:
    """Between two groups of digits."""
    low, high = _GROUP_BOUNDS_S
    return min(max(random.lognormvariate(math.log(_GROUP_MEDIAN_S), _GROUP_SIGMA), low), high)


def digit_gap_s(random: Random) -> float:
    """Between two digits of a group."""
    return random.uniform(*_DIGIT_GAP_S)
