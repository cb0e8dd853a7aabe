"""The whole replay on a small corpus: deterministic, quick, and a guard against cutting people off.

The bounds are far from what is measured today; docs/turn-taking.md has the figures.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.evaluate.figures import turn_figures
from cluster.evaluate.replay_run import Asked, ReplayRun
from cluster.evaluate.result import Result
from cluster.evaluate.sweep import sweep
from cluster.evaluate.text_report import render

# Seconds of CPU: the whole machine over minutes of calls.
pytestmark = pytest.mark.e2e

ASKED = Asked(turns=36, seed=11, noise="line", network="clean", languages=("en", "zh", "es"))


@pytest.fixture(scope="module")
def run() -> ReplayRun:
    return ReplayRun(ASKED)


@pytest.fixture(scope="module")
def many() -> Result:
    """Enough turns for a share that means something."""
    return ReplayRun(replace(ASKED, turns=110)).replay()


@pytest.fixture(scope="module")
def result(run: ReplayRun) -> Result:
    return run.replay()


def test_the_same_seed_gives_the_same_figures(run: ReplayRun, result: Result) -> None:
    again = run.replay()
    assert [row.as_dict() for row in again.rows] == [row.as_dict() for row in result.rows]
    assert again.talk_over_rows == result.talk_over_rows


def test_every_turn_is_answered_in_time_and_few_are_cut(many: Result) -> None:
    """A change that cuts more people off, or makes them wait, fails here."""
    figures = many.all
    assert figures.turns > 65
    assert figures.unanswered == 0
    assert figures.premature <= 1
    # Without an end-of-turn model: silence, words and questions alone.
    assert (figures.cut.ratio or 0) <= 0.15
    assert (figures.latency.p50_ms or 9e9) <= 1_450
    assert (figures.latency.p90_ms or 9e9) <= 2_300


def test_interruptions_stop_it_and_heard_text_is_right(result: Result) -> None:
    over = result.talk_over
    assert over.missed.of > 0
    assert over.missed.count == 0
    assert (over.silence.p95_ms or 9e9) <= 700
    assert all(error <= 2 for error in over.heard_error)


def test_waiting_longer_cuts_less_and_answers_later(run: ReplayRun) -> None:
    """The instrument sees what it is made to see."""
    found = sweep(run, "commit_silence_s", (0.35, 1.4))
    hasty, patient = (point.figures for point in found.points)
    assert (hasty.cut.ratio or 0) > (patient.cut.ratio or 0) + 0.1
    assert (hasty.latency.mean_ms or 0) < (patient.latency.mean_ms or 0)
    assert "commit_silence_s" in found.render()


def test_a_slower_recogniser_makes_a_slower_agent(run: ReplayRun) -> None:
    hasty = {"commit_silence_s": 0.35}  # so that it is words that are waited for
    slow = ReplayRun(replace(ASKED, ear="slow")).replay(hasty)
    assert (slow.all.latency.p50_ms or 0) > (run.replay(hasty).all.latency.p50_ms or 0)


def test_ready_answers_are_quicker(result: Result) -> None:
    ready = ReplayRun(replace(ASKED, ready_ratio=1.0)).replay()
    engine_ms, usual_ms = (
        turn_figures("x", found.rows).commit_to_frame.mean_ms or 0 for found in (ready, result)
    )
    assert engine_ms < usual_ms


def test_the_report_pairs_latency_with_cuts(result: Result) -> None:
    text = render(result)
    measured: list[tuple[dict[int, int], str]] = [
        ({0: 2, 1: 1}, "{0: 2, 1: 1}"),
        ({}, "not measured"),
    ]
    for errors, told in measured:
        heard = replace(result, talk_over=replace(result.talk_over, heard_error=errors))
        assert f"heard text wrong by words: {told}" in render(heard)
    assert "cut %" in text
    assert "latency" in text
    assert result.as_dict()["turns"][0]["turn_id"]
    assert len(result.cases) > 3
