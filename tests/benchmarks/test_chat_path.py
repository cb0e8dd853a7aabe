from __future__ import annotations

from benchmarks.chat_path import OURS, render


def _row(way: str, cpu_ms: float, history_turns: int = 2) -> dict[str, object]:
    return {
        "way": way,
        "history_turns": history_turns,
        "turns": 10,
        "cpu_ms": cpu_ms,
        "first_text_ms": cpu_ms / 2,
    }


def test_each_way_stands_beside_ours_with_the_same_history() -> None:
    text = render([_row("sdk", 6.0), _row(OURS, 2.0), _row("sdk", 12.0, 20), _row(OURS, 3.0, 20)])
    assert "| sdk | 2 | 6.00 | 3.0 x | 3.00 | 3.0 x |" in text
    assert "| sdk | 20 | 12.0 | 4.0 x | 6.00 | 4.0 x |" in text


def test_a_part_that_was_not_measured_has_no_section() -> None:
    assert render([]) == ""
