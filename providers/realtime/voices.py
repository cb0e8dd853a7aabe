"""What an agent may name: voices of the service, and how much its models think.

Source: ``openai.types.realtime`` (openai 3.52).
"""

from __future__ import annotations

from typing import Any, Final

VOICES: Final = (
    "marin",
    "cedar",
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
)
EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh")


def voice_of(name: str) -> str | dict[str, Any]:
    """A voice as ``session.update`` names it: one of one's own is an object with its id."""
    return name if name in VOICES else {"id": name}
