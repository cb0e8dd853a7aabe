"""``callcluster agents``: the YAML files of the AI personas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cluster.agents import load_tenants
from cluster.cli_console import say
from cluster.cli_help import add_command
from cluster.settings import read_settings

agents_app = typer.Typer(no_args_is_help=True, help="Agents: the YAML files of your AI personas.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        agents_app,
        "agents validate",
        agents_validate,
        "callcluster agents validate",
        "callcluster agents validate /etc/callcluster/agents",
    )
    app.add_typer(agents_app, name="agents")


def agents_validate(
    folder: Annotated[
        Path,
        typer.Argument(envvar="CALLCLUSTER_AGENTS_DIR", help="Folder with the agents' YAML files."),
    ] = Path("agents"),
) -> None:
    """Read every agent and say what is wrong with which field of which file."""
    from cluster.voice_config import voice_configs

    settings = read_settings()
    agents = load_tenants(folder, settings.tenant_id)
    voice_configs(agents.values(), settings)
    for (tenant_id, agent_id), agent in agents.items():
        name = agent_id if tenant_id == settings.tenant_id else f"{tenant_id}/{agent_id}"
        say(
            f"[green]ok[/green] {name}: {agent.language}, {agent.recogniser} / "
            f"{agent.think_chain} / {agent.speaker}, version {agent.agent_version}"
        )
