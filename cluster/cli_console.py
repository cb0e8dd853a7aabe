"""Where commands write: what was asked for to stdout, everything else to stderr."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True)
output = Console()


def say(text: str) -> None:
    """One line for a person, on stderr; ``[green]`` and the like are styles."""
    console.print(text, highlight=False, soft_wrap=True)


def examples(*lines: str) -> str:
    """The epilogue of a command's help: what a person would type, a line each."""
    commands = "\n".join(f"  [green]{line}[/green]" for line in lines)
    return f"[bold]Examples[/bold]\n{commands}"
