"""Ports of emulators that a stage starts and nobody on it asks."""

from __future__ import annotations

from typing import Final

# Any free port: the defaults are one set for a person at a terminal, and a stage may have several.
UNASKED: Final = (
    "--realtime-port=0",
    "--cartesia-port=0",
    "--openai-stt-port=0",
    "--scribe-port=0",
)
