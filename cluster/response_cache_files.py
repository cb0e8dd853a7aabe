"""Files of questions and answers, for ``callcluster cache import``: CSV, JSON lines, YAML.

Every card has ``question`` (or ``questions``, a list) and ``answer``; ``tags``, ``ttl``,
``answer_id``, ``caller`` and ``next`` (ids of the answers that are likely to be wanted after this
one) are optional. What ``callcluster cache export`` writes is read again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cache.entry import TtlClass
from cache.errors import ImportInvalid

MOST_FILE_BYTES: Final = 64 << 20
_FIELDS: Final = ("answer_id", "caller")
_FORMS: Final = ".csv, .jsonl, .ndjson, .yaml and .yml"
Card = dict[str, Any]


def read_cards(path: Path) -> list[Card]:
    """The cards of a file, one for each question, each with its ``source``.

    Raises:
        ImportInvalid: The file cannot be read, or a card lacks something; says which and what is
            wanted, and nothing of what was asked or answered.
    """
    rows = _READERS.get(path.suffix.lower())
    if rows is None:
        raise ImportInvalid(f"{path}: a file of another kind than {_FORMS}")
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ImportInvalid(f"{path} is larger than {MOST_FILE_BYTES >> 20} MB: split it")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ImportInvalid(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ImportInvalid(f"{path} is not UTF-8: save it as UTF-8") from None
    cards = []
    for place, row in rows(path, text):
        cards += _cards_of(f"{path.name}:{place}", row)
    if not cards:
        raise ImportInvalid(f"{path} holds no question")
    return cards


def _from_csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if "question" not in names or "answer" not in names:
        raise ImportInvalid(f"{path}: its first line must name the columns: question,answer,tags")
    reader.fieldnames = names
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ImportInvalid(f"{path}:{reader.line_num}: {error}") from None


def _from_json_lines(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            raise ImportInvalid(f"{path}:{number}: no JSON: one object a line") from None


def _from_yaml(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise ImportInvalid(f"{path}{place}: no YAML") from None
    if isinstance(found, Mapping) and isinstance(found.get("faq"), list):
        found = found["faq"]
    if isinstance(found, Mapping):
        found = [{"question": asked, "answer": said} for asked, said in found.items()]
    if not isinstance(found, list):
        raise ImportInvalid(f"{path}: a list of cards, or answers by question, is wanted")
    yield from enumerate(found, 1)


def _cards_of(source: str, row: Any) -> list[Card]:
    if not isinstance(row, Mapping):
        raise ImportInvalid(f"{source}: a card has a question and an answer")
    asked = row.get("questions", row.get("question"))
    asked = asked if isinstance(asked, list) else [asked]
    said = row.get("answer")
    texts = [text.strip() for text in asked if isinstance(text, str) and text.strip()]
    if len(texts) != len(asked) or not isinstance(said, str) or not said.strip():
        raise ImportInvalid(f"{source}: a card has a question and an answer, both of them text")
    ttl = row.get("ttl") or ""
    if ttl and ttl not in set(TtlClass):
        known = ", ".join(one.value for one in TtlClass)
        raise ImportInvalid(f"{source}: ttl is one of {known}")
    card: Card = {"answer": said.strip(), "ttl": ttl, "tags": _tags(row.get("tags"))}
    if then := _tags(row.get("next")):
        card["next"] = then
    card |= {name: value for name in _FIELDS if isinstance(value := row.get(name), str) and value}
    return [{**card, "question": text, "source": source} for text in texts]


def _tags(value: Any) -> list[str]:
    """A list, or words with commas, semicolons or bars between."""
    if isinstance(value, list):
        return [str(tag).strip() for tag in value if str(tag).strip()]
    if not isinstance(value, str):
        return []
    return [
        tag.strip() for tag in value.replace(";", ",").replace("|", ",").split(",") if tag.strip()
    ]


_READERS: Final[Mapping[str, Callable[[Path, str], Iterator[tuple[int, Any]]]]] = {
    ".csv": _from_csv,
    ".jsonl": _from_json_lines,
    ".ndjson": _from_json_lines,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
}
