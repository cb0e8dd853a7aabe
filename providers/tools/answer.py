"""What the model reads of a tool's answer: the part that the agent's file names, and not too much.

Every result is one JSON object with a ``status``: ``done`` with an ``answer``, or ``failed``,
``timeout``, ``unavailable`` with an ``error`` in words.
"""

from __future__ import annotations

import json
from typing import Any

from providers.tools.bindings import Shown
from providers.tools.errors import ToolFailed

CUT = " … (cut)"
_MISSING = object()


def done(answer: object, shown: Shown) -> str:
    """The result of a tool that did its work.

    Raises:
        ToolFailed: ``shown`` names parts, and the answer has none.
    """
    if shown.paths:
        if not isinstance(answer, dict | list):
            raise ToolFailed("its answer is not an object")
        found = {path: at_path(answer, path) for path in shown.paths}
        answer = {path: value for path, value in found.items() if value is not _MISSING}
    return json.dumps(
        {"status": "done", "answer": limited(answer, shown.chars)}, ensure_ascii=False
    )


def failed(status: str, error: str, answer: object = None, *, chars: int = 500) -> str:
    """The result of a tool that did not do its work."""
    told: dict[str, Any] = {"status": status, "error": error}
    if answer not in (None, ""):
        told["answer"] = limited(answer, chars)
    return json.dumps(told, ensure_ascii=False)


def limited(answer: object, chars: int) -> object:
    """The answer, or the beginning of it as text."""
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return answer if len(text) <= chars else text[:chars] + CUT


def at_path(value: object, path: str) -> object:
    """What stands at ``a.0.b``; a mark of its own for nothing."""
    for name in path.split("."):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def read(body: bytes, *, is_json: bool) -> object:
    """The answer in a body: JSON where it is one, else text.

    Raises:
        ToolFailed: It says that it is JSON and is not.
    """
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return ""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if is_json:
            raise ToolFailed("its answer is not valid JSON") from None
        return text
