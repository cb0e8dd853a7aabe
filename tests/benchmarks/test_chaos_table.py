"""What a chaos run has shown, with the policies of today beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import chaos_table
from benchmarks.chaos_table import BEGIN, END, SIMULATED, TODAY, cell, chosen, main
from benchmarks.failover import FAULTS, Figures
from cluster.chaos.faults import BY_NAME
from cluster.chaos.runs_file import write_runs


def test_every_fault_of_the_first_provider_has_its_like_in_the_simulator() -> None:
    wanted = {name for name, fault in BY_NAME.items() if fault.kind in ("refused", "hang", "slow")}
    assert set(SIMULATED) == wanted
    assert set(SIMULATED.values()) <= set(FAULTS)
    assert len(TODAY) == 2


def test_a_cell_tells_the_tail_and_who_waited_long() -> None:
    assert cell(Figures([0.2] * 98 + [1.5, 10.2])) == "P99 1,500 ms, 2 % over 1 s"


def row(fault: str, role: str, *, is_valid: bool = True, turns: int = 9) -> dict[str, Any]:
    line = {"figure": "killed", "measured": "3", "target": "none", "verdict": "reached"}
    return {
        "fault": fault,
        "role": role,
        "title": BY_NAME[fault].title,
        "is_valid": is_valid,
        "load_average": 1.5,
        "figures": {"turns": turns},
        "verdicts": [line],
    }


def one_run(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"calls": 20, "cores": 2, "began_at": 0, "took_s": 60, "healthy": [], "faults": [*rows]}


def test_of_each_fault_the_newest_valid_run_is_shown_else_the_newest() -> None:
    runs = [
        one_run(row("hang", "think", turns=1), row("busy", "speak", is_valid=False, turns=2)),
        one_run(row("hang", "think", turns=3), row("busy", "speak", is_valid=False, turns=4)),
        one_run(row("hang", "think", is_valid=False, turns=5), row("errors", "think", turns=6)),
    ]
    found = [(each["fault"], each["figures"]["turns"]) for each in chosen(runs)]
    assert found == [("errors", 6), ("busy", 4), ("hang", 3)]


def test_the_page_has_both_tables_and_stands_between_the_marks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(chaos_table, "policies", lambda: ["| policies |"])
    results, target = tmp_path / "chaos.json", tmp_path / "page.md"
    write_runs(results, [one_run(row("hang", "think")), one_run(row("busy", "speak"))])
    target.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert main([str(results), "--into", str(target)]) == 0
    assert main([str(results), "--into", str(target)]) == 0, "again, and it is replaced"
    text = target.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "20 calls at once, 2 cores, 2 runs (1970-01-01), load 1.5 to 1.5; 2 of 2" in text
    assert text.index("| think | accepts and hangs | 9 |") < text.index("| policies |")
    assert text.count("| policies |") == 1


def test_a_page_without_marks_and_a_file_of_something_else_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(chaos_table, "policies", lambda: ["| policies |"])
    results, target = tmp_path / "chaos.json", tmp_path / "page.md"
    write_runs(results, [one_run(row("hang", "think"))])
    target.write_text("nothing")
    assert main([str(results), "--into", str(target)]) == 2
    assert target.read_text() == "nothing"
    assert main([str(target)]) == 2
    assert "holds no results of chaos runs" in capsys.readouterr().err


@pytest.mark.e2e
def test_the_policies_of_today_are_as_bad_as_they_are() -> None:
    hang = {name: chaos_table.simulated(policy, "hang") for name, policy in TODAY.items()}
    ours = chaos_table.simulated(chaos_table.OURS["think"], "hang")
    assert all(found.quantile_s(0.99) > 10.0 for found in hang.values())
    assert ours.quantile_s(0.99) < 1.0


def test_a_file_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chaos_table, "policies", lambda: ["| policies |"])
    assert main(["/nowhere/chaos.json"]) == 1
    assert "no results" in capsys.readouterr().err
