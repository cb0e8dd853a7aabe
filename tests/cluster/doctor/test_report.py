"""The report: for people, for programs, and as an exit code."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from cluster.doctor.examination import Examined
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.report import as_plain, exit_code, print_table

PARTS = [
    Examined("Keys", (ok("OPENAI_API_KEY", "set, 51 characters"), warn("b", "odd", "worse", "do"))),
    Examined("Ports", (fail("port 8000", "taken by nginx", "no start", "end it"),)),
    Examined("Nodes", (skipped("nodes", "no Ray"),)),
]


@pytest.mark.parametrize(
    ("finding", "code"),
    [(ok("a", ""), 0), (warn("a", ""), 0), (skipped("a", ""), 0), (fail("a", ""), 1)],
)
def test_only_a_failure_is_an_exit_code(finding: Finding, code: int) -> None:
    assert exit_code([Examined("part", (finding,))]) == code
    assert exit_code([]) == 0


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_says_what_was_found_what_would_happen_and_what_to_do(width: int) -> None:
    out = StringIO()
    print_table(Console(file=out, width=width, force_terminal=True, color_system=None), PARTS)
    text = " ".join(out.getvalue().split())
    for said in ("taken by nginx", "no start", "end it", "1 fail, 1 warn, 1 ok, 1 skipped"):
        assert said in text


def test_in_a_file_a_finding_can_be_searched_for() -> None:
    out = StringIO()
    long = warn("setting", "http://127.0.0.1:8000/healthz answers, but CALLCLUSTER_TURN_MODEL=none")
    print_table(Console(file=out, width=80), [Examined("Ports", (long,))])
    assert long.found in out.getvalue()


def test_a_part_that_found_nothing_has_no_heading() -> None:
    out = StringIO()
    print_table(Console(file=out, width=80), [*PARTS, Examined("Google's credentials", ())])
    assert "Ports" in out.getvalue()
    assert "Google" not in out.getvalue()


def test_programs_read_the_same() -> None:
    plain = json.loads(json.dumps(as_plain(PARTS)))
    assert plain["version"] == 1
    assert plain["ok"] is False
    assert plain["counts"] == {"fail": 1, "warn": 1, "ok": 1, "skipped": 1}
    assert plain["findings"][2] == {
        "check": "Ports",
        "status": "fail",
        "subject": "port 8000",
        "found": "taken by nginx",
        "consequence": "no start",
        "advice": "end it",
    }
