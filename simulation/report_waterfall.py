"""The latency waterfall of a turn as SVG: one bar a step, on one axis of milliseconds."""

from __future__ import annotations

from html import escape

from simulation.report_data import DemoTurn
from simulation.report_numbers import Span, in_ms, spans_of

_ROW = 22
_BAR = 10
_TOP = 20
_LABELS = 34  # per cent of the width that the names of the steps take
_RIGHT = 12  # per cent kept free for the label behind the longest bar
_TICKS_S = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


def waterfall_svg(turn: DemoTurn) -> str:
    """The picture, as wide as its place; empty when no step was measured."""
    spans = spans_of(turn.stages)
    if not spans:
        return ""
    ear_s = turn.response_latency_s
    ends = [span.end_s for span in spans] + ([ear_s] if ear_s is not None else [])
    scale = _Scale(min(0.0, *(span.start_s for span in spans)), max(0.05, *ends))
    height = _TOP + _ROW * len(spans) + 6
    parts = [
        f'<svg class="waterfall" role="img" width="100%" height="{height}" '
        f'aria-label="{escape(_in_words(spans, ear_s))}">'
    ]
    parts += _axis(scale, height)
    if ear_s is not None:
        x = scale.at(ear_s)
        parts.append(
            f'<line class="ear" x1="{x}" x2="{x}" y1="{_TOP - 4}" y2="{height - 4}">'
            f"<title>First sound at the caller's ear: {in_ms(ear_s)}</title></line>"
        )
    for row, span in enumerate(spans):
        parts += _bar(scale, span, _TOP + row * _ROW)
    parts.append("</svg>")
    return "".join(parts)


class _Scale:
    """Seconds to per cent of the width."""

    def __init__(self, start_s: float, end_s: float) -> None:
        self.start_s = start_s
        self.end_s = end_s

    def percent(self, at_s: float) -> float:
        share = (at_s - self.start_s) / (self.end_s - self.start_s)
        return _LABELS + share * (100 - _LABELS - _RIGHT)

    def at(self, at_s: float) -> str:
        return f"{self.percent(at_s):.2f}%"


def _axis(scale: _Scale, height: int) -> list[str]:
    step_s = next(
        (tick for tick in _TICKS_S if (scale.end_s - scale.start_s) / tick <= 4), _TICKS_S[-1]
    )
    first, last = int(scale.start_s // step_s), int(scale.end_s // step_s)
    parts = []
    for tick in range(first, last + 1):
        at_s = tick * step_s
        if at_s < scale.start_s:
            continue
        x, kind = scale.at(at_s), "zero" if tick == 0 else "grid"
        label = f"{at_s * 1_000:,.0f}" if tick else "0 ms"
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{_TOP - 4}" y2="{height - 4}"/>')
        parts.append(f'<text class="tick" x="{x}" y="10" text-anchor="middle">{label}</text>')
    return parts


def _bar(scale: _Scale, span: Span, top: int) -> list[str]:
    start, end = scale.percent(span.start_s), scale.percent(span.end_s)
    y, base = top + (_ROW - _BAR) / 2, top + _ROW / 2 + 4
    return [
        f'<text class="step" x="0" y="{base}">{escape(span.label)}</text>',
        f'<rect class="{span.phase}" x="{start:.2f}%" y="{y}" width="{max(end - start, 0.5):.2f}%" '
        f'height="{_BAR}" rx="3"><title>{escape(span.label)}: {in_ms(span.start_s)} to '
        f"{in_ms(span.end_s)}</title></rect>",
        f'<text class="ms" x="{end + 1:.2f}%" y="{base}">{in_ms(span.length_s)}</text>',
    ]


def _in_words(spans: tuple[Span, ...], ear_s: float | None) -> str:
    steps = ", ".join(f"{span.label} {in_ms(span.length_s)}" for span in spans)
    return steps if ear_s is None else f"{steps}; heard after {in_ms(ear_s)}"
