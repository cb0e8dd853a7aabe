"""One conversation in three modes as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1080px;padding:24px;color:#111827}
h1{font-size:24px}h2{font-size:18px;margin-top:32px}table{border-collapse:collapse;width:100%}
td,th{padding:4px 12px;border-bottom:1px solid #e5e7eb;text-align:right}
td:first-child,th:first-child{text-align:left}tr:nth-last-child(-n+2) td{font-weight:600}
table.plain tr td{font-weight:400}
table.said td,table.said th{text-align:left;vertical-align:top;font-weight:400}
td{font-variant-numeric:tabular-nums}tbody tr:hover{background:#f9fafb}
"""

Rows = Sequence[Sequence[str]]


def mode_page(talks: Rows, costs: Rows, said: Rows, *, differences: Sequence[str]) -> str:
    """The whole document; the first row of each table is its heading.

    Args:
        talks: What was had.
        costs: By part of the bill.
        said: Turn by turn.
        differences: In words; none: there are none.
    """
    told = differences or ["The same words and the same tools in all modes."]
    items = "".join(f"<li>{escape(line)}</li>" for line in told)
    title = "One conversation in three modes"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<ul>{items}</ul><h2>What was had</h2>{_table(talks, 'plain')}"
        f"<h2>What it cost</h2>{_table(costs, 'cost')}"
        f"<h2>What was said and done</h2>{_table(said, 'said')}</body></html>\n"
    )


def _table(rows: Rows, kind: str) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:]
    )
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
