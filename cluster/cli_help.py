"""The help of the commands: one form for all, made for a terminal of 80 columns.

A command's docstring is its help. Its paragraphs are wrapped to the terminal; one that begins with
a heading keeps its lines. Every option has a variable; those whose name follows from the command's
are told in one line instead of one by one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand
from typer.models import OptionInfo

HEADING = "[bold]"


def add_command(
    app: typer.Typer,
    path: str,
    function: Callable[..., Any],
    *examples: str,
    parsed_by: type[TyperCommand] | None = None,
) -> None:
    """Register a command.

    Args:
        app: The application, or the group of commands.
        path: How it is typed after ``callcluster``, such as ``keys create``.
        function: Does it; its docstring is the help.
        examples: What a person would type, a line each.
        parsed_by: Reads its command line; typer's own when None.
    """
    epilog = example_lines(*examples)
    derived = _hide_derived(f"CALLCLUSTER_{path.replace(' ', '_')}_".upper(), function)
    if derived:
        more = ", and so on" if len(derived) > 1 else ""
        epilog += f"\n\n[dim]Other options have a variable too: {derived[0]}{more}.[/dim]"
    text = help_text(inspect.getdoc(function) or "")
    app.command(path.split()[-1], cls=parsed_by, help=text, epilog=epilog)(function)


def help_text(doc: str) -> str:
    """A docstring as help: a paragraph is one line, to be wrapped; what has a heading stays."""
    return "\n\n".join(
        _indented(part) if part.startswith(HEADING) else " ".join(part.split())
        for part in doc.split("\n\n")
    )


def example_lines(*examples: str) -> str:
    """The epilogue of a command's help."""
    lines = "\n".join(f"  [green]{line}[/green]" for line in examples)
    return _indented(f"{HEADING}Examples[/bold]\n{lines}")


def option_variables(command: Any, prefix: str) -> set[str]:
    """The variables of all options of a command and of those below it.

    Args:
        command: ``callcluster`` itself, or a command.
        prefix: What its options' variables begin with where they have none of their own.
    """
    found = set()
    for param in command.params:
        own = param.envvar or f"{prefix}_{param.name}"
        found |= {own} if isinstance(own, str) else set(own)
    for name, below in getattr(command, "commands", {}).items():
        found |= option_variables(below, f"{prefix}_{name}")
    return {variable.upper().replace("-", "_") for variable in found}


def every_option_variable(context: typer.Context) -> set[str]:
    """Those of all commands of the program that runs."""
    root = context.find_root()
    return option_variables(root.command, root.auto_envvar_prefix or "")


def _indented(text: str) -> str:
    """Lines that keep their indentation, which typer would take off as that of a docstring."""
    return "\n".join(
        f"[dim][/dim]{line}" if line.startswith(" ") else line for line in text.splitlines()
    )


def _hide_derived(prefix: str, function: Callable[..., Any]) -> list[str]:
    """Keep the variables with this prefix out of the list of options; returns them in words."""
    found, hints = [], get_type_hints(function, include_extras=True)
    function.__annotations__ |= hints  # what is changed below, typer finds there
    for name, hint in hints.items():
        for info in getattr(hint, "__metadata__", ()):
            if isinstance(info, OptionInfo) and str(info.envvar or prefix).startswith(prefix):
                info.show_envvar = False
                # Inside Annotated, typer takes the first flag for the default until it runs.
                named = (info.default, *(info.param_decls or ()))
                flags = [flag for flag in named if isinstance(flag, str) and flag[:2] == "--"]
                flag = flags[0] if flags else f"--{name.replace('_', '-')}"
                found.append(f"{info.envvar or prefix + name.upper()} for {flag}")
    return found
