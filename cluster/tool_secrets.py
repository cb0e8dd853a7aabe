"""What tools need of the secrets that the settings carry, and what is missing of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from cluster.secret_variables import PREFIX
from cluster.settings import Settings
from dialogue.agent import Agent


def secret_values(settings: Settings) -> Mapping[str, str]:
    """The secrets of a deployment by name; never for a log."""
    text = settings.tool_secrets.get_secret_value()
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in values.items()} if values else {}


def missing_secrets(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """What tools need and the environment does not hold; one sentence each."""
    known = secret_values(settings)
    sentences = {
        f"agent {agent.agent_id}: tool {tool.name} needs a secret: set {PREFIX}{name}": None
        for agent in agents
        for tool in agent.tools
        for name in getattr(tool.binding, "secrets", ())
        if not known.get(name)
    }
    return list(sentences)
