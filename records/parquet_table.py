"""Rows in a Parquet file; the only place that needs pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from records.errors import ExportFailed
from records.export_columns import ExportColumn, Kind

_TYPES: Final[Mapping[Kind, str]] = MappingProxyType(
    {"text": "string", "json": "string", "whole": "int64", "number": "float64", "flag": "bool_"}
)


class ParquetTable:
    """One Parquet file (zstd), written a row group at a time.

    Args:
        path: Made anew.
        columns: Names, types and order.

    Raises:
        ExportFailed: pyarrow is not installed.
        OSError: It cannot be written; so do all methods.
    """

    suffix = "parquet"

    def __init__(self, path: Path, columns: Sequence[ExportColumn]) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise ExportFailed(
                "Parquet needs pyarrow: pip install 'callcluster[parquet]', or choose --format csv"
            ) from None
        self._columns = columns
        self._arrow = pyarrow
        self._schema = pyarrow.schema(
            [(column.name, self._type(column.kind)) for column in columns]
        )
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def _type(self, kind: Kind) -> Any:
        if kind == "instant":
            return self._arrow.timestamp("us", tz="UTC")
        return getattr(self._arrow, _TYPES[kind])()

    def write(self, rows: Sequence[Any]) -> None:
        """Add rows as one row group."""
        if not rows:
            return
        arrays = [[column.value(row) for row in rows] for column in self._columns]
        arrow_arrays = [
            self._arrow.array(values, type=field.type)
            for values, field in zip(arrays, self._schema, strict=True)
        ]
        table = self._arrow.Table.from_arrays(arrow_arrays, schema=self._schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
