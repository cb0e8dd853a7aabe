"""``callcluster cache render``, and the audio of an import: made before the first caller asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cluster.cli_cache_desk import Tenant, at_desk, find_agent, need_agent, one_tenant
from cluster.cli_console import console, say
from cluster.cli_help import add_command
from cluster.response_cache_desk import Desk
from cluster.settings import Settings, read_settings
from dialogue.agent import Agent

if TYPE_CHECKING:
    from actors.answer_audio import Rendered

MOST_CHARS: Final = 100_000
ROWS_AT_ONCE: Final = 500
EXIT_LEFT: Final = 1
_WRITTEN: Final = frozenset(("faq", "authored"))
_PARTS: Final = 4  # of a run that is said where there is no terminal

MostChars = Annotated[
    int, typer.Option(help="Characters that are given to voices, at most: they are billed.")
]


def register_render(app: typer.Typer) -> None:
    """Add ``cache render``."""
    add_command(
        app,
        "cache render",
        render,
        "callcluster cache render --agent reception",
        "callcluster cache render --agent reception --most-chars 20000",
    )


def render(
    agent: Annotated[str, typer.Option(help="Whose answers.", show_default=False)],
    tenant: Tenant = "",
    most_chars: MostChars = MOST_CHARS,
) -> None:
    """Render imported answers, and what the agent always says, in all its voices.

    What is rendered already is not spoken again, so that an interrupted run goes on where it ended.
    The audio is kept in the data directory of this machine; on others an answer is spoken when it
    is asked for first.

    [bold]Exit code[/bold]
      0  all of it is there
      1  some of it is not: the limit, or a voice that fails
    """
    settings = read_settings()
    tenant_id = one_tenant(settings, tenant)
    found = need_agent(settings, tenant_id, agent)
    scope = {"tenant_id": tenant_id, "agent_id": agent, "language": found.language}
    answers = at_desk(settings, lambda desk: written_answers(desk, scope))
    if render_and_say(settings, found, answers, most_chars).left:
        raise typer.Exit(EXIT_LEFT)


async def written_answers(desk: Desk, scope: Mapping[str, str]) -> list[str]:
    """The answers of this tenant, agent and language that a person wrote and that are given."""
    answers: list[str] = []
    offset = 0
    while True:
        wanted = {"selection": dict(scope), "limit": ROWS_AT_ONCE, "offset": offset}
        rows = (await desk.look(wanted))["rows"]
        answers += [
            row["answer"]
            for row in rows
            if row["provenance"] in _WRITTEN and row["status"] == "alive"
        ]
        offset += len(rows)
        if len(rows) < ROWS_AT_ONCE:
            return answers


def render_imported(
    settings: Settings, scope: Mapping[str, str], answers: Sequence[str], most_chars: int
) -> None:
    """The audio of what was just imported; what is missing is said and fails nothing."""
    agent = find_agent(settings, scope["tenant_id"], scope["agent_id"])
    if agent is None or agent.language.lower() != scope["language"].lower():
        say("no audio: the agents' files have no such agent of this language")
        return
    render_and_say(settings, agent, answers, most_chars)


def render_and_say(
    settings: Settings, agent: Agent, answers: Sequence[str], most_chars: int
) -> Rendered:
    """Render, with a bar in a terminal, and say what came of it."""
    from cluster.answer_audio import render_answers

    with Progress(
        TextColumn("audio"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} segments"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("audio", total=None)
        lines = _lines()

        def on_step(rendered: Rendered) -> None:
            bar.update(task, completed=rendered.done, total=rendered.total)
            if not console.is_terminal:
                lines(rendered)

        found = asyncio.run(
            render_answers(settings, agent, answers, most_chars=most_chars, on_step=on_step)
        )
    _say(agent, found)
    return found


def _lines() -> Callable[[Rendered], None]:
    """A line for each quarter of the work."""
    said = 0

    def on_step(rendered: Rendered) -> None:
        nonlocal said
        part = rendered.done * _PARTS // max(1, rendered.total)
        if said < part < _PARTS:
            say(f"audio: {rendered.done:,} of {rendered.total:,} segments")
        said = max(said, part)

    return on_step


def _say(agent: Agent, found: Rendered) -> None:
    voices = len(agent.voices)
    say(
        f"[green]ok[/green] audio: {found.made:,} segments spoken ({found.chars:,} characters), "
        f"{found.known:,} were there, in {voices} voice{'s' if voices > 1 else ''}"
    )
    for voice, why in found.failures.items():
        say(f"[yellow]{voice}[/yellow] does not speak: {why}")
    if found.left:
        say(
            f"{found.left:,} segments are spoken when they are asked for first; go on with "
            f"callcluster cache render --agent {agent.agent_id}"
        )
