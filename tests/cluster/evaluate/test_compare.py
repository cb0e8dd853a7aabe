from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.errors import SettingsError
from cluster.evaluate.compare import compare, mcnemar, read_before, render_changes
from cluster.evaluate.figures import turn_tables
from cluster.evaluate.result import Result
from cluster.evaluate.talk_over_figures import talk_over_figures
from cluster.evaluate.turn_rows import TurnRow
from tests.cluster.evaluate.test_figures import ROW

SETTINGS = {"turns": "40", "seed": "1", "split": "all", "recordings": "shipped"}


def result(rows: list[TurnRow]) -> Result:
    return Result(
        SETTINGS, tuple(turn_tables(rows)), talk_over_figures([], []), tuple(rows), (), (), 60.0
    )


def turns(latency_s: float, cut: int) -> list[TurnRow]:
    return [
        replace(ROW, turn_id=f"t{n}", latency_s=latency_s + n / 1_000, is_cut=n < cut)
        for n in range(40)
    ]


@pytest.mark.parametrize(
    ("one", "other", "p"),
    # Two-sided sign test: 2 * P(X <= 2 | n = 12, 1/2) = 2 * 79 / 4096.
    [(0, 0, 1.0), (2, 10, 2 * 79 / 4096), (10, 2, 2 * 79 / 4096), (5, 5, 1.0), (0, 5, 2 / 32)],
)
def test_mcnemar(one: int, other: int, p: float) -> None:
    assert mcnemar(one, other) == pytest.approx(p)


def test_slower_and_cut_more_often_is_worse() -> None:
    before = result(turns(0.5, cut=0)).as_dict()
    change = compare(before, result(turns(0.6, cut=8)))[0]
    assert (change.newly_cut, change.no_longer_cut) == (8, 0)
    assert change.mean_ms == pytest.approx(100)
    assert change.verdict == "cuts WORSE, latency WORSE"
    assert "WORSE" in render_changes([change])


def test_the_same_run_is_no_different() -> None:
    before = result(turns(0.5, cut=3)).as_dict()
    change = compare(before, result(turns(0.5, cut=3)))[0]
    assert change.verdict == "cuts no different, latency no different"


def test_quicker_and_cut_less_is_better() -> None:
    change = compare(result(turns(0.6, cut=9)).as_dict(), result(turns(0.4, cut=1)))[0]
    assert change.verdict == "cuts better, latency better"


def test_other_turns_cannot_be_compared() -> None:
    before = result(turns(0.5, cut=0)).as_dict() | {"settings": SETTINGS | {"seed": "2"}}
    with pytest.raises(SettingsError, match="--seed 2"):
        compare(before, result(turns(0.5, cut=0)))


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"version": 0})])
def test_a_file_that_is_no_result_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match="--compare"):
        read_before(path)
