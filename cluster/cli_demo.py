"""``callcluster demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli_help import add_command


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(app, "demo", demo, "callcluster demo", "callcluster demo --output /tmp/demo")


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the recordings and the report.")] = Path(
        "demo-output"
    ),
) -> None:
    """Six simulated calls with real recorded speech through the real product, without any key.

    [bold]Exit code[/bold]
      0    every turn was answered
      1    something was not as it should be: it is listed at the end
      2    it could not run
      130  Ctrl-C; nothing is left running
    """
    from cluster.demo import run_demo

    raise SystemExit(run_demo(output))
