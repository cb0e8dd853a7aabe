"""A run as one HTML file that needs nothing else: figures, pictures, the worst turns."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from cluster.evaluate.cases import Case
from cluster.evaluate.compare import Change, render_changes
from cluster.evaluate.figures import TurnFigures
from cluster.evaluate.picture import Line, Mark, picture
from cluster.evaluate.result import Result
from cluster.evaluate.sweep import Sweep
from cluster.evaluate.text_report import render

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1080px;padding:24px;color:#111827}
h1{font-size:24px}h2{font-size:18px;margin-top:36px}pre{font-size:12px;overflow-x:auto}
pre,svg{background:#fff;border:1px solid #e5e7eb;border-radius:6px;padding:8px}
.case{margin:18px 0}.case p{margin:2px 0;font-size:13px}.soft{color:#6b7280}
"""
_WIDTH, _HEIGHT, _MIDDLE = 1000, 110, 42
_AGENT_AT = 84


def page(
    result: Result,
    sweeps: Sequence[Sweep] = (),
    changes: Sequence[Change] = (),
    title: str = "How it takes turns",
) -> str:
    """The whole document."""
    parts = [f"<h1>{escape(title)}</h1>", f"<pre>{escape(render(result))}</pre>"]
    if changes:
        parts.append("<h2>Against the run before</h2>")
        parts.append(f"<pre>{escape(render_changes(changes))}</pre>")
    parts.append("<h2>Latency and turns cut, by kind and language</h2>")
    parts.append(picture(_lines_of(result), across="mean latency, true end of speech to reply"))
    for each in sweeps:
        parts.append(f"<h2>{escape(each.name)}</h2>")
        parts.append(f"<pre>{escape(each.render())}</pre>")
        parts.append(sweep_picture(each))
    if result.cases:
        parts.append("<h2>The worst turns</h2>")
        parts.append(
            '<p class="soft">The caller above, the agent below; seconds from the true end of'
            " speech. Yellow: pauses of the caller.</p>"
        )
        parts += [_case(case) for case in result.cases]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def write_page(path: Path, text: str) -> None:
    """Write it; its folder is made. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", errors="replace")


def sweep_picture(found: Sweep) -> str:
    """The curve of a setting: means, and medians beside them."""
    means, medians = [], []
    for point in found.points:
        label, latency = f"{point.value:g}", point.figures.latency
        means.append(_mark(point.figures, latency.mean_ms, label))
        medians.append(_mark(point.figures, latency.p50_ms, label))
    lines = [
        Line(name, tuple(mark for mark in marks if mark is not None))
        for name, marks in (("mean", means), ("P50", medians))
    ]
    return picture(lines, across=f"latency, {found.name} swept")


def _lines_of(result: Result) -> list[Line]:
    lines = []
    for figures in result.tables:
        mark = _mark(figures, figures.latency.mean_ms, figures.name)
        if mark is not None and figures.turns >= 20:
            lines.append(Line(figures.name, (mark,)))
    return lines[:12]


def _mark(figures: TurnFigures, ms: float | None, label: str) -> Mark | None:
    cut = figures.cut
    if ms is None or cut.ratio is None:
        return None
    return Mark(ms, 100 * cut.ratio, 100 * cut.low, 100 * cut.high, label)


def _case(case: Case) -> str:
    end_s = max([case.start_s + len(case.envelope) * 0.02, *(span[1] for span in case.agent), 1.0])
    scale = _WIDTH / (end_s - case.start_s)

    def x(at_s: float) -> str:
        return f"{(at_s - case.start_s) * scale:.1f}"

    bars = "".join(
        f"M{x(case.start_s + (n + 0.5) * 0.02)} {_MIDDLE - 34 * level:.1f}v{68 * level:.1f}"
        for n, level in enumerate(case.envelope)
        if level > 0.01
    )
    pauses = "".join(
        f'<rect x="{x(a)}" y="4" width="{(b - a) * scale:.1f}" height="76" fill="#fef3c7"/>'
        for a, b in case.pauses
    )
    agent = "".join(
        f'<rect x="{x(a)}" y="{_AGENT_AT}" width="{max(1.0, (b - a) * scale):.1f}" height="10"'
        ' fill="#059669"/>'
        for a, b in case.agent
    )
    events = "".join(
        f'<path d="M{x(at)} {8 if label == "taken" else 20}V{_AGENT_AT + 10}"'
        f' stroke="{"#dc2626" if label == "taken" else "#9ca3af"}" stroke-dasharray="3 2"/>'
        for at, label in case.events
    )
    return (
        f'<div class="case"><p><b>{escape(case.title)}</b></p>'
        f'<p><span class="soft">{escape(case.asked)}</span> {escape(case.text)}</p>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" font-size="10">{pauses}'
        f'<path d="{bars}" stroke="#2563eb" stroke-width="1.2"/>{agent}{events}'
        f'<path d="M{x(0.0)} 2V{_AGENT_AT + 14}" stroke="#111827"/>'
        f'<text x="{x(0.0)}" y="{_HEIGHT - 2}" text-anchor="middle">true end</text></svg>'
        '<p class="soft">red: the turn was taken; grey: the language model was asked</p></div>'
    )
