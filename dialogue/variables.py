"""Variables of a call in what its agent says: ``{name}`` in the prompt and the greeting.

A placeholder is a name in braces, letters, digits and underscores; any other brace is left as it
is. Values are put in once: braces in a value are words, never another placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from dialogue.agent import Agent

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")


def placeholders(agent: Agent) -> frozenset[str]:
    """Names of the variables that the prompt and the greeting of ``agent`` want."""
    return frozenset(_PLACEHOLDER.findall(agent.prompt) + _PLACEHOLDER.findall(agent.greeting))


def fill(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with its placeholders replaced; those without a variable stay."""
    return _PLACEHOLDER.sub(lambda found: variables.get(found[1], found[0]), text)


def personal(agent: Agent, variables: Mapping[str, str]) -> Agent:
    """The agent as it speaks in a call with these variables."""
    if not variables:
        return agent
    return replace(
        agent, prompt=fill(agent.prompt, variables), greeting=fill(agent.greeting, variables)
    )
