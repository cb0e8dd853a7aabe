"""What was promised, held against what callers noticed: every line can be missed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from cluster.chaos.figures import Figures, Healthy, figures, quantile
from cluster.chaos.health_log import Known
from cluster.chaos.plan import ChaosPlan
from cluster.chaos.report import Judged, exit_code, markdown_of, table, why_not_usual
from cluster.chaos.result import PhaseResult
from cluster.chaos.verdicts import FOR_SCALE, MISSED, NOT_VALID, REACHED, verdicts
from tests.cluster.chaos.samples import ended, result, turn

PLAN = ChaosPlan(kills=2)
USUAL = Healthy([turn(reply_s=0.5 + 0.01 * number) for number in range(21)])
WELL = PhaseResult(lateness_p99_ms=1.0)
KNOWN = [Known("openai/llm.ttft", 95.0, 95.05, PLAN.processes)]


def judged(run: PhaseResult) -> dict[str, str]:
    found = figures(run, USUAL)
    return {line.figure: line.verdict for line in verdicts(run, found, PLAN)}


def test_a_turn_is_held_against_the_same_utterance() -> None:
    slow = [turn(clip="pv_en", reply_s=1.5) for _ in range(3)]
    healthy = Healthy([turn() for _ in range(5)] + slow)
    assert healthy.late_s(turn(clip="pv_en", reply_s=1.6)) == pytest.approx(0.1)
    assert healthy.late_s(turn(reply_s=1.6)) == pytest.approx(1.0)
    assert math.isinf(healthy.late_s(turn(reply_s=math.inf)))
    assert healthy.late_s(turn(clip="weather", reply_s=0.6)) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("fault", "good", "changes", "figure"),
    [
        ("errors", 0.7, {"reply_s": 0.9}, "added wait, P95"),
        ("errors", 0.7, {"reply_s": math.inf}, "replies over 1 s late"),
        ("hang", 0.7, {"reply_s": 1.4}, "P99 above healthy, once known"),
        ("hang", 0.7, {"reply_s": 1.8}, "replies over 1 s late"),
        ("tenth", 0.7, {"reply_s": 1.6}, "P99 above healthy"),
        ("kill", 0.7, {"reply_lost": 1}, "words lost"),
        ("kill", 0.7, {"reply_extra": 4}, "words repeated"),
        ("kill", 0.7, {"hole_s": 0.6}, "gap"),
        ("down", 0.7, {"sound_s": 1.2}, "until any sound"),
        ("silent", 0.7, {"dead_air_s": 2.1}, "longest dead air"),
    ],
)
def test_each_figure_is_reached_or_missed(
    fault: str, good: float, changes: dict[str, Any], figure: str
) -> None:
    turns = [turn(reply_s=good) for _ in range(10)]
    more: dict[str, Any] = {"known": KNOWN, "kills": 2, "extra_percent": 5.0, "calls": [ended()]}
    assert judged(result(fault, *turns, **more))[figure] == REACHED
    assert judged(result(fault, *turns, turn(**changes), **more))[figure] == MISSED


def test_what_was_before_and_after_does_not_count() -> None:
    outside = [turn(ended_at=80.0, reply_s=9.0), turn(ended_at=201.0, reply_s=9.0)]
    found = figures(result("errors", turn(), *outside), USUAL)
    assert (found.turns, found.late) == (1, 0)


def test_a_call_that_was_over_first_is_no_turn() -> None:
    cut = turn(outcome="call_ended", reply_s=math.inf, sound_s=math.inf)
    assert figures(result("down", turn(), cut), USUAL).turns == 1


def test_of_a_hang_what_was_asked_once_all_knew_counts() -> None:
    before = [turn(spoke_at=94.0, ended_at=94.5, reply_s=1.4) for _ in range(3)]
    run = result("hang", *before, *(turn() for _ in range(9)), known=KNOWN)
    assert judged(run)["P99 above healthy, once known"] == REACHED
    found = figures(run, USUAL)
    assert found.above_p99_s is not None
    assert found.above_p99_s > 0.5


def test_one_in_two_hundred_may_be_late() -> None:
    late = turn(reply_s=2.0)
    few = result("hang", *(turn() for _ in range(99)), late, known=KNOWN)
    many = result("hang", *(turn() for _ in range(199)), late, known=KNOWN)
    assert judged(few)["replies over 1 s late"] == MISSED
    assert judged(many)["replies over 1 s late"] == REACHED


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        ([], FOR_SCALE),
        (KNOWN, REACHED),
        ([replace(KNOWN[0], known_at=95.2)], MISSED),
        ([replace(KNOWN[0], processes=PLAN.processes - 1)], MISSED),
    ],
)
def test_known_everywhere_is_by_every_process(known: list[Known], verdict: str) -> None:
    run = result("errors", turn(), known=known)
    assert judged(run)["seen to known everywhere"] == verdict


@pytest.mark.parametrize(("fault", "verdict"), [("tenth", FOR_SCALE), ("hang", MISSED)])
def test_one_process_may_be_unlucky_where_a_part_of_the_requests_is_struck(
    fault: str, verdict: str
) -> None:
    alone = replace(KNOWN[0], processes=1, is_shared=False)
    run = result(fault, turn(), known=[alone], extra_percent=5.0)
    assert judged(run)["seen to known everywhere"] == verdict


def test_too_many_requests_are_missed_and_none_are_no_measurement() -> None:
    assert judged(result("half", turn(), extra_percent=8.1))["extra provider calls"] == MISSED
    assert judged(result("half", turn()))["extra provider calls"] == MISSED


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [ended(is_planned=False)],
        [ended(reason="")],
        [ended(last_words="Let me see.")],
        [ended(), ended(ended_by="error")],
    ],
)
def test_a_call_that_nobody_ended_politely_is_missed(calls: list[Any]) -> None:
    run = result("down", turn(), calls=calls)
    assert judged(run)["ended politely, reason recorded"] == MISSED


def test_calls_that_their_callers_ended_say_nothing_of_politeness() -> None:
    run = result("down", turn(), calls=[ended(), ended(ended_by="caller", reason="hung_up")])
    assert judged(run)["ended politely, reason recorded"] == REACHED


@pytest.mark.parametrize(
    ("fault", "wait_s", "figure", "verdict"),
    [
        ("errors", 0.29, "failure to the second's audio, P95", REACHED),
        ("busy", 0.31, "failure to the second's audio, P95", MISSED),
        ("two", 0.39, "failure to the third's audio, P95", REACHED),
        ("two", 0.41, "failure to the third's audio, P95", MISSED),
        ("two", None, "failure to the third's audio, P95", MISSED),
    ],
)
def test_how_soon_somebody_else_is_heard(
    fault: str, wait_s: float | None, figure: str, verdict: str
) -> None:
    run = result(fault, turn(), role="speak", failover_p95_s=wait_s)
    assert judged(run)[figure] == verdict


@pytest.mark.parametrize(
    ("role", "fault", "wait_s", "figure", "verdict"),
    [
        ("recognise", "errors", 0.29, "failure to the second's listening, P95", REACHED),
        ("recognise", "errors", 0.31, "failure to the second's listening, P95", MISSED),
        ("recognise", "errors", None, "failure to the second's listening, P95", None),
        ("think", "errors", 0.31, "failure to the second's first words, P95", MISSED),
        ("think", "errors", None, "failure to the second's first words, P95", MISSED),
        ("think", "two", 0.39, "failure to the third's first words, P95", REACHED),
    ],
)
def test_each_kind_of_work_has_its_own_first_output(
    role: str, fault: str, wait_s: float | None, figure: str, verdict: str | None
) -> None:
    run = result(fault, turn(), role=role, failover_p95_s=wait_s)
    assert judged(run).get(figure) == verdict


def test_too_few_kills_are_missed() -> None:
    assert judged(result("kill", turn(), kills=1))["killed"] == MISSED


def test_late_callers_measure_themselves() -> None:
    run = result("errors", turn(), lateness_p99_ms=5.0)
    assert set(judged(run).values()) == {NOT_VALID}
    found = figures(run, USUAL)
    one = Judged(run, found, tuple(verdicts(run, found, PLAN)))
    assert exit_code([one], [WELL]) == 3
    assert not one.is_valid
    why = one.verdicts[-1]
    assert why.figure == "why not valid"
    assert "5.0 ms late at P99 (limit 5 ms)" in why.measured


def test_a_fault_in_which_nobody_finished_shows_nothing() -> None:
    assert set(judged(result("errors")).values()) == {NOT_VALID}


def test_where_it_is_not_known_what_is_usual_nothing_is_valid() -> None:
    run = result("errors", turn(), known=KNOWN)
    found = figures(run, USUAL)
    doubt = why_not_usual([PhaseResult(lateness_p99_ms=7.0)])
    lines = verdicts(run, found, PLAN, doubt)
    assert {line.verdict for line in lines} == {NOT_VALID}
    assert "while all was well" in lines[-1].measured
    assert not why_not_usual([PhaseResult(lateness_p99_ms=7.0), WELL]), "one act is enough"


def test_the_exit_code_is_that_of_the_worst() -> None:
    def of(run: PhaseResult) -> Judged:
        found = figures(run, USUAL)
        return Judged(run, found, tuple(verdicts(run, found, PLAN)))

    good = of(result("errors", turn(), known=KNOWN))
    bad = of(result("errors", turn(reply_s=3.0), known=KNOWN))
    assert exit_code([good], [WELL]) == 0
    assert exit_code([good, bad], [WELL]) == 1
    assert exit_code([good], [PhaseResult(lateness_p99_ms=7.0)]) == 3
    assert table([good, bad]).row_count == 10
    assert markdown_of([good.as_dict()]).count("\n") == 6
    assert good.as_dict()["figures"]["turns"] == 1


def test_quantiles_are_by_nearest_rank() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert quantile([], 0.5) is None


def test_figures_are_plain() -> None:
    found = figures(result("down", turn(sound_s=math.inf)), USUAL)
    assert isinstance(found, Figures)
    assert found.as_dict()["first_sound_s"] is None
