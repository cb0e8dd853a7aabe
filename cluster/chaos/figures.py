"""From turns to the figures that people compare."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cluster.chaos.result import EndedCall, PhaseResult
from cluster.chaos.turns import ChaosTurn
from dialogue.agent import Phrases

LATE_S = 1.0
_FAREWELLS = (Phrases().trouble, Phrases().goodbye)
_FEWEST_OF_A_CLIP = 3


class Healthy:
    """How long callers wait while all is well, for each thing that they say.

    What is said decides how soon the end of speech is certain, so one utterance is held against
    the same utterance.

    Args:
        turns: Of healthy calls.
    """

    def __init__(self, turns: Sequence[ChaosTurn]) -> None:
        by_clip: dict[str, list[float]] = defaultdict(list)
        for turn in turns:
            if math.isfinite(turn.reply_s):
                by_clip[turn.clip].append(turn.reply_s)
        waits = [wait for found in by_clip.values() for wait in found]
        self.waits = waits
        self.holes = [turn.hole_s for turn in turns]
        self._usual_s = statistics.median(waits) if waits else 0.0
        self._by_clip = {
            clip: statistics.median(found)
            for clip, found in by_clip.items()
            if len(found) >= _FEWEST_OF_A_CLIP
        }

    def late_s(self, turn: ChaosTurn) -> float:
        """How much later than usual the reply to a turn came; ``inf`` for never."""
        return turn.reply_s - self._by_clip.get(turn.clip, self._usual_s)


@dataclass(frozen=True, slots=True)
class Figures:
    """What callers noticed of one fault; seconds, None where nothing was measured.

    Attributes:
        turns: Whose caller finished while it lasted.
        added_p50_s: Wait for the reply beyond the usual one for what was said.
        above_p99_s: P99 of the wait, less that of healthy turns.
        known_above_p99_s: The same for those that were asked after every process knew; as
            ``above_p99_s`` when nobody had to be told.
        late: Replies more than a second later than usual, or none at all.
        first_sound_s: The longest wait for any sound.
        dead_air_s: The longest silence.
        hole_s: The longest hole inside a reply.
        healthy_hole_s: The same while all was well.
        words_lost: Of callers.
        words_extra: Likewise, that came twice.
        most_extra: Of one turn.
        reply_lost: Of replies.
        known_s: The longest from seen anywhere to known everywhere. Of faults that strike a part of
            the requests only what the board spread counts, and from the sighting on that it
            followed: one process may be unlucky before others see anything.
        known_by: The fewest processes that knew.
        left_alone: How often one process left somebody whom the others saw well.
        polite: Of the calls that their callers did not end, the share of those that were told so
            and whose record has a reason.
    """

    turns: int
    added_p50_s: float | None
    added_p95_s: float | None
    added_p99_s: float | None
    above_p99_s: float | None
    known_above_p99_s: float | None
    late: int
    first_sound_s: float
    dead_air_s: float
    hole_s: float
    healthy_hole_s: float
    words_lost: int
    words_extra: int
    reply_lost: int
    reply_extra: int
    most_extra: int
    known_s: float | None
    known_by: int | None
    left_alone: int
    ended_by_agent: int
    polite: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, None for never."""
        return {
            name: (None if isinstance(value, float) and math.isinf(value) else value)
            for name, value in asdict(self).items()
        }


def figures(result: PhaseResult, healthy: Healthy) -> Figures:
    """The figures of one run with a fault."""
    struck = result.struck
    late = [healthy.late_s(turn) for turn in struck]
    waits = [turn.reply_s for turn in struck]
    well_p99_s = quantile(healthy.waits, 0.99)
    known_at = max((known.known_at for known in result.known), default=result.from_at)
    after = [turn.reply_s for turn in struck if turn.spoke_at >= known_at]
    is_partial = result.fault is not None and result.fault.kind in ("slow", "killed")
    spread = [known for known in result.known if known.is_shared or not is_partial]
    by_agent = [call for call in result.calls if call.ended_by != "caller"]
    polite = [call for call in by_agent if _is_polite(call)]
    return Figures(
        turns=len(struck),
        added_p50_s=quantile(late, 0.5),
        added_p95_s=quantile(late, 0.95),
        added_p99_s=quantile(late, 0.99),
        above_p99_s=_less(quantile(waits, 0.99), well_p99_s),
        known_above_p99_s=_less(quantile(after, 0.99), well_p99_s),
        late=sum(wait > LATE_S for wait in late),
        first_sound_s=max((turn.sound_s for turn in struck), default=0.0),
        dead_air_s=max((turn.dead_air_s for turn in struck), default=0.0),
        hole_s=max((turn.hole_s for turn in struck), default=0.0),
        healthy_hole_s=max(healthy.holes, default=0.0),
        words_lost=sum(turn.words_lost for turn in struck),
        words_extra=sum(turn.words_extra for turn in struck),
        reply_lost=sum(turn.reply_lost for turn in struck),
        reply_extra=sum(turn.reply_extra for turn in struck),
        most_extra=max((max(turn.words_extra, turn.reply_extra) for turn in struck), default=0),
        known_s=max(
            (known.spread_s if is_partial else known.took_s for known in spread), default=None
        ),
        known_by=min((known.processes for known in spread), default=None),
        left_alone=len(result.known) - len(spread),
        ended_by_agent=len(by_agent),
        polite=len(polite) / len(by_agent) if by_agent else None,
    )


def _is_polite(call: EndedCall) -> bool:
    is_told = call.last_words.endswith(_FAREWELLS)
    return call.ended_by == "agent" and call.is_planned and bool(call.reason) and is_told


def quantile(values: Sequence[float], share: float) -> float | None:
    """By nearest rank; None without values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
