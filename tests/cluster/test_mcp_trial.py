"""MCP servers are tried before a call does: one works, one dies, one lacks the tool."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.mcp_trial import tried_tools
from cluster.settings import Settings
from dialogue.agent import Agent
from dialogue.tools import Tool
from providers.tools.bindings import McpBinding, McpServer
from providers.tools.mcp_tool import is_installed

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not is_installed(), reason="the extra mcp is not installed"),
]

PROGRAM = '''
from mcp.server.mcpserver import MCPServer

server = MCPServer("calendar")

@server.tool()
def list_free_slots(day: str) -> dict:
    """Times that are free."""
    return {}

server.run("stdio")
'''


def test_each_tool_of_an_mcp_server_is_there_or_it_is_said_why_not(tmp_path: Path) -> None:
    program = tmp_path / "calendar_server.py"
    program.write_text(PROGRAM)
    here = McpServer((sys.executable, str(program)))
    gone = McpServer((sys.executable, "-m", "nowhere_to_be"))

    def tool(name: str, server: McpServer, called: str) -> Tool:
        return Tool("mcp", name, "d", binding=McpBinding(server, called))

    tools = (
        tool("slots", here, "list_free_slots"),
        tool("rooms", here, "list_rooms"),
        tool("beds", gone, "list_beds"),
        Tool("end_call", "end_call", "d"),
    )
    ann = replace(Agent("t1", "ann", "v1", "en-US", "You are Ann.", "", "alto"), tools=tools)
    slots, rooms, beds = asyncio.run(tried_tools(Settings(), [ann]))
    assert slots == ("ann", "slots", "")
    assert rooms.problem == "its server has no tool list_rooms; it has: list_free_slots"
    assert "No module named" in beds.problem
    assert "nowhere_to_be" in beds.problem
