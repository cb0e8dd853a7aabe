"""What was promised of failing providers, held against what callers noticed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from cluster.chaos.figures import LATE_S, Figures
from cluster.chaos.plan import ChaosPlan
from cluster.chaos.result import PhaseResult

REACHED: Final = "reached"
MISSED: Final = "MISSED"
FOR_SCALE: Final = "for scale"
NOT_VALID: Final = "NOT VALID"

ADDED_P95_S: Final = 0.2
SECOND_S: Final = 0.3
THIRD_S: Final = 0.4
HANG_ABOVE_S: Final = 0.5
SLOW_ABOVE_S: Final = 0.85
EXTRA_PERCENT: Final = 8.0
ONE_LATE_IN: Final = 200
GAP_S: Final = 0.5
REPEATED: Final = 3
KNOWN_S: Final = 0.15
SOUND_S: Final = 1.0
DEAD_AIR_S: Final = 2.0
# What each kind of work gives first. A recogniser that listens has been sent what the other knew.
_RECOVERED: Final = {"recognise": "listening", "think": "first words", "speak": "audio"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure beside its target.

    Attributes:
        verdict: One of the words above.
    """

    figure: str
    measured: str
    target: str
    verdict: str


def verdicts(
    result: PhaseResult, found: Figures, plan: ChaosPlan, doubt: str = ""
) -> list[Verdict]:
    """All that was promised of this fault.

    Args:
        result: The run.
        found: Its figures.
        plan: What was wanted.
        doubt: What speaks against all of it, beyond ``result.why_not_valid``.
    """
    kind = result.fault.kind if result.fault else ""
    lines: list[Verdict] = []
    if kind in ("refused", "next"):
        lines += _refused(result, found)
    elif kind == "hang":
        lines += [
            _seconds("P99 above healthy, once known", found.known_above_p99_s, HANG_ABOVE_S),
            _late(found, found.turns // ONE_LATE_IN),
        ]
    elif kind == "slow":
        lines += [
            _seconds("P99 above healthy", found.above_p99_s, SLOW_ABOVE_S),
            _percent("extra provider calls", result.extra_percent, EXTRA_PERCENT),
        ]
    elif kind == "killed":
        lines += _killed(result, found, plan)
    elif kind == "down":
        lines += _down(found)
    if kind != "down":
        lines.append(_known(found, plan))
    lines.append(_seconds("longest dead air", found.dead_air_s, DEAD_AIR_S))
    why = result.why_not_valid or doubt
    if not why:
        return lines
    lines = [Verdict(line.figure, line.measured, line.target, NOT_VALID) for line in lines]
    return [*lines, Verdict("why not valid", why, "", NOT_VALID)]


def _refused(result: PhaseResult, found: Figures) -> list[Verdict]:
    is_third = result.fault is not None and result.fault.kind == "next"
    lines = [
        _seconds("added wait, P95", found.added_p95_s, THIRD_S if is_third else ADDED_P95_S),
        _late(found, 0),
    ]
    which, most_s = ("third", THIRD_S) if is_third else ("second", SECOND_S)
    # A vendor's own client may mend its connection before anybody else is asked to listen.
    if result.role in _RECOVERED and (result.role, result.failover_p95_s) != ("recognise", None):
        figure = f"failure to the {which}'s {_RECOVERED[result.role]}, P95"
        lines.append(_seconds(figure, result.failover_p95_s, most_s))
    return lines


def _killed(result: PhaseResult, found: Figures, plan: ChaosPlan) -> list[Verdict]:
    is_ear = result.role == "recognise"
    lost, extra = (
        (found.words_lost, found.words_extra) if is_ear else (found.reply_lost, found.reply_extra)
    )
    gap_s = found.added_p99_s if is_ear else found.hole_s
    return [
        _count("killed", result.kills, plan.kills, is_most=False),
        *([] if is_ear else [_made_up_for(result)]),
        _count("words lost", lost, 0),
        Verdict(
            "words repeated",
            f"{extra}, {found.most_extra} of one turn",
            f"at most {REPEATED} each",
            REACHED if found.most_extra <= REPEATED else MISSED,
        ),
        _seconds("gap" if not is_ear else "gap (added wait, P99)", gap_s, GAP_S),
    ]


def _made_up_for(result: PhaseResult) -> Verdict:
    """How often calls asked somebody else: a recogniser may mend its own connection."""
    return Verdict("asked instead", f"{result.made_up_for} times", "", FOR_SCALE)


def _down(found: Figures) -> list[Verdict]:
    polite = "-" if found.polite is None else f"{100 * found.polite:.0f} %"
    return [
        _seconds("until any sound", found.first_sound_s, SOUND_S),
        Verdict(
            "ended politely, reason recorded",
            f"{polite} of {found.ended_by_agent} ended by the agent",
            "all",
            REACHED if found.polite == 1.0 else MISSED,
        ),
    ]


def _known(found: Figures, plan: ChaosPlan) -> Verdict:
    figure = "seen to known everywhere"
    alone = f"{found.left_alone} times left by one process alone"
    if found.known_s is None or found.known_by is None:
        measured = alone if found.left_alone else "nobody was left"
        return Verdict(figure, measured, f"under {KNOWN_S * 1_000:.0f} ms", FOR_SCALE)
    is_all = found.known_by >= plan.processes
    return Verdict(
        figure,
        f"{found.known_s * 1_000:.0f} ms, {found.known_by} of {plan.processes} processes",
        f"under {KNOWN_S * 1_000:.0f} ms",
        REACHED if is_all and found.known_s < KNOWN_S else MISSED,
    )


def _late(found: Figures, most: int) -> Verdict:
    return Verdict(
        f"replies over {LATE_S:.0f} s late",
        f"{found.late} of {found.turns}",
        "none" if most == 0 else f"at most {most}",
        REACHED if found.late <= most else MISSED,
    )


def _seconds(figure: str, value: float | None, most_s: float) -> Verdict:
    target = f"at most {most_s * 1_000:.0f} ms"
    if value is None:
        return Verdict(figure, "-", target, MISSED)
    measured = "never" if math.isinf(value) else f"{value * 1_000:.0f} ms"
    return Verdict(figure, measured, target, REACHED if value <= most_s else MISSED)


def _percent(figure: str, value: float | None, most: float) -> Verdict:
    target = f"at most {most:.0f} %"
    if value is None:
        return Verdict(figure, "-", target, MISSED)
    return Verdict(figure, f"{value:.1f} %", target, REACHED if value <= most else MISSED)


def _count(figure: str, value: int, limit: int, *, is_most: bool = True) -> Verdict:
    is_reached = value <= limit if is_most else value >= limit
    target = "none" if is_most and limit == 0 else f"{'at most' if is_most else 'at least'} {limit}"
    return Verdict(figure, str(value), target, REACHED if is_reached else MISSED)
