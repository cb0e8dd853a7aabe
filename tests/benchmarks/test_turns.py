from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from benchmarks.turns import Turn, figures, read_turns

COLD = {
    "committed": 0.55,
    "think_requested": 0.552,
    "first_token": 0.560,
    "first_segment": 0.561,
    "speak_requested": 0.564,
    "speak_first_byte": 0.570,
    "first_frame_out": 0.571,
}


def test_overhead_counts_from_the_decision() -> None:
    found = figures([Turn("caller", "heard", COLD)])
    assert found.commit_to_frame.n == 1
    assert found.commit_to_frame.p50_ms == 21.0
    assert found.steps_ms["first_segment -> speak_requested"] == 3.0


def test_a_greeting_is_no_answer() -> None:
    assert figures([Turn("greeting", "heard", COLD)]).commit_to_frame.n == 0


def test_a_dropped_turn_counts_as_an_outcome_but_has_no_length() -> None:
    found = figures([Turn("caller", "dropped", {"committed": 0.5})])
    assert found.outcomes == {"dropped": 1}
    assert found.commit_to_frame.n == 0
    assert found.steps_ms == {}


def test_reads_what_was_settled_since(tmp_path: Path) -> None:
    store = tmp_path / "calls.sqlite3"
    with sqlite3.connect(store) as database:
        database.execute("CREATE TABLE turns (kind TEXT, outcome TEXT, timeline TEXT, at_us INT)")
        database.executemany(
            "INSERT INTO turns VALUES ('caller', 'heard', ?, ?)",
            [(json.dumps({"committed": 0.1}), 5), (json.dumps({"committed": 0.2}), 10)],
        )
    database.close()
    assert read_turns(store, 6) == [Turn("caller", "heard", {"committed": 0.2})]
