"""``callcluster serve``, ``callcluster deploy`` and ``callcluster stop``."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cluster.agents import load_tenants, require_agent
from cluster.cli_console import say
from cluster.cli_help import add_command, every_option_variable
from cluster.errors import SettingsError
from cluster.setting_names import unknown_names, written_names
from cluster.settings import Settings, load_settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        app,
        "serve",
        serve,
        "callcluster serve",
        "callcluster serve --port 8080 --no-dashboard",
        "callcluster serve --development    on a laptop, without a Twilio account",
    )
    add_command(
        app,
        "deploy",
        deploy,
        "RAY_ADDRESS=10.0.0.5:6379 callcluster deploy",
        "callcluster deploy    on the cluster of this machine",
        "callcluster deploy --wait",
    )
    add_command(
        app,
        "stop",
        stop,
        "callcluster stop",
        "callcluster stop --yes    calls in progress or not",
        "RAY_ADDRESS=10.0.0.5:6379 callcluster stop",
    )


def serve(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(
            envvar="CALLCLUSTER_PORT",
            metavar="N",
            help="HTTP port.",
            show_default="8000",
        ),
    ] = None,
    development: Annotated[
        bool,
        typer.Option(
            "--development",
            show_envvar=False,
            help="Run without TWILIO_AUTH_TOKEN: no signature is checked, no key needed. Never "
            "on a reachable machine.",
        ),
    ] = False,
    dashboard: Annotated[bool, typer.Option(help="Start Ray's dashboard on port 8265.")] = True,
) -> None:
    """Run the product here, or on the Ray cluster named by RAY_ADDRESS, until Ctrl-C.

    The first Ctrl-C takes no new calls and waits for those in progress; a second one, or SIGTERM,
    ends them at once.

    Settings come from the environment and from .env; docs/settings.md lists them, and 'callcluster
    doctor' says what is missing.

    [bold]Exit code[/bold]
      0  it ran, and was stopped by Ctrl-C or SIGTERM
      2  it did not start: the last line says why
    """
    from cluster.call_store import require_call_store
    from cluster.run_serve import serve_until_stopped

    overrides: dict[str, Any] = {}
    if port is not None:
        overrides["port"] = port
    if development:
        overrides["mode"] = "development"
    settings = _checked_settings(context, **overrides)
    if not os.environ.get("RAY_ADDRESS"):  # of a cluster, the nodes ask
        asyncio.run(require_call_store(settings))
    serve_until_stopped(settings, dashboard=dashboard, say=say)


def deploy(
    context: typer.Context,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="Return only when what was replaced has no calls any more and is gone."
        ),
    ] = False,
) -> None:
    """Deploy this code, these agents and settings on a cluster that runs, and leave it running.

    On the cluster of RAY_ADDRESS, or that of this machine. What is the same as it was stays. What
    has changed replaces ingress replicas and CallActors one by one: new calls come to the new ones,
    and calls in progress go on. They leave their CallActor between two turns, and after
    CALLCLUSTER_DRAIN_S their replica, too. With another CALLCLUSTER_INGRESS_REPLICAS and nothing
    else, replicas are added, or retired, and nobody is replaced. New code is installed on every
    node before.

    [bold]Exit code[/bold]
      0  new calls are answered by what was deployed
      2  they are not, or --wait was in vain: the last line says why
    """
    from cluster.run_deploy import deploy_on

    address = os.environ.get("RAY_ADDRESS") or "auto"
    deploy_on(address, _checked_settings(context), wait=wait, say=say)


def _checked_settings(context: typer.Context, **overrides: Any) -> Settings:
    """Settings with which the product can answer; warns of what ends soon, and of misspelt names.

    Raises:
        SettingsError: They cannot be used; says what to change.
    """
    from cluster.provider_settings import missing_keys, provider_settings
    from cluster.retirements import retiring
    from cluster.voice_config import voice_configs

    for unknown in unknown_names(written_names(), every_option_variable(context)):
        say(f"[yellow]{unknown.name} {unknown.found}[/yellow]")
    settings = load_settings(**overrides)
    agents = load_tenants(settings.agents_dir, settings.tenant_id)
    require_agent(agents, settings.tenant_id, settings.default_agent, settings.agents_dir)
    voice_configs(agents.values(), settings)  # says now what would be wrong at the first call
    missing = missing_keys(settings, agents.values())
    if missing:
        raise SettingsError(
            "; ".join(missing) + ". Without keys: 'make demo', or 'callcluster simulate providers'."
        )
    today = datetime.now(UTC).date()
    for retirement in retiring(agents.values(), provider_settings(settings), today):
        say(f"[yellow]{retirement.sentence(today)}[/yellow]")
    return settings


def stop(
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also when calls are in progress: they end.")
    ] = False,
) -> None:
    """Stop what 'callcluster serve', 'callcluster deploy' or 'serve run' left running.

    On the cluster of RAY_ADDRESS, or on that of this machine if it was started in this folder and
    for this CALLCLUSTER_PORT; another deployment is stopped only by its RAY_ADDRESS. Ray itself
    goes on ('ray stop' ends it). HAProxy processes that a killed run of this port left behind are
    ended too.

    [bold]Exit code[/bold]
      0  nothing of it runs any more
      2  nothing was stopped: the last line says why
    """
    from cluster.run_stop import stop_everything
    from cluster.settings import read_settings

    stop_everything(read_settings().port, is_sure=yes, say=say)
