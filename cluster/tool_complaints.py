"""What keeps the tools of agents from being run, and what to change."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.settings import Settings
from cluster.tool_secrets import missing_secrets
from dialogue.agent import Agent
from dialogue.tools import Tool
from providers.tools.bindings import McpBinding, PythonBinding
from providers.tools.errors import ToolUnusable
from providers.tools.mcp_tool import INSTALL_HINT, is_installed
from providers.tools.python_tool import check_signature, function_at


def tool_complaints(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """One sentence for each thing that is missing or wrong."""
    agents = list(agents)
    sentences = {
        f"agent {agent.agent_id}: tool {tool.name}: {wrong}": None
        for agent in agents
        for tool in agent.tools
        if (wrong := _wrong_with(tool, settings.allowed_tool_modules))
    }
    return [*missing_secrets(settings, agents), *sentences]


def _wrong_with(tool: Tool, allowed: tuple[str, ...]) -> str:
    binding = tool.binding
    if isinstance(binding, McpBinding) and not is_installed():
        return f"MCP servers need a package: {INSTALL_HINT}"
    if isinstance(binding, PythonBinding):
        try:
            check_signature(function_at(binding.entry, allowed), tool.parameters)
        except ToolUnusable as error:
            return error.message
    return ""
