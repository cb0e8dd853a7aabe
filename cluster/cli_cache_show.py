"""What ``callcluster cache inspect`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from cluster.cli_console import say, show


def show_list(summary: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """The cache in a line or two, and some entries, as the desk tells them."""
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(summary["by_status"].items()))
    size = f"{summary['size_bytes'] / (1 << 20):.1f} MB"
    entries, served = summary["entries"], summary["served"]
    say(f"{entries:,} entries ({counts or 'none'}), {size}, given {served:,} times")
    checked = summary.get("checked", {})
    if any(checked.values()):
        say(f"asked again: {checked['right']:,} were right, {checked['wrong']:,} were not")
    if not summary["encoder"]:
        say("no encoder: questions in the same words only")
    if summary["not_kept"]:
        refused = ", ".join(
            f"{count:,} {why}" for why, count in sorted(summary["not_kept"].items())
        )
        say(f"not kept since its start: {refused}")
    if not found["rows"]:
        return
    table = Table("entry", "status", "given", "agent", "question", "answer", "from", box=None)
    for row in found["rows"]:
        table.add_row(
            str(row["entry_id"]),
            row["status"],
            str(row["counters"]["served"]),
            row["scope"]["agent_id"],
            _short(row["question"]),
            _short(row["answer"]),
            row["source"] or row["provenance"],
        )
    show(table)
    if found["total"] > len(found["rows"]):
        say(f"{len(found['rows'])} of {found['total']:,}: --limit shows more")


def show_entry(row: Mapping[str, Any]) -> None:
    """All that is known of one entry."""
    table = Table("", "", box=None, show_header=False)
    scope = row["scope"]
    what = {
        "entry": row["entry_id"],
        "status": row["status"],
        "question": row["question"],
        "answer": row["answer"],
        "answer id": row["answer_id"],
        "kind": f"{row['storage_class']}, from {row['provenance']}",
        "learned from": row["source"] or "not known",
        "made": _when(row["created_s"]),
        "ends": _when(row["expires_s"]),
        "tags": ", ".join(row["tags"]) or "none",
        "callers": f"{row['callers']} had this answer, "
        f"{row['callers_of_question']} to this question",
        "given": row["counters"]["served"],
        "checked": f"{row['counters']['right']} right, {row['counters']['wrong']} wrong",
        "complaints": f"{row['counters']['repeats']} asked again, "
        f"{row['counters']['barge_ins']} spoke against it",
        "similar questions": "found" if row["has_vector"] else "not found: no encoder had it",
        "scope": ", ".join(f"{name} {value}" for name, value in scope.items() if value),
    }
    for name, value in what.items():
        table.add_row(name, str(value))
    show(table)


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _when(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
