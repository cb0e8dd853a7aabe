"""The report of a demo run: one HTML file that needs nothing else, not even a network."""

from __future__ import annotations

from pathlib import Path

from simulation.report_call import call_section
from simulation.report_data import DemoReport
from simulation.report_page import page


def render_report(report: DemoReport) -> str:
    """The page as text; every string of the report is escaped."""
    anchors = [f"call-{number}" for number in range(1, len(report.calls) + 1)]
    sections = [
        (anchor, call_section(call, anchor))
        for anchor, call in zip(anchors, report.calls, strict=True)
    ]
    return page(report, sections)


def write_report(report: DemoReport, path: Path) -> Path:
    """Write the page; its directory is made.

    Returns:
        ``path``.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A transcript may hold what UTF-8 cannot: better a question mark than no report.
    path.write_text(render_report(report), "utf-8", errors="replace")
    return path
