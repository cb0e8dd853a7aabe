"""Which tools can be run in a process, and how: the one door to all kinds (``ToolRunner``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from dialogue.tools import Tool
from providers.tools.answer import failed
from providers.tools.bindings import HttpBinding, McpBinding, PythonBinding
from providers.tools.errors import ToolError, ToolSaid, ToolTimeout, ToolUnusable
from providers.tools.http_tool import HttpTools
from providers.tools.mcp_tool import McpTools
from providers.tools.python_tool import PythonTools
from providers.tools.schema import refusal_of
from providers.traces import trace_of

logger = logging.getLogger(__name__)


class ToolTable:
    """Runs the tools of all agents of one process.

    Args:
        http: Sends requests.
        python: Calls functions; None calls none.
        mcp: Asks MCP servers; None asks none.
    """

    def __init__(
        self, http: HttpTools, python: PythonTools | None = None, mcp: McpTools | None = None
    ) -> None:
        self._http = http
        self._python = python
        self._mcp = mcp

    def refusal(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        """Why it cannot be run with these arguments, for the model; empty when it can."""
        return refusal_of(tool.parameters_json, arguments)

    async def run(self, tool: Tool, arguments: Mapping[str, Any], *, key: str) -> str:
        """Run it; returns JSON for the model with a ``status``, whatever happens.

        Half a character in an answer becomes ``?``: nobody after us could encode it.

        Args:
            tool: What.
            arguments: With what; they fit its schema.
            key: The same for the same use, however often it is tried.
        """
        try:
            result = await self._run(tool, arguments, key)
            return result.encode("utf-8", "replace").decode()
        except ToolTimeout as error:
            logger.warning("tool %s (%s): %s", tool.name, key, error)
            return failed("timeout", f"{error.message}; it may have been done")
        except ToolUnusable as error:
            logger.error("tool %s (%s): %s", tool.name, key, error)
            return failed("unavailable", error.message)
        except ToolSaid as error:
            logger.warning("tool %s (%s): it says that it failed", tool.name, key)
            return failed("failed", error.message)
        except ToolError as error:
            logger.warning("tool %s (%s): %s", tool.name, key, error)
            return failed("failed", error.message)
        except Exception as error:  # noqa: BLE001 - the model is told, and the call goes on
            logger.error("tool %s (%s) broke: %s", tool.name, key, trace_of(error))
            return failed("failed", "it broke")

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()
        if self._mcp is not None:
            await self._mcp.aclose()

    async def _run(self, tool: Tool, arguments: Mapping[str, Any], key: str) -> str:
        binding = tool.binding
        if isinstance(binding, HttpBinding):
            return await self._http.run(binding, arguments, key)
        if isinstance(binding, PythonBinding) and self._python is not None:
            return await self._python.run(binding, arguments, key)
        if isinstance(binding, McpBinding) and self._mcp is not None:
            return await self._mcp.run(binding, arguments, key)
        raise ToolUnusable("nobody here knows how it is done")
