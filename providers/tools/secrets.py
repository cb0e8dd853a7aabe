"""Secrets put into what is sent, at the last moment and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from providers.tools.bindings import HeaderValue
from providers.tools.errors import ToolUnusable


def with_secrets(
    values: Iterable[tuple[str, HeaderValue]], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Names to texts, secrets in their places.

    Raises:
        ToolUnusable: One of them is missing; says which.
    """
    told: dict[str, str] = {}
    for name, value in values:
        if isinstance(value, str):
            told[name] = value
            continue
        secret = secrets.get(value.name, "")
        if not secret:
            raise ToolUnusable(f"its secret {value.name} is missing here")
        told[name] = value.before + secret
    return told
