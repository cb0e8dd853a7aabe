"""What is deployed, as one word: when it changes, replicas and CallActors are replaced.

Ray Serve replaces the replicas of a deployment when its arguments change, and the directory
replaces CallActors when it is told of something newer. Neither looks at an agent's file or at code.
So both are told a *release*: when it was first deployed, and a digest of code, agents and settings.
What runs already and is the same gets the same release, and nobody is replaced. How many ingress
replicas there are is no part of it: more of the same are started, or some of them retired.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cluster.agents import load_tenants
from cluster.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "actors",
    "cache",
    "cluster",
    "dialogue",
    "providers",
    "records",
    "telemetry",
    "telephony",
    "voice",
)
_DIGITS = 12
_COUNTS = frozenset(
    {"ingress_replicas", "max_ingress_replicas"}
)  # settings that no process behaves by


def released(settings: Settings, running: Callable[[], str], now_s: float) -> Settings:
    """The settings with their release.

    Args:
        settings: Of the deployment; ``release`` is a word of the operator's own, or empty.
        running: What the cluster runs, as this function named it; empty when nothing.
        now_s: UTC seconds.

    Raises:
        SettingsError: The agents cannot be read.
    """
    digest = digest_of(settings)
    before = running()
    if before.partition("-")[2] == digest:
        return settings.model_copy(update={"release": before})
    # Always newer than what runs, whatever the clock of this machine says.
    seconds = max(int(now_s), _seconds_of(before) + 1)
    return settings.model_copy(update={"release": f"{seconds:010d}-{digest}"})


def digest_of(settings: Settings) -> str:
    """Of the code, the agents and the settings. Raises ``SettingsError``."""
    agents = load_tenants(settings.agents_dir, settings.tenant_id)
    versions = sorted((*key, agent.agent_version) for key, agent in agents.items())
    plain = {name: value for name, value in settings.to_plain().items() if name not in _COUNTS}
    whole = json.dumps([_code(), versions, plain], sort_keys=True)
    return hashlib.blake2b(whole.encode()).hexdigest()[:_DIGITS]


def _seconds_of(release: str) -> int:
    seconds = release.partition("-")[0]
    return int(seconds) if seconds.isdigit() else 0


@cache
def _code() -> str:
    """A digest of every module of ours that a process of the product may import."""
    found = hashlib.blake2b()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            found.update(path.name.encode())
            found.update(path.read_bytes())
    return found.hexdigest()
