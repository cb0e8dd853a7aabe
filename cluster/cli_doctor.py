"""``callcluster doctor``: what is missing, and what would happen."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster.cli_console import console, output
from cluster.cli_help import add_command, every_option_variable


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    add_command(
        app,
        "doctor",
        doctor,
        "callcluster doctor",
        "callcluster doctor --offline       nothing leaves this machine",
        "callcluster doctor --keys          also try every key and voice",
        "callcluster doctor --json | jq '.findings[] | select(.status==\"fail\")'",
    )


def doctor(
    context: typer.Context,
    as_json: Annotated[
        bool,
        typer.Option("--json", envvar="CALLCLUSTER_DOCTOR_JSON", help="Print JSON, not a table."),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Skip whatever needs the network.")
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="Try each key with a request that costs nothing.")
    ] = False,
    url: Annotated[
        str,
        typer.Option(
            envvar="CALLCLUSTER_URL",
            help="Where the product listens; default: CALLCLUSTER_PORT of this machine.",
        ),
    ] = "",
    public_url: Annotated[
        str, typer.Option(envvar="PUBLIC_URL", help="Where Twilio reaches it; default: of .env.")
    ] = "",
) -> None:
    """Examine this machine, the settings and the running product; nothing is changed.

    No call is placed and no key is printed. Works before the product was ever started.

    [bold]Exit code[/bold]
      0  nothing failed (warnings may remain)
      1  something failed: calls would not work
    """
    from cluster.doctor.checks import CHECKS
    from cluster.doctor.examination import examine
    from cluster.doctor.place import Place
    from cluster.doctor.report import as_plain, exit_code, print_table

    place = Place.of_environment(
        url=url,
        public_url=public_url,
        is_offline=offline,
        try_keys=keys,
        options=every_option_variable(context),
    )
    with console.status("examining"):
        findings = examine(CHECKS, place)
    if as_json:
        output.print_json(data=as_plain(findings))
    else:
        print_table(output, findings)
    raise SystemExit(exit_code(findings))
