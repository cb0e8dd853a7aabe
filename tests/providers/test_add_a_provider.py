"""The page about adding a provider names what is there."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/add-a-provider.md").read_text("utf-8")
ROOMS = ("providers", "voice", "dialogue", "cluster", "simulation", "telemetry", "tests")
QUOTED = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
FILES = sorted({quoted for quoted in QUOTED if re.fullmatch(r"[a-z][\w/*]+\.(py|yaml)", quoted)})
NAMES = sorted({quoted for quoted in QUOTED if re.fullmatch(r"_?[A-Za-z]\w*", quoted)})


def test_every_file_that_it_names_is_there() -> None:
    assert len(FILES) > 30
    for name in FILES:
        folders = (ROOT, *(ROOT / room for room in ROOMS))
        found = chain.from_iterable(folder.glob(f"**/{name}") for folder in folders[1:])
        assert any(ROOT.glob(name)) or any(found), name


def test_every_name_that_it_gives_is_used() -> None:
    """Of classes, functions, tables and fields; ``my_service`` is the reader's own."""
    folders = (*ROOMS[:-1], "tests/providers", "tests/support")
    files = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)
    written = "\n".join(path.read_text("utf-8") for path in files if path != Path(__file__))
    assert len(NAMES) > 30
    assert [name for name in NAMES if name not in written] == ["my_service"]
