"""What a chaos run has shown, with the policies of today beside it."""

from __future__ import annotations

import pytest

from benchmarks import chaos_table
from benchmarks.chaos_table import SIMULATED, TODAY, cell, main, page
from benchmarks.failover import FAULTS, Figures
from cluster.chaos.faults import BY_NAME


def test_every_fault_of_the_first_provider_has_its_like_in_the_simulator() -> None:
    wanted = {name for name, fault in BY_NAME.items() if fault.kind in ("refused", "hang", "slow")}
    assert set(SIMULATED) == wanted
    assert set(SIMULATED.values()) <= set(FAULTS)
    assert len(TODAY) == 2


def test_a_cell_tells_the_tail_and_who_waited_long() -> None:
    assert cell(Figures([0.2] * 98 + [1.5, 10.2])) == "P99 1,500 ms, 2 % over 1 s"


def test_the_page_has_both_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos_table, "policies", lambda: ["| policies |"])
    plain = {
        "calls": 20,
        "cores": 2,
        "took_s": 880,
        "markdown": "| rows |",
        "healthy": [{"punctual": True}],
        "faults": [{"punctual": True}, {"punctual": False}],
    }
    text = page(plain)
    assert "20 calls at once, 2 cores, 880 s in all; callers punctual in 2 of 3 runs." in text
    assert text.index("| rows |") < text.index("| policies |")


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
    assert "not there" in capsys.readouterr().err
