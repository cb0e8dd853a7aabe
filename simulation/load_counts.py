"""What is counted in a run of simulated calls, and the shares that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from simulation.caller_call import CallResult
from simulation.carrier_parts import LegReport, RefusalKind

REFUSAL_KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)


def count_up(results: Sequence[CallResult]) -> dict[str, int]:
    """Calls, turns, frames and so on, by name.

    Of the calls: ``offered`` is ``admitted`` + ``refused`` + ``failed``, ``admitted`` is
    ``completed`` + ``ended_early``, ``refused`` is the sum of its kinds.
    """
    legs = [result.leg for result in results]
    admitted = [result for result in results if result.leg.admitted]
    turns = [turn for result in results for turn in result.turns]
    became = Counter(result.outcome for result in results)
    refusals = Counter(leg.refusal for leg in legs)
    outcome = Counter(turn.outcome for turn in turns)
    return {
        "calls_offered": len(results),
        "calls_admitted": len(admitted),
        "calls_refused": became["refused"],
        **{f"calls_refused_{kind}": refusals[kind] for kind in REFUSAL_KINDS},
        "calls_failed": became["failed"],
        "calls_completed": became["completed"],
        "calls_ended_early": became["ended_early"],
        "calls_short_of_turns": sum(result.turns_missing > 0 for result in admitted),
        "calls_not_greeted": sum(result.greeting_s is None for result in admitted),
        "calls_at_once": most_at_once(legs),
        "streams": sum(leg.streams for leg in legs),
        "resumes": sum(len(leg.stream_gaps_s) for leg in legs),
        "turns": len(turns),
        "turns_missing": sum(result.turns_missing for result in admitted),
        "turns_answered": outcome["answered"],
        "turns_premature": outcome["premature"],
        "turns_unanswered": outcome["unanswered"],
        "turns_open_at_end": outcome["call_ended"],
        "cut_ins": sum(turn.cut_in for turn in turns),
        "words_cut": sum(turn.words_cut for turn in turns),
        "interruptions": sum(turn.barge_in_stop_s is not None for turn in turns),
        "underruns": sum(len(leg.underruns_s) for leg in legs),
        "frames_sent": sum(leg.frames_sent for leg in legs),
        "media_received": sum(leg.media_received for leg in legs),
        "heard_ms": round(sum(leg.heard_s for leg in legs) * 1_000),
        "cleared_ms": round(sum(leg.cleared_s for leg in legs) * 1_000),
        "callbacks_refused": sum(leg.callbacks_refused for leg in legs),
        "violations": sum(leg.violations.counts.total() for leg in legs),
        "errors": sum(leg.errors.counts.total() for leg in legs),
    }


def shares(counts: dict[str, int]) -> dict[str, float]:
    """Percentages of what was counted, by name; 0 where there is nothing to share."""

    def share(part: str, whole: str) -> float:
        return round(100 * counts[part] / counts[whole], 2) if counts[whole] else 0.0

    # A turn still open when the call ended says nothing about the server.
    judged = counts["turns"] - counts["turns_open_at_end"]
    counts = {**counts, "judged": judged}
    return {
        "calls_admitted": share("calls_admitted", "calls_offered"),
        "calls_completed": share("calls_completed", "calls_offered"),
        "turns_answered": share("turns_answered", "judged"),
        "turns_unanswered": share("turns_unanswered", "judged"),
        "turns_premature": share("turns_premature", "judged"),
        "cut_ins": share("cut_ins", "turns"),
    }


def most_at_once(legs: Sequence[LegReport]) -> int:
    """The most calls that were up at the same moment, from first stream to last."""
    changes: list[tuple[float, int]] = []
    for leg in legs:
        if leg.first_stream_s is not None and leg.last_stream_end_s is not None:
            changes += [(leg.first_stream_s, 1), (leg.last_stream_end_s, -1)]
    most = now_up = 0
    # Of one moment the ends come first: a line that is used again was never up twice.
    for _, change in sorted(changes):
        now_up += change
        most = max(most, now_up)
    return most
