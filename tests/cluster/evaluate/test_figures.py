from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.evaluate.figures import Share, headline, share, spread, turn_figures, turn_tables
from cluster.evaluate.turn_rows import TurnRow, turn_rows
from tests.cluster.evaluate.call_by_hand import CallByHand, turn

(ROW,) = turn_rows(CallByHand().says(1.0, turn("a")).takes(2.5, (1, 1)).speaks(2.6, (1, 1), 1).log)


def rows(*latencies_s: float | None, **changed: object) -> list[TurnRow]:
    return [replace(ROW, latency_s=latency, **changed) for latency in latencies_s]  # type: ignore[arg-type]


def test_an_interval_of_wilson() -> None:
    # 10 of 100: the textbook's 5.52 % to 17.44 %.
    found = share(10, 100)
    assert found.ratio == pytest.approx(0.1)
    assert (found.low, found.high) == (
        pytest.approx(0.0552, abs=1e-4),
        pytest.approx(0.1744, abs=1e-4),
    )


def test_no_cut_in_few_turns_proves_little() -> None:
    assert share(0, 20).high == pytest.approx(0.161, abs=1e-3)
    assert share(0, 0) == Share(0, 0, None, 0.0, 1.0)


def test_quantiles_are_nearest_ranks() -> None:
    found = spread([n / 100 for n in range(1, 101)])
    assert (found.mean_ms, found.p50_ms, found.p90_ms) == (505.0, 500.0, 900.0)
    assert (found.p95_ms, found.p99_ms) == (950.0, 990.0)
    low, high = found.mean_interval_ms or (0, 0)
    assert 440 < low < 505 < high < 570


def test_turns_answered_too_early_are_cut_and_have_no_latency() -> None:
    found = turn_figures(
        "x", rows(0.4, 0.6) + rows(None, is_cut=True, is_cut_heard=True, is_premature=True)
    )
    assert (found.turns, found.cut.count, found.premature) == (3, 1, 1)
    assert (found.latency.count, found.latency.mean_ms) == (2, 500.0)


def test_waste_is_of_questions_and_hits_are_of_turns() -> None:
    found = turn_figures(
        "x", rows(0.4, is_hit=True, asked=3, wasted=2) + rows(0.4, is_hit=False, asked=1, wasted=0)
    )
    assert (found.wasted.count, found.wasted.of) == (2, 4)
    assert (found.hits.count, found.hits.of) == (1, 2)


def test_answers_of_the_cache_are_counted_apart() -> None:
    cached = rows(0.4, is_cached=True, commit_to_frame_s=0.008)
    found = turn_figures("x", cached + rows(0.4, is_cached=False, commit_to_frame_s=0.3))
    assert (found.cached_to_frame.count, found.cached_to_frame.p99_ms) == (1, 8.0)


def test_held_replies_are_counted_apart() -> None:
    held = rows(0.4, is_held=True, commit_to_frame_s=0.004, commit_to_sent_s=0.006)
    found = turn_figures("x", held + rows(0.4, is_held=False, commit_to_frame_s=0.3))
    assert (found.commit_to_frame.count, found.commit_to_frame.p95_ms) == (2, 300.0)
    assert (found.held_to_frame.count, found.held_to_frame.p95_ms) == (1, 4.0)
    assert (found.held_to_sent.count, found.held_to_sent.p50_ms) == (1, 6.0)


def test_synthetic_speech_and_interruptions_are_kept_out_of_the_headline() -> None:
    mixed = (
        rows(0.4)
        + rows(0.1, is_synthetic=True, language="zh-HK")
        + rows(0.2, kind="interruption")
        + rows(0.3, kind="digits")
    )
    assert [row.latency_s for row in headline(mixed)] == [0.4, 0.3]
    tables = {table.name: table for table in turn_tables(mixed)}
    assert tables["all"].turns == 2
    assert tables["slots"].turns == 1
    assert tables["interruptions"].turns == 1
    assert tables["synthetic zh-HK"].turns == 1
    assert "zh-HK" not in tables
