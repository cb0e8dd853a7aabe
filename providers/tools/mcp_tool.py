"""Tools of MCP servers (Model Context Protocol), through the official client.

Rules
1. Each server has one connection a process, opened when it is first needed, in a task of its own:
   whoever waits for an answer may be cancelled without taking the connection along.
2. Which tools it has is asked once a connection. One that it does not have is not called.
3. A server that dies fails the calls that were under way, clearly; the next use connects anew. One
   that could not be reached is left alone for ``AGAIN_AFTER_S``.
4. A call is made once: nobody knows what a server does with a second one. Only one that a server
   turned away because it has forgotten the session (it was started anew, or was idle for too long)
   is made again, in a session of its own: it cannot have been done.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from typing import Any, Final, TextIO

from providers.tools.answer import done, failed
from providers.tools.bindings import McpBinding, McpServer
from providers.tools.errors import ToolFailed, ToolTimeout, ToolUnusable
from providers.tools.secrets import with_secrets
from providers.traces import place_of

logger = logging.getLogger(__name__)

INSTALL_HINT: Final = "pip install 'callcluster[mcp]'"
KEY_META: Final = "callcluster/idempotency-key"
CONNECT_WITHIN_S = 10.0
AGAIN_AFTER_S = 1.0
CLOSE_WITHIN_S = 5.0
MOST_PAGES = 50  # of a list of tools
READ_WITHIN_S = 300.0  # longer than any tool may take: each use has a limit of its own
_FORGOTTEN = (-32600, -32001)  # what servers answer, with words about the session, to one unknown
_LOST = "its server has died or cannot be reached"


def is_installed() -> bool:
    """Whether the client of the protocol is there."""
    return find_spec("mcp") is not None


class McpTools:
    """The servers of one process.

    Args:
        secrets: By name.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._links: dict[McpServer, _Link] = {}

    async def run(self, mcp: McpBinding, arguments: Mapping[str, Any], key: str) -> str:
        """Call it; the result as JSON for the model.

        Raises:
            ToolFailed: The server died, refused, or its answer is too long.
            ToolTimeout: It did not answer in time.
            ToolUnusable: The client is not installed, a secret is missing, or there is no such
                tool.
        """
        link = self._links.get(mcp.server)
        if link is None:
            link = self._links[mcp.server] = _Link(mcp.server, self._secrets)
        try:
            async with asyncio.timeout(mcp.timeout_s):
                tools = await link.tools()
                if mcp.tool not in tools:
                    known = ", ".join(tools)[:300] or "none"
                    raise ToolUnusable(f"its server has no tool {mcp.tool}; it has: {known}")
                try:
                    result = await link.call(mcp.tool, dict(arguments), key)
                except _SessionForgotten:
                    await link.tools()
                    result = await link.call(mcp.tool, dict(arguments), key)
        except TimeoutError:
            raise ToolTimeout(f"no answer in {mcp.timeout_s:g} s") from None
        return _told(mcp, result)

    async def listed(self, server: McpServer) -> dict[str, Any]:
        """The server's tools by name, each with ``description`` and ``input_schema``.

        For whoever sets a server up: what fails is said with the last words of the program.

        Raises:
            ToolFailed: It cannot be started or reached, or does not answer.
            ToolUnusable: The client is not installed, or a secret is missing.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            link = _Link(server, self._secrets, log)
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    return await link.tools()
            except TimeoutError:
                raise ToolFailed(f"no answer in {CONNECT_WITHIN_S:g} s{_said(log)}") from None
            except ToolFailed as error:
                raise ToolFailed(f"{error.message}{_said(log)}") from None
            finally:
                await link.aclose()

    async def aclose(self) -> None:
        """Close every connection, and end the programs behind them."""
        await asyncio.gather(*(link.aclose() for link in self._links.values()))
        self._links.clear()


class _SessionForgotten(ToolFailed):
    """The server knows nothing of our session, and has not looked at the call."""


class _Link:
    """The connection to one server; see the rules above."""

    def __init__(
        self, server: McpServer, secrets: Mapping[str, str], log: TextIO | None = None
    ) -> None:
        self._server = server
        self._secrets = secrets
        self._log = log
        self._keeper: asyncio.Task[None] | None = None
        self._up: asyncio.Future[dict[str, Any]] | None = None
        self._client: Any = None
        self._closing: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._not_before = 0.0
        self._late: asyncio.TimerHandle | None = None

    async def tools(self) -> dict[str, Any]:
        """The tools that it has by name; connects if that is needed."""
        if not is_installed():
            raise ToolUnusable(f"MCP servers need a package: {INSTALL_HINT}")
        if self._keeper is None or self._keeper.done():
            loop = asyncio.get_running_loop()
            if loop.time() < self._not_before:
                raise ToolFailed(_LOST)
            self._over, self._up = asyncio.Event(), loop.create_future()
            self._keeper = loop.create_task(self._keep(self._up, self._over))
            self._late = loop.call_later(CONNECT_WITHIN_S, _give_up, self._up, self._keeper)
        if self._up is None:
            raise ToolFailed(_LOST)
        return await asyncio.shield(self._up)

    async def call(self, tool: str, arguments: dict[str, Any], key: str) -> Any:
        """Call it on the connection that is up."""
        client, keeper = self._client, self._keeper
        if client is None or keeper is None:
            raise ToolFailed(_LOST)
        calling = asyncio.ensure_future(client.call_tool(tool, arguments, meta={KEY_META: key}))
        try:
            await asyncio.wait({calling, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not calling.done():
                raise ToolFailed(_LOST)
            return calling.result()
        except ToolFailed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client makes of a lost server
            if not _is_answer(error):
                self._let_go()
                logger.warning("an MCP server is lost: %s", place_of(error))
                raise ToolFailed(_LOST) from None
            if self._server.url and _is_forgotten(error):
                self._let_go()
                raise _SessionForgotten(_LOST) from None
            raise ToolFailed("its server refused the call") from None
        finally:
            calling.cancel()

    def _let_go(self) -> None:
        """This connection is of no use any more: the next use makes another one."""
        self._over.set()
        if self._keeper is not None:
            self._closing.add(self._keeper)
            self._keeper.add_done_callback(self._closing.discard)
        self._keeper = self._up = self._client = None

    async def aclose(self) -> None:
        """End the connection and its program, in twice ``CLOSE_WITHIN_S`` at the most."""
        is_up = self._up is None or self._up.done()
        if self._late is not None:
            self._late.cancel()  # a keeper that is cancelled twice leaves its program behind
        self._let_go()
        if self._closing and is_up:
            await asyncio.wait(self._closing, timeout=CLOSE_WITHIN_S)
        for keeper in self._closing:
            keeper.cancel()
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_WITHIN_S)

    async def _keep(self, up: asyncio.Future[dict[str, Any]], over: asyncio.Event) -> None:
        """Hold the connection from its beginning to its end, in one task."""
        loop = asyncio.get_running_loop()
        try:
            async with self._connected() as client:
                listed = await _all_tools(client)
                if self._up is up:
                    self._client = client
                if not up.done():
                    up.set_result(listed)
                await over.wait()
        except Exception as error:  # noqa: BLE001 - the client groups what went wrong
            if not up.done():
                self._not_before = loop.time() + AGAIN_AFTER_S
            logger.warning(
                "an MCP server is lost: %s ('callcluster agents validate --tools' says more)",
                place_of(_innermost(error)),
            )
            if not up.done():
                is_ours = isinstance(error, ToolUnusable)
                up.set_exception(error if is_ours else ToolFailed(_LOST))
                up.exception()  # whoever waited may be gone
        finally:
            if self._up is up:
                self._client = None
            if not up.done():
                up.set_exception(ToolFailed(_LOST))
                up.exception()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        from mcp import Client, StdioServerParameters

        # Its own lines quote what a server says, and so a caller.
        logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
        server = self._server
        if server.command:
            program, *arguments = server.command
            env = with_secrets(server.env, self._secrets)
            known = StdioServerParameters(command=program, args=arguments, env=env or None)
            async with _stdio(known, self._log) as transport, Client(transport) as client:
                yield client
            return
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        headers = with_secrets(server.headers, self._secrets)
        patience = httpx2.Timeout(CONNECT_WITHIN_S, read=READ_WITHIN_S)
        async with (
            httpx2.AsyncClient(headers=headers, timeout=patience) as http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            yield client


async def _all_tools(client: Any) -> dict[str, Any]:
    """The tools of a server by name, page by page."""
    tools: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        listed = await client.list_tools(cursor=cursor)
        tools.update((tool.name, tool) for tool in listed.tools)
        cursor = listed.next_cursor
        if not cursor:
            break
    return tools


def _innermost(error: BaseException) -> BaseException:
    """The first of a group of errors: the group itself says where tasks are kept, and no more."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _give_up(up: asyncio.Future[dict[str, Any]], keeper: asyncio.Task[None]) -> None:
    """A server that has not said which tools it has by now."""
    if not up.done():
        keeper.cancel()


@contextlib.asynccontextmanager
async def _stdio(server: Any, log: TextIO | None) -> AsyncIterator[Any]:
    """The way to a program; its own log goes to ``log``, or nowhere: who knows what it holds."""
    from mcp.client.stdio import stdio_client

    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: ASYNC230 - it is no file
        yield stdio_client(server, errlog=log or nowhere)


def _said(log: TextIO) -> str:
    """The last line that a program wrote, to be put behind what is wrong with it."""
    log.seek(0)
    lines = [line.strip() for line in log.read().splitlines() if line.strip()]
    return f"; the last that it wrote: {lines[-1][:300]}" if lines else ""


def _told(mcp: McpBinding, result: Any) -> str:
    texts = [block.text for block in result.content if getattr(block, "type", "") == "text"]
    text = "\n".join(texts)
    answer: object = result.structured_content
    if answer is None:
        try:
            answer = json.loads(text) if text else ""
        except (ValueError, RecursionError):
            answer = text
    if len(json.dumps(answer, ensure_ascii=False)) > mcp.max_bytes:
        raise ToolFailed(f"its answer is longer than {mcp.max_bytes} bytes")
    if result.is_error:
        return failed("failed", "its server says that it failed", text[:500])
    return done(answer, mcp.shown)


def _is_answer(error: Exception) -> bool:
    """Whether the server has answered, if only that it will not do it."""
    from mcp import MCPError

    connection_closed = -32000
    code = getattr(getattr(error, "error", None), "code", None)
    return isinstance(error, MCPError) and code != connection_closed


def _is_forgotten(error: Exception) -> bool:
    answer = getattr(error, "error", None)
    words = str(getattr(answer, "message", "")).lower()
    return getattr(answer, "code", None) in _FORGOTTEN and "session" in words
