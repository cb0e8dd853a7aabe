"""The page of languages says what the tables say, and the copy in ``docs`` is the newest."""

from __future__ import annotations

from pathlib import Path

from cluster.language_page import language_page
from dialogue.languages import languages
from providers.table import CAPABILITIES

PAGE = Path(__file__).parents[2] / "docs" / "languages.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == language_page(), (
        "callcluster languages --markdown > docs/languages.md"
    )


def test_every_language_and_every_provider_is_on_it() -> None:
    page = language_page()
    for row in languages().values():
        assert row.native in page
        assert page.count(f"| {row.name} |") == 3, row.name
    for kind, name in CAPABILITIES:
        if kind != "thinker" and name not in {"scripted", "tone"}:
            assert f"`{name}`" in page


def test_who_has_no_cantonese_says_so() -> None:
    hears, speaks = language_page().split("## Who speaks it")
    row = next(line for line in speaks.splitlines() if line.startswith("| Cantonese |"))
    names = next(line for line in speaks.splitlines() if "`elevenlabs`" in line)
    cells = dict(zip(names.split(" | "), row.split(" | "), strict=True))
    assert cells["`elevenlabs`"] == "no"
    assert cells["| | `azure`" if "| | `azure`" in cells else "`azure`"].endswith("yes")
    assert "Cantonese" in hears
