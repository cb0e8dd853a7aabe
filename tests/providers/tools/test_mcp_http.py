"""Tools of a real MCP server over streamable HTTP, of either generation of the protocol."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cluster.agent_tool_files import RunFile
from dialogue.tools import Tool
from providers.tools.bindings import McpBinding, McpServer, SecretText
from providers.tools.http_tool import HttpTools
from providers.tools.mcp_tool import READ_WITHIN_S, McpTools
from providers.tools.table import ToolTable

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

pytestmark = pytest.mark.e2e

SESSION = b"mcp-session-id"
VERSION = b"mcp-protocol-version"
Message = dict[str, Any]
Use = Callable[..., Awaitable[dict[str, Any]]]


class Front:
    """Before the server: what it was asked with, and what it is told to keep from it.

    Attributes:
        sessions: Every session that the server has begun, in order.
        tokens: ``Authorization`` of the requests.
        forgets: These sessions it turns away, as a server does that was started anew.
        is_of_before: It knows nothing of the protocol without sessions, as most servers.
        is_away: It answers nothing but 503.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sessions: list[bytes] = []
        self.tokens: set[bytes] = set()
        self.forgets: set[bytes] = set()
        self.is_of_before = self.is_away = False

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        self.tokens.add(headers.get(b"authorization", b""))
        is_new = headers.get(VERSION, b"") >= b"2026" and self.is_of_before
        if self.is_away or is_new:
            await _answer(send, 503 if self.is_away else 400, b"")
            return
        if headers.get(SESSION) in self.forgets:
            error = (
                b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}'
            )
            await _answer(send, 404, error)
            return

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun = dict(message["headers"]).get(SESSION)
                if begun and begun not in self.sessions:
                    self.sessions.append(begun)
            await send(message)

        await self._app(scope, receive, seen)


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def shop(calls: list[str]) -> AsyncIterator[tuple[Front, str]]:
    """The package's own server with its own HTTP, and where it listens."""
    import uvicorn

    server = MCPServer("shop", log_level="CRITICAL")

    @server.tool()
    def price(item: str, ctx: Context) -> dict[str, Any]:
        """What an item costs."""
        meta = ctx.request_context.meta or {}
        calls.append(str(meta.get("callcluster/idempotency-key")))
        return {"item": item, "price": 12}

    @server.tool()
    async def hang(item: str) -> str:
        """Never answers."""
        await asyncio.sleep(3600)
        return item

    @server.tool()
    def refuse(item: str) -> str:
        """Fails."""
        raise ToolError(f"there is no {item}")

    @server.tool()
    def flood(item: str) -> str:
        """Says far too much."""
        return item * 50_000

    front = Front(server.streamable_http_app())
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(front, log_level="critical", timeout_graceful_shutdown=1, ws="none")
    serving = uvicorn.Server(config)
    running = asyncio.create_task(serving.serve(sockets=[listening]))
    try:
        yield front, f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    finally:
        serving.should_exit = True
        await running


def play(test: Callable[[Use, Front, list[str]], Awaitable[None]]) -> None:
    async def run() -> None:
        calls: list[str] = []
        async with shop(calls) as (front, url):
            headers = (("Authorization", SecretText("SHOP", "Bearer ")),)
            server = McpServer(url=url, headers=headers)
            table = ToolTable(HttpTools({}), mcp=McpTools({"SHOP": "tok"}))

            async def use(name: str, timeout_s: float = 20.0, key: str = "k") -> dict[str, Any]:
                tool = Tool("mcp", name, "d", binding=McpBinding(server, name, timeout_s))
                told: dict[str, Any] = json.loads(await table.run(tool, {"item": "lamp"}, key=key))
                return told

            try:
                await test(use, front, calls)
            finally:
                await table.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("is_of_before", [False, True])
def test_a_server_is_asked_over_http(is_of_before: bool) -> None:
    async def test(use: Use, front: Front, calls: list[str]) -> None:
        front.is_of_before = is_of_before
        assert (await use("price", key="k1"))["answer"] == {"item": "lamp", "price": 12}
        assert calls == ["k1"]
        refused = await use("refuse")
        assert (refused["status"], "there is no lamp" in refused["answer"]) == ("failed", True)
        missing = await use("paint")
        assert (missing["status"], "it has: price" in missing["error"]) == ("unavailable", True)
        assert "longer than 65536 bytes" in (await use("flood"))["error"]
        assert (await use("hang", 0.3))["status"] == "timeout"
        assert (await use("price"))["status"] == "done"
        assert front.tokens == {b"Bearer tok"}
        assert len(front.sessions) == is_of_before

    play(test)


def test_a_session_that_the_server_has_forgotten_is_begun_anew() -> None:
    async def test(use: Use, front: Front, calls: list[str]) -> None:
        front.is_of_before = True
        await use("price", key="k1")
        front.forgets |= set(front.sessions)
        assert (await use("price", key="k2"))["status"] == "done"
        assert calls == ["k1", "k2"]
        assert len(front.sessions) == 2

    play(test)


def test_a_server_that_is_away_fails_and_is_asked_again() -> None:
    async def test(use: Use, front: Front, calls: list[str]) -> None:
        await use("price")
        front.is_away = True
        assert (await use("price"))["status"] == "failed"
        front.is_away = False
        assert (await use("price"))["status"] == "done"
        assert len(calls) == 2

    play(test)


def test_the_client_waits_as_long_as_any_tool_may_take() -> None:
    longest = next(
        rule.le for rule in RunFile.model_fields["timeout_s"].metadata if hasattr(rule, "le")
    )
    assert longest < READ_WITHIN_S
