"""Arguments of tools, held to the JSON schema of the agent's file (draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from providers.tools.errors import ToolUnusable

MAX_SCHEMA_CHARS = 20_000
_MOST_TOLD_CHARS = 300


def check_schema(schema: Mapping[str, Any]) -> None:
    """See that ``schema`` describes an object, and needs nothing from elsewhere.

    Raises:
        ToolUnusable: It does not; says where.
    """
    if schema.get("type") != "object":
        raise ToolUnusable("parameters must be a JSON schema with type: object")
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError):
        raise ToolUnusable("parameters holds what JSON has not, such as a date") from None
    if len(text) > MAX_SCHEMA_CHARS:
        raise ToolUnusable(f"parameters is longer than {MAX_SCHEMA_CHARS} characters")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        place = f"parameters.{where}" if where else "parameters"
        raise ToolUnusable(f"{place}: {error.message[:_MOST_TOLD_CHARS]}") from None
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise ToolUnusable("parameters: $ref must point into the schema itself, as #/$defs/...")
    try:
        Draft202012Validator(schema).is_valid({})
    except Exception as error:  # noqa: BLE001 - a reference to nothing, or to itself
        raise ToolUnusable(
            f"parameters cannot be checked ({type(error).__name__}): see where each $ref points"
        ) from None


def refusal_of(parameters_json: str, arguments: Mapping[str, Any]) -> str:
    """Why these arguments do not fit, in words for the model; empty when they do."""
    try:
        error = best_match(_validator(parameters_json).iter_errors(arguments))
    except Exception:  # noqa: BLE001 - numbers and depths that the checks themselves cannot bear
        return "the arguments are wrong: too deep, or with numbers that are too large"
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.absolute_path)
    said = error.message[:_MOST_TOLD_CHARS]
    return f"the argument {where} is wrong: {said}" if where else f"the arguments are wrong: {said}"


@lru_cache(maxsize=512)
def _validator(parameters_json: str) -> Draft202012Validator:
    nothing = {"type": "object", "additionalProperties": False}
    return Draft202012Validator(json.loads(parameters_json) if parameters_json else nothing)


def _references(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name in {"$ref", "$dynamicRef"} and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
