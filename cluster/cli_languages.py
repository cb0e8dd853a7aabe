"""``callcluster languages``: the table of languages, and what each provider can do in each."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from cluster.cli_console import show
from cluster.cli_help import add_command


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(
        app,
        "languages",
        languages,
        "callcluster languages",
        "callcluster languages --markdown > docs/languages.md",
    )


def languages(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The whole page: what each provider can do in each.")
    ] = False,
) -> None:
    """Say which languages there are tables for, with their default voices."""
    from cluster.language_page import language_page
    from dialogue.languages import languages as rows

    if markdown:
        typer.echo(language_page(), nl=False)
        return
    table = Table("tag", "language", "", "locale", "voices", box=None)
    for row in rows().values():
        table.add_row(row.tag, row.name, row.native, row.locale, ", ".join(row.voices))
    show(table)
