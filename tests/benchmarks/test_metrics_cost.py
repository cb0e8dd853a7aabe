"""The benchmarks of the metrics still fit the product; their figures are for people to look at."""

from __future__ import annotations

import pytest

from benchmarks import critical_path, metrics_cost
from benchmarks.turns import Turn


def test_what_measuring_costs_is_measured_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TURNS": 20, "TURNS_OF_AN_AGENT": 5, "REPORTS": 2, "REPEATS": 1}.items():
        monkeypatch.setattr(metrics_cost, name, value)
    monkeypatch.setattr(metrics_cost, "PROCESSES", (2, 3))
    monkeypatch.setattr(metrics_cost, "_imports_mb", lambda _modules: 1.0)
    found = metrics_cost.measure()
    assert found["ledger_of_ten_agents_kb"] > found["ledger_of_one_agent_kb"] > 0
    assert found["view_kb_of_3"] > 0
    table = metrics_cost.render(found)
    assert table.count("\n") == 2 + len(found) - 2, "a row for each, but two share one"


def test_turns_of_both_rounds_stand_side_by_side() -> None:
    turns = [
        Turn("caller", "heard", {"committed": 0.5, "first_frame_out": out_s})
        for out_s in (0.51, 0.52, 0.6)
    ]
    turns.append(Turn("caller", "failed", {"committed": 0.5}))
    response, ours = critical_path.response_s(turns), critical_path.commit_to_frame_s(turns)
    assert (response.n, response.p50_ms, response.max_ms) == (3, 520.0, 600.0)
    assert (ours.n, ours.p50_ms) == (3, 20.0)
    figures = {"turns": 4, "response": response.as_dict(), "commit_to_frame": ours.as_dict()}
    table = critical_path.render({"at once": figures, "two seconds": figures})
    assert "| two seconds | 4 | 520.0 / 600.0 / 600.0 | 20.0 / 100.0 / 100.0 |" in table
