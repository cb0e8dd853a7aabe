"""The picture of a trade: latency across, share of turns cut up; SVG without anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 24, 56
_COLOURS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626")
# eot-bench (LiveKit, June 2026), English: mean dead air at 10 % and at 5 % of turns cut.
PEERS: tuple[tuple[str, float, float], ...] = (
    ("LiveKit turn detector v1", 295.0, 543.0),
    ("Deepgram Flux", 548.0, 1151.0),
    ("smart-turn v3.2 alone", 739.0, 1051.0),
    ("silence alone", 1000.0, 1600.0),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a line: milliseconds, percent, and the interval of the percent."""

    ms: float
    percent: float
    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture."""

    name: str
    marks: tuple[Mark, ...]


def picture(lines: Sequence[Line], *, across: str, with_peers: bool = True) -> str:
    """An SVG document.

    Args:
        lines: What was measured.
        across: What the milliseconds are.
        with_peers: Show others' figures; they are means of dead air alone, without any reply.
    """
    marks = [mark for line in lines for mark in line.marks]
    shown_ms = [mark.ms for mark in marks] + [900.0]
    shown_ms += [slower for *_, slower in PEERS] if with_peers else []
    most_ms = _round_up(max(shown_ms) * 1.05, 200.0)
    most_percent = _round_up(max([mark.high for mark in marks] + [12.0]), 10.0)
    frame = _Frame(most_ms, most_percent)
    body = [_grid(frame, across), _targets(frame)]
    if with_peers:
        body += [_peer(frame, *peer) for peer in PEERS]
    for number, line in enumerate(lines):
        body.append(_line(frame, line, _COLOURS[number % len(_COLOURS)]))
    body += [_legend(lines)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%"'
        ' role="img" font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{escape(across)} against the share of turns cut</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>{"".join(body)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    most_ms: float
    most_percent: float

    def x(self, ms: float) -> float:
        return _LEFT + min(ms, self.most_ms) / self.most_ms * (_WIDTH - _LEFT - _RIGHT)

    def y(self, percent: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (1 - min(percent, self.most_percent) / self.most_percent)


def _grid(frame: _Frame, across: str) -> str:
    parts = []
    ms = 0.0
    while ms <= frame.most_ms + 1:
        x = frame.x(ms)
        parts.append(
            f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#e5e7eb"/>'
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{ms:.0f}</text>'
        )
        ms += 200.0
    percent = 0.0
    while percent <= frame.most_percent + 0.1:
        y = frame.y(percent)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e5e7eb"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{percent:.0f} %</text>'
        )
        percent += 10.0 if frame.most_percent > 30 else 5.0
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT - 14}" text-anchor="middle">'
        f"{escape(across)}, ms</text>"
        f'<text transform="translate(16 {(_TOP + _HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)"'
        ' text-anchor="middle">turns cut</text>'
    )
    return "".join(parts)


def _targets(frame: _Frame) -> str:
    return "".join(
        f'<path d="M{_LEFT} {frame.y(p):.1f}H{frame.x(ms):.1f}V{frame.y(0):.1f}" fill="none"'
        ' stroke="#9ca3af" stroke-dasharray="4 4"/>'
        for p, ms in ((5.0, 550.0), (10.0, 350.0))
    )


def _peer(frame: _Frame, name: str, at_ten_ms: float, at_five_ms: float) -> str:
    x10, y10, x5, y5 = frame.x(at_ten_ms), frame.y(10), frame.x(at_five_ms), frame.y(5)
    return (
        f'<path d="M{x10:.1f} {y10:.1f}L{x5:.1f} {y5:.1f}" stroke="#9ca3af" fill="none"/>'
        f'<circle cx="{x10:.1f}" cy="{y10:.1f}" r="3" fill="#9ca3af"/>'
        f'<circle cx="{x5:.1f}" cy="{y5:.1f}" r="3" fill="#9ca3af"/>'
        f'<text x="{x10 + 4:.1f}" y="{y10 - 5:.1f}" fill="#6b7280" font-size="10">'
        f"{escape(name)}</text>"
    )


def _line(frame: _Frame, line: Line, colour: str) -> str:
    points = [(frame.x(mark.ms), frame.y(mark.percent), mark) for mark in line.marks]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
    dots = "".join(
        f'<path d="M{x:.1f} {frame.y(mark.low):.1f}V{frame.y(mark.high):.1f}" stroke="{colour}"'
        ' stroke-opacity="0.35"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
        f"<title>{escape(mark.label)}: {mark.ms:.0f} ms, {mark.percent:.1f} % cut</title></circle>"
        f'<text x="{x + 6:.1f}" y="{y - 6:.1f}" font-size="10" fill="{colour}">'
        f"{escape(mark.label)}</text>"
        for x, y, mark in points
    )
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _legend(lines: Sequence[Line]) -> str:
    parts = []
    for number, line in enumerate(lines):
        y = _TOP + 10 + number * 18
        colour = _COLOURS[number % len(_COLOURS)]
        parts.append(
            f'<rect x="{_WIDTH - 250}" y="{y}" width="12" height="12" fill="{colour}"/>'
            f'<text x="{_WIDTH - 232}" y="{y + 10}">{escape(line.name)}</text>'
        )
    return "".join(parts)


def _round_up(value: float, step: float) -> float:
    return step * -(-value // step)
