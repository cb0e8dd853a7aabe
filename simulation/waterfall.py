"""The same waterfall as the report's, as text for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulation.report_data import DemoTurn
from simulation.report_numbers import Phase, Span, as_clock, in_ms, spans_of, unheard_text

_STYLES: dict[Phase, str] = {
    "hear": "blue",
    "think": "magenta",
    "speak": "yellow",
    "held": "dim yellow",
    "carry": "bright_black",
}
_SPEAKERS = {"caller": "bold blue", "agent": "bold yellow"}
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render_conversation_line(
    speaker: str, text: str, *, who: str = "caller", at_s: float | None = None, unheard: str = ""
) -> Text:
    """One line of the conversation.

    Args:
        speaker: The name to show.
        text: What was said, or what of it was heard. Never read as markup.
        who: ``caller`` or ``agent``; decides the colour.
        at_s: Position in the call.
        unheard: The rest of an interrupted reply, shown struck out.
    """
    line = Text()
    if at_s is not None:
        line.append(f"{as_clock(at_s):>5}  ", "dim")
    line.append(f"{speaker}: ", _SPEAKERS.get(who, "bold"))
    line.append(text)
    if unheard:
        line.append(f" {unheard}", "dim strike")
    return line


def render_waterfall(turn: DemoTurn, *, width: int = 44) -> RenderableType:
    """The steps of a turn as bars on one axis, with the latency at the caller's ear.

    Args:
        turn: Stages in seconds after the end of the caller's speech.
        width: Columns of the longest bar.
    """
    head = Text(f"Turn {turn.turn_id}", "bold")
    if turn.response_latency_s is not None:
        head.append(f"  {in_ms(turn.response_latency_s)} to the caller's ear", "bold green")
    if turn.from_cache:
        head.append("  from cache", "cyan")
    if turn.interrupted:
        head.append("  interrupted", "red")
    spans = spans_of(turn.stages)
    if not spans:
        return head
    start_s = min(0.0, *(span.start_s for span in spans))
    end_s = max(*(span.end_s for span in spans), turn.response_latency_s or 0.0, 0.001)
    columns_per_s = width / (end_s - start_s)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim")
    grid.add_column(width=width, no_wrap=True)
    grid.add_column(justify="right")
    for span in spans:
        bar = _bar(span, start_s, columns_per_s, width)
        grid.add_row(span.label, bar, in_ms(span.length_s))
    if not turn.decided_by:
        return Group(head, grid)
    return Group(head, grid, Text(f"Turn taken: {turn.decided_by}", "dim"))


def render_turn(turn: DemoTurn, *, caller_name: str, agent_name: str) -> RenderableType:
    """What was said in a turn, and where its time went."""
    lines: list[RenderableType] = []
    if turn.caller_text:
        lines.append(
            render_conversation_line(
                caller_name, turn.caller_text, who="caller", at_s=turn.caller_start_s
            )
        )
    if turn.agent_text or turn.heard_text:
        rest = unheard_text(turn)
        said = turn.heard_text.rstrip() if turn.interrupted else turn.agent_text
        lines.append(
            render_conversation_line(
                agent_name, said, who="agent", at_s=turn.agent_start_s, unheard=rest
            )
        )
    if turn.stages:
        lines.append(render_waterfall(turn))
    return Group(*lines)


def _bar(span: Span, start_s: float, columns_per_s: float, width: int) -> Text:
    """A bar that begins on a whole column and ends on an eighth of one, within ``width``."""
    before = min(width - 1, int((span.start_s - start_s) * columns_per_s))
    end = min(width * 8, round((span.end_s - start_s) * columns_per_s * 8))
    eighths = max(1, end - before * 8)
    whole, rest = divmod(eighths, 8)
    blocks = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return Text(" " * before).append(blocks, _STYLES[span.phase])
