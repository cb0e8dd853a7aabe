from __future__ import annotations

from io import StringIO

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from simulation.waterfall import render_conversation_line, render_turn, render_waterfall
from tests.simulation.report_samples import STAGES, turn


def printed(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=100, color_system=None)
    console.print(what)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_every_step_is_a_bar_with_its_milliseconds() -> None:
    lines = printed(render_waterfall(turn())).splitlines()
    assert "Turn 1" in lines[0]
    assert "510 ms" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == [
        "Eager",
        "Final",
        "Turn",
        "LLM",
        "First",
        "TTS",
        "First",
        "First",
    ]
    bars = [line.index("█") for line in lines[1:] if "█" in line]
    assert bars[0] == bars[1]
    assert bars == sorted(bars)
    assert "100 ms" in lines[4]


def test_what_told_the_end_of_the_turn_is_below_the_bars() -> None:
    last = printed(render_waterfall(turn(decided_by="final+silence 320 ms"))).splitlines()[-1]
    assert last.strip() == "Turn taken: final+silence 320 ms"


def test_a_turn_without_stages_is_one_line() -> None:
    assert printed(render_waterfall(turn(stages={}))).count("\n") == 1


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from(list(STAGES)), st.floats(-100, 100)))
def test_any_stages_fit_the_width(stages: dict[str, float]) -> None:
    lines = printed(render_waterfall(turn(stages=stages, response_latency_s=None))).splitlines()
    assert all(len(line) <= 100 for line in lines)


def test_a_line_is_never_read_as_markup() -> None:
    line = render_conversation_line("Ben", "say [bold]x[/bold] [/]", at_s=61.0)
    assert printed(line).strip() == "1:01  Ben: say [bold]x[/bold] [/]"


def test_a_turn_shows_both_sides_and_what_was_cut() -> None:
    cut = turn(interrupted=True, heard_text="Yes, until ", from_cache=True)
    shown = printed(render_turn(cut, caller_name="Amelia", agent_name="Mia"))
    assert "Amelia: Is it open?" in shown
    assert "Mia: Yes, until six today." in shown
    assert "interrupted" in shown
    assert "from cache" in shown


def test_a_step_at_the_very_end_is_still_seen() -> None:
    stages = {"committed": 0.4, "first_frame_out": 0.6, "first_frame_audible": 0.6}
    text = printed(render_waterfall(turn(stages=stages, response_latency_s=0.6)))
    assert "█" in text.splitlines()[-1]
    assert "…" not in text
