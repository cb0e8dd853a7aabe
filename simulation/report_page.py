"""The frame of the report: head, summary, styles and the few lines of script."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from simulation.report_data import DemoReport
from simulation.report_numbers import Numbers, as_clock, in_ms, numbers_of


def page(report: DemoReport, sections: list[tuple[str, str]]) -> str:
    """The whole document.

    Args:
        report: For title and summary.
        sections: Anchor and HTML of each call, in the order of ``report.calls``.
    """
    here = files("simulation")
    style = here.joinpath("report.css").read_text("utf-8")
    script = here.joinpath("report.js").read_text("utf-8")
    title = escape(report.title)
    subtitle = f'<p class="subtitle">{escape(report.subtitle)}</p>' if report.subtitle else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>{style}</style></head><body><main>"
        f'<header class="top"><h1>{title}</h1>{subtitle}</header>'
        f"{_tiles(numbers_of(report.calls), len(report.calls))}"
        f"{_table(report, [anchor for anchor, _ in sections])}{_facts(report)}"
        f"{''.join(html for _, html in sections)}"
        f"</main><script>{script}</script></body></html>\n"
    )


def _tiles(numbers: Numbers, calls: int) -> str:
    tiles = [
        (in_ms(numbers.p50_s), "median response", ""),
        (in_ms(numbers.p95_s), "95th percentile", ""),
        (str(calls), "calls", ""),
        (str(numbers.turns), "turns", ""),
        (str(numbers.barge_ins), "barge-ins", ""),
        (str(numbers.underruns), "underruns", "bad" if numbers.underruns else "good"),
        (
            str(numbers.protocol_errors),
            "protocol errors",
            "bad" if numbers.protocol_errors else "good",
        ),
    ]
    items = "".join(
        f'<div class="tile {state}"><strong>{value}</strong><span>{label}</span></div>'
        for value, label, state in tiles
    )
    return f'<div class="tiles">{items}</div>'


def _table(report: DemoReport, anchors: list[str]) -> str:
    rows = []
    for call, anchor in zip(report.calls, anchors, strict=True):
        numbers = numbers_of([call])
        cells = [
            as_clock(numbers.duration_s),
            str(numbers.turns),
            in_ms(numbers.p50_s),
            in_ms(numbers.p95_s),
            str(numbers.barge_ins),
            str(numbers.underruns),
        ]
        rows.append(
            f'<tr><th scope="row"><a href="#{anchor}">{escape(call.caller_name)}</a></th>'
            f'<td class="text">{escape(call.language)}</td>'
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        )
    heads = ["Length", "Turns", "P50", "P95", "Barge-ins", "Underruns"]
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Caller</th>'
        '<th scope="col" class="text">Language</th>'
        f"{columns}"
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        '<p class="note">Response latency is measured on the recording: from the end of the '
        "caller's speech to the first sound of the reply at the caller's ear.</p>"
    )


def _facts(report: DemoReport) -> str:
    if not report.facts:
        return ""
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
        for label, value in report.facts
    )
    return f'<dl class="facts">{items}</dl>'
