"""``callcluster agents``: the YAML files of the AI personas."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cluster.agents import agent_files, load_agent
from cluster.cli_console import complain, say, show
from cluster.cli_help import add_command
from cluster.errors import AgentFileError, SettingsError
from cluster.settings import Settings, read_settings
from dialogue.agent import Agent
from dialogue.variables import placeholders

agents_app = typer.Typer(no_args_is_help=True, help="Agents: the YAML files of your AI personas.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    add_command(
        agents_app,
        "agents validate",
        agents_validate,
        "callcluster agents validate",
        "callcluster agents validate /etc/callcluster/agents",
        "callcluster agents validate --keys     also look for the voices",
        "callcluster agents validate --tools    also start or ask the MCP servers",
    )
    add_command(agents_app, "agents voices", agents_voices, "callcluster agents voices")
    app.add_typer(agents_app, name="agents")


def agents_validate(
    folder: Annotated[
        Path,
        typer.Argument(envvar="CALLCLUSTER_AGENTS_DIR", help="Folder with the agents' YAML files."),
    ] = Path("agents"),
    keys: Annotated[
        bool, typer.Option("--keys", help="Ask the service for each voice, with your key.")
    ] = False,
    tools: Annotated[
        bool, typer.Option("--tools", help="Start or ask each MCP server for its tools.")
    ] = False,
) -> None:
    """Read every agent and say what is wrong with which field of which file."""
    from cluster.provider_settings import provider_settings
    from cluster.retirements import retiring
    from cluster.tool_complaints import tool_complaints
    from cluster.voice_config import voice_configs

    settings = read_settings()
    agents: list[Agent] = []
    are_wrong = False
    for tenant_id, path in agent_files(folder, settings.tenant_id):
        try:
            agent = load_agent(path, tenant_id)
            voice_configs([agent], settings)
        except (AgentFileError, SettingsError) as error:
            are_wrong = True
            for line in str(error).splitlines():
                complain(line)
        else:
            agents.append(agent)
            for complaint in tool_complaints(settings, [agent]):
                are_wrong = True
                complain(f"{path}: {complaint}")
    for agent in agents:
        say(f"[green]ok[/green] {_described(agent, settings.tenant_id)}")
    today = datetime.now(UTC).date()
    for retirement in retiring(agents, provider_settings(settings), today):
        say(f"[yellow]{retirement.sentence(today)}[/yellow]")
    if keys and agents:
        are_wrong = _has_missing_voice(settings, agents) or are_wrong
    if tools:
        are_wrong = _has_missing_tool(settings, agents) or are_wrong
    if are_wrong:
        raise SystemExit(2)


def agents_voices() -> None:
    """List the voices of your ElevenLabs account: what an agent's voice can be."""
    import asyncio

    from rich.table import Table

    from cluster.voice_lookup import listed_voices

    settings = read_settings()
    if not settings.elevenlabs_api_key.get_secret_value():
        raise SettingsError("ELEVENLABS_API_KEY is not set")
    voices = asyncio.run(listed_voices(settings))
    table = Table("voice", "name", "category", "languages", box=None)
    for voice in voices:
        table.add_row(voice.voice_id, voice.name, voice.category, " ".join(voice.languages))
    show(table)


def _has_missing_voice(settings: Settings, agents: list[Agent]) -> bool:
    """Say what the service says of each voice; whether one of them is not there."""
    import asyncio

    from cluster.voice_lookup import looked_up, voices_in

    if voices_in(agents) and not settings.elevenlabs_api_key.get_secret_value():
        raise SettingsError("ELEVENLABS_API_KEY is not set, so no voice can be asked for")
    is_missing = False
    for answer in asyncio.run(looked_up(settings, agents)):
        who = ", ".join(answer.agents)
        if answer.voice is not None:
            say(f"[green]ok[/green] voice {answer.voice_id} ({answer.voice.name}): {who}")
        else:
            complain(f"voice of {who}: {answer.problem}")
            is_missing = is_missing or answer.is_missing
    return is_missing


def _has_missing_tool(settings: Settings, agents: list[Agent]) -> bool:
    """Say of each tool of an MCP server whether it is there; whether one is not."""
    import asyncio

    from cluster.mcp_trial import tried_tools

    tried = asyncio.run(tried_tools(settings, agents))
    for tool in tried:
        if tool.problem:
            complain(f"agent {tool.agent_id}: tool {tool.tool}: {tool.problem}")
        else:
            say(f"[green]ok[/green] tool {tool.tool}: {tool.agent_id}")
    return any(tool.problem for tool in tried)


def _described(agent: Agent, own_tenant_id: str) -> str:
    """One line: who it is, who works for it, what a call that it places has to bring."""
    from cluster.doctor.check_settings import chains_of

    is_own = agent.tenant_id == own_tenant_id
    name = agent.agent_id if is_own else f"{agent.tenant_id}/{agent.agent_id}"
    tools = ", ".join(tool.name for tool in agent.tools)
    variables = ", ".join(sorted(placeholders(agent)))
    return (
        f"{name}: {' '.join((agent.language, *(own.language for own in agent.languages)))}, "
        + ("" if agent.modes == ("pipeline",) else f"{' > '.join(agent.modes)}, ")
        + chains_of(agent)
        + (f", tools {tools}" if tools else "")
        + (f", variables {variables}" if variables else "")
        + f", version {agent.agent_version}"
    )
