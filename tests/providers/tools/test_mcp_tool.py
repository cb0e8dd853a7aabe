"""Tools of a real MCP server: a program over its standard streams, which may die."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dialogue.tools import Tool
from providers.tools.bindings import McpBinding, McpServer, SecretText
from providers.tools.http_tool import HttpTools
from providers.tools.mcp_tool import McpTools, is_installed
from providers.tools.table import ToolTable

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not is_installed(), reason="the extra mcp is not installed"),
]

PROGRAM = '''
import os, sys, time
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")

@server.tool()
def price(item: str) -> dict:
    """What an item costs."""
    return {"item": item, "price": 12, "token": os.environ.get("TOKEN", "")}

@server.tool()
def die(item: str) -> str:
    """Ends the program."""
    os._exit(3)

@server.tool()
def hang(item: str) -> str:
    """Never answers."""
    time.sleep(60)
    return ""

@server.tool()
def refuse(item: str) -> str:
    """Fails."""
    raise ValueError("no such item")

@server.tool()
def flood(item: str) -> str:
    """Says far too much."""
    return "x" * 10_000_000

server.run("stdio")
'''

Use = Callable[..., Awaitable[dict[str, Any]]]


def play(
    folder: Path, test: Callable[[Use], Awaitable[None]], command: tuple[str, ...] = ()
) -> None:
    program = folder / "server.py"
    program.write_text(PROGRAM)
    server = McpServer(command or (sys.executable, str(program)), (("TOKEN", SecretText("SHOP")),))

    async def run() -> None:
        table = ToolTable(HttpTools({}), mcp=McpTools({"SHOP": "tok"}))

        async def use(name: str, timeout_s: float = 20.0) -> dict[str, Any]:
            tool = Tool("mcp", name, "d", binding=McpBinding(server, name, timeout_s))
            told: dict[str, Any] = json.loads(await table.run(tool, {"item": "lamp"}, key="k"))
            return told

        try:
            await test(use)
        finally:
            await table.aclose()

    asyncio.run(run())


def test_a_server_is_asked_dies_and_is_started_again(tmp_path: Path) -> None:
    async def test(use: Use) -> None:
        first = await use("price")
        assert first["status"] == "done"
        assert first["answer"] == {"item": "lamp", "price": 12, "token": "tok"}
        assert (await use("refuse"))["status"] == "failed"
        missing = await use("paint")
        assert (missing["status"], "it has: price" in missing["error"]) == ("unavailable", True)
        assert "longer than 65536 bytes" in (await use("flood"))["error"]
        assert (await use("hang", 0.3))["status"] == "timeout"
        died = await use("die")
        assert died == {
            "status": "failed",
            "error": "its server has died or cannot be reached",
        }
        assert (await use("price"))["status"] == "done"

    play(tmp_path, test)


def test_a_program_that_is_not_there_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(use: Use) -> None:
        assert "cannot be reached" in (await use("price"))["error"]

    play(tmp_path, test, (str(tmp_path / "nothing"),))
    assert "an MCP server is lost: FileNotFoundError" in caplog.text
    assert "ExceptionGroup" not in caplog.text
