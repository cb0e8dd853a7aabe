"""The pages: every link leads somewhere; commands, options and settings that they name exist.

The changelog tells of older versions as well: of it only links are checked.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cluster.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
CURRENT = [name for name in NAMES if name != "CHANGELOG.md"]


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(each) for each in re.findall(r"^#+ +(.*)$", page.read_text("utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def commands_of(text: str) -> Iterator[str]:
    """Command lines in code spans and blocks, without the comment behind them."""
    yield from re.findall(r"`(?:~/venv/bin/)?callcluster ([^`]+)`", text)
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        lines = block.replace("\\\n", " ")
        for line in re.findall(r"(?:^|[ /])callcluster ([^\n]+)", lines):
            yield line.split("  #")[0]


@pytest.mark.parametrize("name", CURRENT)
def test_every_command_exists_with_its_options(name: str) -> None:
    unknown = []
    for line in commands_of((ROOT / name).read_text("utf-8")):
        command: Any = get_command(app)
        words = line.split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        if hasattr(command, "commands") and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            unknown.append(line)
        known = {"--help", "-h"}
        for each in command.params:
            known |= {*each.opts, *each.secondary_opts}
        unknown += [f"{line}: {word}" for word in options_of(words) if word not in known]
    assert unknown == []


def options_of(words: list[str]) -> list[str]:
    """Options among words; what stands behind a pipe or `--` is of another program."""
    found = []
    for word in words:
        if word in {"|", "--", "&&", ";", ">"}:
            break
        bare = word.strip("[],.;")
        if re.match(r"--?[a-z]", bare):
            found.append(bare.split("=")[0])
    return found


@pytest.mark.parametrize("name", CURRENT)
def test_every_benchmark_and_target_of_make_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    source = "".join(each.read_text("utf-8") for each in (ROOT / "benchmarks").rglob("*.py"))
    lines = re.findall(r"python -m benchmarks\.([a-z_]+)([^`\n]*)", text)
    unknown = []
    for module, rest in lines:
        place = ROOT / "benchmarks" / module
        if not place.with_suffix(".py").exists() and not (place / "__main__.py").exists():
            unknown.append(module)
        options = options_of(rest.split("  #")[0].split())
        unknown += [f"{module} {each}" for each in options if f'"{each}"' not in source]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", text, re.MULTILINE)
    unknown += [each for pair in named for each in pair if each and each not in targets]
    assert unknown == []


@pytest.mark.parametrize("name", CURRENT)
def test_every_setting_is_on_the_page_of_settings(name: str) -> None:
    told = (ROOT / "docs" / "settings.md").read_text("utf-8")
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"\bCALLCLUSTER_[A-Z0-9_]*[A-Z0-9]\b", text))
    own = {each for each in named if each.startswith("CALLCLUSTER_SECRET_")}  # a person's names
    assert {each for each in named - own if each not in told} == set()
