"""``callcluster demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster.cli_console import examples


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command(epilog=examples("callcluster demo", "callcluster demo --output /tmp/demo"))(demo)


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the recordings and the report.")] = Path(
        "demo-output"
    ),
) -> None:
    """Six simulated calls with real recorded speech through the real product, without any key."""
    from cluster.demo import run_demo

    raise SystemExit(run_demo(output))
