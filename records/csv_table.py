"""Rows in a CSV file that a spreadsheet can open without running anything.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and what a
caller says ends up in cells. Such a text gets an apostrophe in front; so does a text that begins
with one, so that whoever takes one apostrophe off has the text as it was.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from records.export_columns import ExportColumn

# The wide forms too: spreadsheets in Chinese and Japanese read them as the narrow ones.
_DANGEROUS = tuple("=+-@＝＋－＠\t\r\n'")


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_DANGEROUS) else text


class CsvTable:
    """One CSV file (RFC 4180, UTF-8), written row by row.

    Args:
        path: Made anew.
        columns: Header and order.

    Raises:
        OSError: It cannot be written; so do all methods.
    """

    suffix = "csv"

    def __init__(self, path: Path, columns: Sequence[ExportColumn]) -> None:
        self._columns = columns
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(column.name for column in columns)

    def write(self, rows: Sequence[Any]) -> None:
        """Add rows."""
        for row in rows:
            self._writer.writerow([_cell(column.value(row)) for column in self._columns])

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _cell(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case str():
            return harmless(value)
        case _:
            return value
