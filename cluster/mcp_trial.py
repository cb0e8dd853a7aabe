"""Starts, or asks, the MCP servers of agents, to say before a call does what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cluster.settings import Settings
from cluster.tool_secrets import secret_values
from dialogue.agent import Agent
from providers.tools.bindings import McpBinding, McpServer
from providers.tools.errors import ToolFailed, ToolUnusable
from providers.tools.mcp_tool import McpTools


class TriedTool(NamedTuple):
    """What became of one tool.

    Attributes:
        agent_id: Of the agent.
        tool: As the agent calls it.
        problem: Empty if its server has it.
    """

    agent_id: str
    tool: str
    problem: str


async def tried_tools(settings: Settings, agents: Sequence[Agent]) -> list[TriedTool]:
    """Every tool of type ``mcp``; each server is asked once."""
    mcp = McpTools(secret_values(settings))
    asked: dict[McpServer, tuple[list[str], str]] = {}
    tried = []
    for agent in agents:
        for tool in agent.tools:
            binding = tool.binding
            if not isinstance(binding, McpBinding):
                continue
            if binding.server not in asked:
                asked[binding.server] = await _asked(mcp, binding.server)
            known, problem = asked[binding.server]
            if not problem and binding.tool not in known:
                problem = f"its server has no tool {binding.tool}; it has: {', '.join(known)}"
            tried.append(TriedTool(agent.agent_id, tool.name, problem))
    return tried


async def _asked(mcp: McpTools, server: McpServer) -> tuple[list[str], str]:
    """The names of its tools, or what is wrong."""
    try:
        return list(await mcp.listed(server)), ""
    except (ToolFailed, ToolUnusable) as error:
        return [], error.message
