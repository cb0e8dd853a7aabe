"""What is wrong with a file that a person wrote, in a person's words and not in pydantic's.

Each mistake has a place (the names and numbers that lead to it) and a sentence that says what to
write there instead. A name that does not exist is compared with those that do, at its own place
first and then everywhere else in the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
Model = type[BaseModel]

_PLAIN = {
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "union_tag_not_found": "has no type",
}
_LISTS = {"tuple_type", "list_type", "set_type"}
_FIELDS = {"model_type", "dict_type", "model_attributes_type"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        place: From the top of the file; empty when it is about the whole.
        words: What to change.
    """

    place: Place
    words: str

    def __str__(self) -> str:
        where = ".".join(str(part) for part in self.place)
        return f"{where}: {self.words}" if where else self.words


def mistakes(
    error: ValidationError, root: Model, patterns: Mapping[str, str] | None = None
) -> list[Mistake]:
    """Everything that is wrong, in the order of the fields; one for each place.

    Args:
        error: Of ``root``.
        root: Describes the whole file.
        patterns: What a text that has to fit a regular expression is, in words, by expression.
    """
    found: dict[Place, Mistake] = {}
    for item in error.errors(include_url=False):
        place, models = _walk(tuple(item["loc"]), root)
        words = _words(item, place, models, root, patterns or {})
        if item["type"] == "union_tag_invalid":
            place = (*place, "type")
        found.setdefault(place, Mistake(place, words))
    return list(found.values())


def _words(
    item: Any, place: Place, models: list[Model], root: Model, patterns: Mapping[str, str]
) -> str:
    kind, context = str(item["type"]), item.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "extra_forbidden":
        return f"there is no such field{_meant(place, models, root)}"
    if kind == "union_tag_invalid":
        return f"there is no {context['tag']!r}; there are: {context['expected_tags']}"
    if kind in _LISTS:
        return "must be a list, each entry after a hyphen of its own"
    if kind in _FIELDS:
        return "must hold fields of its own, such as NAME: VALUE"
    if kind == "string_type":
        value = item.get("input")
        is_plain = isinstance(value, bool | int | float)
        return "must be text" + (": put it in quotes" if is_plain else "")
    if kind == "string_pattern_mismatch" and context["pattern"] in patterns:
        return patterns[context["pattern"]]
    said = str(item["msg"]).removeprefix("Value error, ")
    return said.replace("Input should ", "must ").replace("String should ", "must ")


def _meant(place: Place, models: list[Model], root: Model) -> str:
    """The field that was probably meant."""
    name = str(place[-1])
    here = [field for model in models for field in model.model_fields]
    if close := difflib.get_close_matches(name.lower(), here, 1):
        return f"; did you mean {close[0]}?"
    inside = dict(_fields(root, "")).get(name)
    if inside and len(place) == 1:
        return f" here; it belongs into {inside}"
    if inside == "":
        return " here; it belongs to the top"
    return f"; there are: {', '.join(sorted(here))}" if here else ""


def _fields(model: Model, inside: str) -> Iterator[tuple[str, str]]:
    """Every field below ``model``, with the name of the field that it is inside of."""
    for name, info in model.model_fields.items():
        for inner in _models(info.annotation):
            yield from _fields(inner, name)
    for name in model.model_fields:
        yield name, inside


def _walk(loc: Place, root: Model) -> tuple[Place, list[Model]]:
    """The place without the names of alternatives, and the models of its last step."""
    place: list[str | int] = []
    models = [root]
    for at, part in enumerate(loc):
        is_last = at == len(loc) - 1
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        if isinstance(part, int):
            place.append(part)
        elif fields:
            place.append(part)
            if not is_last:
                models = [m for field in fields for m in _models(field.annotation)]
        elif chosen := [m for m in models if part in _tags(m)]:
            models = chosen
        elif models and is_last:  # a field that does not exist
            place.append(part)
    return tuple(place), models


def _models(annotation: Any) -> list[Model]:
    """Every model that an annotation can hold."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in get_args(annotation) for model in _models(part)]


def _tags(model: Model) -> tuple[Any, ...]:
    info = model.model_fields.get("type")
    is_tag = info is not None and get_origin(info.annotation) is Literal
    return get_args(info.annotation) if info is not None and is_tag else ()
