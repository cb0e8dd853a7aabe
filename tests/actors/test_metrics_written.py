"""The catalog promises nothing that nobody measures."""

from __future__ import annotations

import ast
from collections.abc import Set
from functools import cache
from pathlib import Path

import pytest

from telemetry import catalog
from telemetry.catalog import Metric

ROOT = Path(__file__).parents[2]
# Read-only users of the catalog do not count as writers.
READERS = {"catalog.py", "summary.py", "exposition.py", "merged.py", "metrics_export.py"}


@cache  # the same for every metric, and a second to read
def written_names() -> Set[str]:
    """Every attribute or name of the catalog that a module of ours mentions."""
    found: set[str] = set()
    for room in ("actors", "cluster", "telemetry"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name in READERS:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    found |= {node.attr} if node.value.id == "catalog" else set()
                elif isinstance(node, ast.ImportFrom) and node.module == "telemetry.catalog":
                    found |= {alias.name for alias in node.names}
    return found


NAMES = sorted(name for name, value in vars(catalog).items() if isinstance(value, Metric))


@pytest.mark.parametrize("name", NAMES)
def test_somebody_writes_every_metric(name: str) -> None:
    assert name in written_names()
