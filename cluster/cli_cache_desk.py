"""What the commands of ``callcluster cache`` have in common: whose answers, and who is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

import typer

from cluster.cli_console import say
from cluster.errors import AgentFileError, SettingsError
from cluster.response_cache_desk import Desk, open_desk
from cluster.settings import Settings
from dialogue.agent import Agent

T = TypeVar("T")
ALL_TENANTS: Final = "*"
Tenant = Annotated[
    str,
    typer.Option(
        envvar="CALLCLUSTER_TENANT_ID",
        show_default="of the settings",
        help="Whose answers; * for those of all tenants.",
    ),
]


def at_desk(
    settings: Settings, do: Callable[[Desk], Awaitable[T]], *, needs_file: bool = False
) -> T:
    """Ask the owner of the cache, or its file when nobody runs here, which is said.

    Arguments and errors as of ``response_cache_desk.open_desk``.
    """

    async def run() -> T:
        async with open_desk(settings, needs_file=needs_file) as (desk, is_running):
            if not is_running:
                say(f"no cluster runs here: this is the file in {settings.cache_folder}")
            return await do(desk)

    return asyncio.run(run())


def one_tenant(settings: Settings, tenant: str) -> str:
    """The tenant that is meant. Raises ``SettingsError`` for all of them."""
    tenant_id = tenant or settings.tenant_id
    if tenant_id == ALL_TENANTS:
        raise SettingsError("--tenant: answers belong to one tenant")
    return tenant_id


def find_agent(settings: Settings, tenant_id: str, agent_id: str) -> Agent | None:
    """The agent of that tenant; None when there is none. Raises ``AgentFileError``."""
    from cluster.agents import load_tenants

    return load_tenants(settings.agents_dir, settings.tenant_id).get((tenant_id, agent_id))


def need_agent(settings: Settings, tenant_id: str, agent_id: str, other: str = "") -> Agent:
    """The agent of that tenant.

    Args:
        settings: Of the deployment.
        tenant_id: Whose.
        agent_id: Its name.
        other: What else helps.

    Raises:
        SettingsError: There is none.
    """
    found = find_agent(settings, tenant_id, agent_id)
    if found is None:
        raise SettingsError(
            f"tenant {tenant_id} has no agent {agent_id} in {settings.agents_dir}: name another "
            f"one{other}"
        )
    return found


def import_language(settings: Settings, tenant_id: str, agent_id: str, named: str) -> str:
    """In which language answers are imported, as the agent's file writes it.

    Args:
        settings: Of the deployment.
        tenant_id: Whose.
        agent_id: Its name; with a language it need not have a file here.
        named: By who imports, "en" for "en-US" too; empty for that of the agent.

    Raises:
        SettingsError: The agent does not speak it, so that nobody would ever hear these answers; or
            there is no such agent, and no language was named.
    """
    if not named:
        return need_agent(settings, tenant_id, agent_id, ", or say --language").language
    try:
        agent = find_agent(settings, tenant_id, agent_id)
    except AgentFileError:
        agent = None
    if agent is None:
        return named
    own = agent.own_tag(named)
    if not own:
        known = ", ".join((agent.language, *(spoken.language for spoken in agent.languages)))
        raise SettingsError(
            f"--language {named}: agent {agent_id} speaks {known} only, nobody would hear these "
            "answers"
        )
    return own
