"""From talking over the agent to figures: how soon it stops, and what it should not stop for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cluster.evaluate.figures import Share, Spread, share, spread
from cluster.evaluate.talk_over_rows import TalkOverRow


@dataclass(frozen=True, slots=True)
class TalkOverFigures:
    """See ``talk_over_rows`` for the words.

    Attributes:
        backchannel_duck: How soon it was ducked for something that was no interruption.
        heard_error: Words by which a record was wrong, to how many records.
    """

    duck: Spread
    silence: Spread
    missed: Share
    ridden: Share
    false_stops: Share
    backchannel_duck: Spread
    resume: Spread
    heard_error: dict[int, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def talk_over_figures(rows: Sequence[TalkOverRow], errors: Sequence[int]) -> TalkOverFigures:
    """Add up."""
    into = [row for row in rows if row.kind == "interruption"]
    along = [row for row in rows if row.kind == "backchannel"]
    return TalkOverFigures(
        duck=spread(row.duck_s for row in into if row.duck_s is not None),
        silence=spread(row.silence_s for row in into if row.silence_s is not None),
        missed=share(sum(row.is_missed for row in into), len(into)),
        ridden=share(sum(row.is_ridden for row in along), len(along)),
        false_stops=share(sum(row.is_false_stop for row in along), len(along)),
        backchannel_duck=spread(row.duck_s for row in along if row.duck_s is not None),
        resume=spread(row.resume_s for row in along if row.resume_s is not None),
        heard_error=dict(sorted(Counter(errors).items())),
    )
