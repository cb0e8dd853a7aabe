from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.evaluate.causes import cause_of, causes, render_causes
from cluster.evaluate.turn_rows import turn_rows
from tests.cluster.evaluate.call_by_hand import CallByHand, turn

(ROW,) = turn_rows(CallByHand().says(1.0, turn("a")).takes(2.5, (1, 1)).speaks(2.6, (1, 1), 1).log)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("interim+silence 160 ms (120 needed: 4 of 4 digits)", "digits, as many as asked for"),
        ("interim+silence 3000 ms (3000 needed: 3 of 4 digits)", "digits, number unknown"),
        ("final+silence 800 ms (800 needed: 7 digits)", "digits, number unknown"),
        ("interim+silence 200 ms (200 needed: yes or no, as asked)", "yes or no, as asked"),
        (
            "final+silence 700 ms (690 needed: no known end, model 0.98 x0.30)",
            "no known end, model sure",
        ),
        (
            "final+silence 2500 ms (2500 needed: ends in a conjunction x5.00, model 0.20 x2.00)",
            "an open end, model against",
        ),
        (
            "final+silence 400 ms (390 needed: ends in a closing phrase x0.45)",
            "a closing end, no model",
        ),
        ("words unchanged for 3.0 s", "words unchanged"),
        ("sound without words for 1.8 s (no known end)", "sound without words"),
    ],
)
def test_a_line_of_the_record_has_a_kind(reason: str, kind: str) -> None:
    assert cause_of(reason) == kind


def test_turns_are_counted_by_what_told_their_ends() -> None:
    rows = [
        replace(ROW, reason="words unchanged for 3.0 s", taken_s=3.0),
        *(
            replace(ROW, reason="final+silence 1 ms (1 needed: 7 digits)", taken_s=t)
            for t in (1, 2)
        ),
        replace(ROW, reason="words unchanged for 3.0 s", latency_s=None),
    ]
    digits, stuck = causes(rows)
    assert (digits.turns, digits.taken.p95_ms, stuck.turns) == (2, 2000.0, 1)
    assert "digits, number unknown" in render_causes([digits, stuck])[1]
