"""Reads the written cases of ``tests/fixtures/cantonese``."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures" / "cantonese"


def cases(name: str) -> list[tuple[str, ...]]:
    """The fields of every case in one file, in its order."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    kept = (line for line in lines if line and not line.startswith("#"))
    return [tuple(part.strip() for part in line.split(" | ")) for line in kept]
