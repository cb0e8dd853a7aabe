"""The tools of one CallActor that bring a result: who runs them, and where it is written down."""

from __future__ import annotations

from collections.abc import Callable

from actors.tool_runs import ToolRuns
from cluster.call_rows import use_row
from cluster.settings import Settings
from cluster.tool_secrets import secret_values
from dialogue.session import CallIdentity
from dialogue.tool_use import Plain
from providers.tools.http_tool import HttpTools
from providers.tools.mcp_tool import McpTools
from providers.tools.python_tool import PythonTools
from providers.tools.table import ToolTable
from records.writer import RecordWriter


class WrittenUses:
    """Writes into the call store that a use has begun, and how it ended.

    Args:
        writer: Behind the recorder of the same process.
    """

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer

    async def write(
        self, call: CallIdentity, turn_id: int, use: Plain, *, at_us: int, within_s: float
    ) -> None:
        """Write it, and return when it is durable, or after ``within_s``."""
        self._writer.put(use_row(call, turn_id, use, at_us=at_us))
        if within_s > 0:
            await self._writer.flush(within_s)


def build_tool_table(settings: Settings) -> ToolTable:
    """Whoever runs tools in a process; nothing is opened before it is needed."""
    secrets = secret_values(settings)
    python = PythonTools(settings.allowed_tool_modules)
    return ToolTable(HttpTools(secrets), python, McpTools(secrets))


def build_tool_runs(
    table: ToolTable, writer: RecordWriter, wall_clock_us: Callable[[], int]
) -> ToolRuns:
    """The tools of all calls of a process."""
    return ToolRuns(table, WrittenUses(writer), wall_clock_us)
