"""What is read of the running product: metrics and logs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from cluster.chaos.health_log import known_units, read_logs
from cluster.chaos.product import (
    extra_percent,
    failover_wait_s,
    left_in,
    made_up_for,
    names_left,
    requests_in,
)
from cluster.logs import _FORMAT as LOG_FORMAT

BEFORE = """
callcluster_provider_requests_total{provider="openai",work="think",why="first"} 10
callcluster_provider_requests_total{provider="azure",work="recognise",why="first"} 3
callcluster_provider_left{provider="openai",operation="llm.ttft"} 0
"""
AFTER = """
# TYPE callcluster_provider_requests_total counter
callcluster_provider_requests_total{provider="openai",work="think",why="first"} 15
callcluster_provider_requests_total{provider="openrouter",work="think",why="first"} 5
callcluster_provider_requests_total{provider="openrouter",work="think",why="hedge"} 1
callcluster_provider_requests_total{provider="openrouter",work="think",why="failover"} 2.0
callcluster_provider_requests_total{provider="azure",work="recognise",why="first"} 3
callcluster_provider_left{provider="openai",operation="llm.ttft"} 1
callcluster_provider_left{provider="openai",operation="llm.inter_token"} 0
"""


def test_requests_beyond_one_for_each_question() -> None:
    before, after = requests_in(BEFORE), requests_in(AFTER)
    assert extra_percent(before, after, "think") == pytest.approx(30.0)
    assert extra_percent(before, after, "recognise") is None, "nobody was asked"


def test_recognisers_are_asked_once_a_call() -> None:
    before = requests_in(BEFORE)
    more = (
        'callcluster_provider_requests_total{provider="deepgram",work="recognise",why="failover"} 2'
    )
    after = requests_in(AFTER + more)
    assert extra_percent(before, after, "recognise", questions=8) == pytest.approx(25.0)


def test_how_long_somebody_else_took() -> None:
    text = """
callcluster_failover_wait_seconds{work="speak",quantile="0.5"} 0.1
callcluster_failover_wait_seconds{work="speak",quantile="0.95"} 0.25
callcluster_failover_wait_seconds_count{work="speak"} 7
"""
    assert failover_wait_s(text, "speak") == 0.25
    assert failover_wait_s(text, "think") is None


def test_who_is_left() -> None:
    assert (left_in(BEFORE), left_in(AFTER), left_in("")) == (0, 1, 0)


def at(second: float) -> float:
    return datetime(2026, 1, 2, 3, 4, 0).timestamp() + second  # noqa: DTZ001 - as logs are


def line(second: int, ms: int, text: str) -> str:
    return f"2026-01-02 03:04:{second:02},{ms:03} INFO providers.health.view: {text}"


SEEN, TOLD = "openai/x is left, as seen here: late", "openai/x is left, as the board says"


def test_what_is_left_is_told_by_kind_of_work() -> None:
    assert left_in(AFTER) == left_in(AFTER, "think") == 1
    assert left_in(AFTER, "speak") == left_in(BEFORE) == 0


def test_seen_by_the_first_and_known_by_the_last() -> None:
    lines = [
        ("a", line(5, 100, SEEN)),
        ("a", line(5, 300, TOLD)),
        ("b", line(5, 130, TOLD)),
        ("b", line(5, 140, "a call was answered")),
        ("c", line(1, 0, TOLD)),
        ("c", "Traceback"),
    ]
    (known,) = known_units(lines, at(4), at(10))
    assert known.unit == "openai/x"
    assert known.processes == 2, "what was before is another fault"
    assert known.took_s == pytest.approx(0.03, abs=1e-5)
    assert known.seen_at == pytest.approx(at(5.1), abs=1e-5)


AZURE, HEARS, OPENS = "azure", "azure/stt.first_partial///", "azure/stt.open///"


def of(unit: str, how: str = "seen here: late") -> str:
    return f"{unit} is left, as {how}"


BOARD = "the board says"


def test_who_leaves_one_unit_of_a_recogniser_leaves_it() -> None:
    """One process by the words that it misses, the others by what the board says of its door."""
    lines = [
        ("a", line(5, 0, of(HEARS))),
        ("a", line(5, 90, of(OPENS, BOARD))),
        ("b", line(5, 80, of(OPENS))),
        ("b", line(5, 95, of(OPENS, BOARD))),
        ("c", line(5, 100, of(OPENS, BOARD))),
    ]
    (known,) = known_units(lines, at(4), at(10))
    assert (known.unit, known.processes, known.is_shared) == ("azure/stt///", 3, True)
    assert known.took_s == pytest.approx(0.1, abs=1e-5)


def test_what_is_known_already_is_not_seen_anew() -> None:
    told = [(process, line(5, 0, of(OPENS, BOARD))) for process in "ab"]
    late = [("a", line(9, 0, of(HEARS)))]
    assert len(known_units([*told, *late], at(4), at(10))) == 1
    again = [(process, line(9, 30, of(OPENS, BOARD))) for process in "ab"]
    assert len(known_units([*told, *late, *again], at(4), at(10))) == 2, "it was used in between"


def test_what_one_process_saw_alone_spreads_once_the_board_follows_another() -> None:
    lines = [
        ("a", line(5, 0, of(OPENS))),
        ("b", line(5, 900, of(OPENS))),
        ("c", line(5, 916, of(OPENS, BOARD))),
        ("d", line(5, 930, of(HEARS))),
    ]
    (known,) = known_units(lines, at(4), at(10))
    assert (known.processes, known.is_shared) == (4, True)
    assert known.took_s == pytest.approx(0.93, abs=1e-5)
    assert known.spread_s == pytest.approx(0.03, abs=1e-5)


def test_what_comes_far_too_late_is_not_hidden() -> None:
    lines = [("a", line(5, 0, of(OPENS))), ("b", line(8, 0, of(OPENS, BOARD)))]
    first, second = known_units(lines, at(4), at(10))
    assert (first.processes, first.is_shared) == (1, False)
    assert (second.processes, second.is_shared) == (1, True)


def test_other_regions_models_and_voices_are_others() -> None:
    lines = [
        ("a", line(5, 0, of("eleven/tts.ttfa//anna/"))),
        ("b", line(5, 0, of("eleven/tts.ttfa//bert/"))),
        ("b", line(5, 9, of("eleven/tts.realtime_factor//anna/"))),
    ]
    assert [known.processes for known in known_units(lines, at(4), at(10))] == [2, 1]


def test_who_is_left_by_name() -> None:
    assert names_left(AFTER, "think") == {"openai"}
    assert names_left(AFTER, "speak") == set()


def test_what_was_made_up_for_is_no_hedge() -> None:
    more = 'callcluster_provider_requests_total{provider="openai",work="think",why="continued"} 4\n'
    assert made_up_for(requests_in(BEFORE), requests_in(AFTER + more), "think") == 6


def test_logs_are_found_in_the_folder_of_a_session(tmp_path: Path) -> None:
    logs = tmp_path / "ray" / "session_2026" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker-1.err").write_text(line(5, 0, SEEN) + "\n")
    (logs / "raylet.err").write_text(line(5, 0, SEEN) + "\n")
    (tmp_path / "ray" / "session_latest").symlink_to(tmp_path / "ray" / "session_2026")
    assert len(read_logs(tmp_path)) == 1
    assert LOG_FORMAT.startswith("%(asctime)s %(levelname)s %(name)s: "), "what is read here"
