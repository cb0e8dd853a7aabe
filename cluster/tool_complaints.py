"""What keeps the tools of agents from being run, and what to change."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.settings import Settings
from cluster.tool_secrets import missing_secrets
from dialogue.agent import Agent


def tool_complaints(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """One sentence for each thing that is missing."""
    return missing_secrets(settings, agents)
