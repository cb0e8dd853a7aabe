"""What is told of a loop that was watched."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.loop_stops.__main__ import options, several
from benchmarks.loop_stops.report import Row, Seen, read, render, summary, why
from benchmarks.loop_stops.watch import name_of

STOP = {
    "late_ms": 12.0,
    "ran_ms": 2.0,
    "waited_ms": 9.0,
    "steps": [["task a", -1.0, 9.5, 2.0, 7.0]],
}


def line(at: float, **other: Any) -> str:
    plain = {
        "at": at,
        "ran_s": at / 10,
        "waited_s": at / 100,
        "late_ms": [0.5, 1.0],
        "stops": [],
        "gc": [],
        "totals": {"task a": [10, 0.02, 0.01, 0.004]},
    }
    return json.dumps({**plain, **other}) + "\n"


@pytest.mark.parametrize(
    ("waited_ms", "ran_ms", "said"),
    [(9.0, 2.0, "core"), (1.0, 25.0, "work"), (1.0, 2.0, "lock"), (40.0, 30.0, "core")],
)
def test_a_stop_is_told_by_where_its_time_went(waited_ms: float, ran_ms: float, said: str) -> None:
    assert why({**STOP, "waited_ms": waited_ms, "ran_ms": ran_ms}) == said


def test_only_what_was_seen_in_the_window_counts_and_of_the_busiest_process(
    tmp_path: Path,
) -> None:
    (tmp_path / "loop.1").write_text(
        line(9, late_ms=[99.0])
        + line(10, late_ms=[88.0], stops=[STOP])
        + line(11)
        + line(12, stops=[STOP, {"long": []}], late_ms=[12.0], gc=[[0, 1.5, 1.0]])
        + line(13, late_ms=[77.0])
    )
    (tmp_path / "loop.2").write_text(line(10, ran_s=0.0) + line(12, ran_s=0.01))
    seen = read(tmp_path.glob("loop.*"), 10, 12)
    assert (seen.seconds, seen.late_ms, seen.worst_ms) == (2, [0.5, 1.0, 12.0], [1.0, 12.0])
    assert seen.ran_s == pytest.approx(0.2)
    assert seen.steps["task a"].count == 20
    text = render(seen)
    assert "used 100 ms of CPU a second and waited 10 ms" in text
    assert "1 ticks were over 5 ms late: 1 for want of a core" in text
    assert "generation 0: 1, 1.5 ms the longest" in text
    assert "| task a | 10.0 | 20.00 | 10.00 | 4.00 |" in text


def test_a_product_that_did_not_start_is_told(tmp_path: Path) -> None:
    assert "Nothing was seen" in render(read(tmp_path.glob("loop.*"), 0, 1))


def seen(*late_ms: float) -> Seen:
    return Seen(seconds=2.0, ran_s=0.5, late_ms=list(late_ms))


def test_the_most_calls_of_which_the_loop_is_on_time() -> None:
    on_time, late = [0.1] * 99 + [4.9], [0.1] * 90 + [6.0] * 10
    text = summary(
        [
            Row(10, seen(*on_time), callers_late_ms=1.2),
            Row(20, seen(*on_time), callers_late_ms=2.0),
            Row(30, seen(*late), callers_late_ms=3.0),
        ]
    )
    assert "| 10 | 100 | 0.1 | 4.9 | 4.9 | 25% | 1.2 | yes |" in text
    assert "| 30 | 100 | 0.1 | 6.0 | 6.0 | 25% | 3.0 | yes |" in text
    assert text.endswith("under 5 ms late at P99: 20 calls")


def test_calls_whose_callers_were_late_do_not_count() -> None:
    text = summary([Row(10, seen(0.1), "the caller's own frames were late", 9.0)])
    assert "the caller's own frames were late" in text
    assert text.endswith("under 5 ms late at P99: no number of calls that counts")


def test_a_loop_that_nobody_saw_is_not_on_time() -> None:
    text = summary([Row(10, Seen())])
    assert "nothing was seen" in text
    assert "no number of calls" in text


def test_numbers_of_calls_are_carried_fewest_first() -> None:
    assert several("30,10,20,10") == (10, 20, 30)
    assert options().parse_args([]).calls == (20,)
    assert options().parse_args(["--calls", "5,2"]).calls == (2, 5)
    for wrong in ("0", "x", "10,"):
        with pytest.raises(SystemExit):
            options().parse_args(["--calls", wrong])


async def inner() -> None:
    await asyncio.sleep(0)


async def outer() -> None:
    await inner()


def test_a_step_has_the_name_of_its_coroutine_and_of_where_it_waits() -> None:
    async def scene() -> str:
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        said = name_of(SimpleNamespace(__self__=task))
        await task
        return said

    assert asyncio.run(scene()).startswith("task outer>")
    assert name_of(outer) == f"{__name__}.outer"
