"""``callcluster``: every command a person types, each with help worth reading.

One small module for each family of commands; none imports Ray, a database or a vendor before it
runs.
"""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from cache.errors import CacheError
from cluster import (
    cli_agents,
    cli_cache,
    cli_call,
    cli_calls,
    cli_chaos,
    cli_demo,
    cli_doctor,
    cli_evaluate,
    cli_keys,
    cli_languages,
    cli_load,
    cli_node,
    cli_number,
    cli_records,
    cli_serve,
    cli_simulate,
)
from cluster.cli_console import complain
from cluster.cli_help import example_lines, help_text
from cluster.errors import ClusterError
from providers.errors import ProviderError
from records.errors import RecordsError
from simulation.errors import SimulationError
from telephony.errors import TelephonyError

EXPECTED = (CacheError, ClusterError, ProviderError, RecordsError, SimulationError, TelephonyError)

EXIT_CODES = """\
[bold]Exit code[/bold] of every command
  0    done
  1    found bad (doctor, demo, chaos, evaluate, ...); or you answered no
  2    not done: one line says what is missing or wrong
  3 4  load, call, chaos and evaluate: see their --help
  130  Ctrl-C"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    # An option without a variable of its own has CALLCLUSTER_<COMMAND>_<OPTION>.
    context_settings={"auto_envvar_prefix": "CALLCLUSTER", "help_option_names": ["--help", "-h"]},
    help="A self-hosted cluster that answers and places phone calls with an AI voice.",
    epilog=help_text(EXIT_CODES)
    + "\n\n"
    + example_lines(
        "callcluster demo                      hear it talk, without any key",
        "callcluster doctor                    what is missing before it can run",
        "callcluster serve                     answer calls",
        "callcluster number use +14155550100   let a number of yours ring here",
        "callcluster call --to +14155550123    place a call",
    ),
)


def _say_version(*, is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"callcluster {metadata.version('callcluster')}")
        raise typer.Exit


@app.callback()
def callcluster(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            allow_from_autoenv=False,
            callback=lambda value: _say_version(is_asked=value),
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


cli_serve.register(app)
cli_node.register(app)
cli_doctor.register(app)
cli_call.register(app)
cli_calls.register(app)
cli_load.register(app)
cli_simulate.register(app)
cli_demo.register(app)
cli_chaos.register(app)
cli_evaluate.register(app)
cli_agents.register(app)
cli_languages.register(app)
cli_number.register(app)
cli_keys.register(app)
cli_records.register(app)
cli_cache.register(app)


def main() -> None:
    """Entry point: known errors are one line, not a traceback."""
    try:
        app()
    except EXPECTED as error:
        complain(str(error))
        raise SystemExit(2) from None
