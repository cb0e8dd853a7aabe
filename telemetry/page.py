"""``python -m telemetry.page``: writes the table of ``docs/metrics.md`` from the catalog."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from telemetry.catalog import METRICS, Metric

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
BEGIN, END = "<!-- series: written by python -m telemetry.page -->", "<!-- end of series -->"
_HEAD = "| series | type | unit | labels | what it is |\n|---|---|---|---|---|"
_MERGE = {"sum": "added up", "max": "the largest"}


def series_table(metrics: Iterable[Metric] = METRICS) -> str:
    """Every series with type, unit, labels and meaning, as a Markdown table."""
    return "\n".join([_HEAD, *(_row(metric) for metric in metrics)])


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
    kind = f"gauge, {_MERGE[metric.merge]}" if metric.kind == "gauge" else metric.kind
    return f"| `{metric.name}` | {kind} | {metric.unit} | {labels} | {metric.help} |"


def with_table(page: str) -> str:
    """The page with the table of today between its markers.

    Raises:
        ValueError: A marker is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN if not begin else END}")
    return f"{before}{BEGIN}\n{series_table()}\n{END}{after}"


def main() -> int:
    """Rewrite the page; the exit code is 0."""
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
