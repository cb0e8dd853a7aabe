"""MCP servers that are odd: tools by pages, rubbish between messages, silence."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from dialogue.tools import Tool
from providers.tools.bindings import McpBinding, McpServer
from providers.tools.http_tool import HttpTools
from providers.tools.mcp_tool import McpTools, is_installed
from providers.tools.table import ToolTable

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not is_installed(), reason="the extra mcp is not installed"),
]

PROGRAM = """
import json, os, sys

open(sys.argv[1], "w").write(str(os.getpid()))
for line in sys.stdin:
    asked = json.loads(line)
    number, method = asked.get("id"), asked.get("method")
    if number is None or sys.argv[2] == "silent":
        continue
    if method == "initialize":
        version = asked["params"]["protocolVersion"]
        known = {"name": "raw", "version": "1"}
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": known}
    elif method == "tools/list":
        page = int((asked.get("params") or {}).get("cursor") or 0)
        tool = {"name": ("first", "price")[page], "inputSchema": {"type": "object"}}
        result = {"tools": [tool], **({} if page else {"nextCursor": "1"})}
    elif method == "tools/call":
        print("the caller said: my card is 4111")
        result = {"content": [{"type": "text", "text": "12"}]}
    else:
        error = {"code": -32601, "message": "no such method"}
        print(json.dumps({"jsonrpc": "2.0", "id": number, "error": error}), flush=True)
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}), flush=True)
"""


def used(folder: Path, how: str, timeout_s: float) -> dict[str, Any]:
    """What comes of one use of ``price``; everything is closed then."""
    program = folder / "server.py"
    program.write_text(PROGRAM)
    server = McpServer((sys.executable, str(program), str(folder / "pid"), how))
    tool = Tool("mcp", "price", "d", binding=McpBinding(server, "price", timeout_s))

    async def run() -> str:
        table = ToolTable(HttpTools({}), mcp=McpTools({}))
        try:
            return await table.run(tool, {}, key="k")
        finally:
            await table.aclose()

    told: dict[str, Any] = json.loads(asyncio.run(run()))
    return told


def test_a_tool_on_the_second_page_is_found_and_what_a_server_prints_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert used(tmp_path, "prints", 20.0) == {"status": "done", "answer": 12}
    assert "4111" not in caplog.text


def test_a_program_that_says_nothing_is_ended_with_the_process_that_asked_it(
    tmp_path: Path,
) -> None:
    assert used(tmp_path, "silent", 2.0)["status"] == "timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
