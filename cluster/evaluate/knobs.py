"""The machine's configuration under test: the product's own, with some numbers changed.

A number is named as in ``voice.config``: ``commit_silence_s``, or ``endpoint.commit_silence_s``
where two parts have one of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from cluster.errors import SettingsError
from cluster.settings import Settings
from cluster.voice_config import voice_config
from dialogue.agent import Agent, TurnTaking
from voice.config import VoiceConfig
from voice.errors import BadVoiceConfig
from voice.presets import DEFAULT, PRESETS

Changes = Mapping[str, float]
_MOST_VALUES = 200  # of a sweep: each is a run of its own


def configs_of(changes: Changes, preset: str = DEFAULT) -> Callable[[str], VoiceConfig]:
    """The configuration for each language: a preset of turn-taking, with ``changes``.

    Raises:
        SettingsError: There is no such preset or number, or what results contradicts itself.
    """
    if preset not in PRESETS:
        raise SettingsError(f"--preset: there is no {preset}; choose from {', '.join(PRESETS)}")
    made: dict[str, VoiceConfig] = {}

    def config(language: str) -> VoiceConfig:
        if language not in made:
            made[language] = changed(_default(language, preset), changes)
        return made[language]

    config("en-US")  # say now what is wrong
    return config


def _default(language: str, preset: str) -> VoiceConfig:
    agent = Agent(
        tenant_id="evaluate",
        agent_id="evaluate",
        agent_version="1",
        language=language,
        prompt="",
        greeting="",
        voice="",
        turn_taking=TurnTaking(preset=preset),
    )
    # As it is without any environment: a measurement is not to depend on whose shell it is.
    return voice_config(agent, Settings.model_construct())


def changed(config: VoiceConfig, changes: Changes) -> VoiceConfig:
    """A configuration with some numbers changed. Raises ``SettingsError``."""
    by_part: dict[str, dict[str, Any]] = {}
    places = _places(config)
    for name, value in changes.items():
        found = [place for place in places if name in (place, place.rpartition(".")[2])]
        if len(found) != 1:
            known = ", ".join(sorted(place.rpartition(".")[2] for place in places))
            many = f"write one of {', '.join(found)}" if found else f"there are: {known}"
            raise SettingsError(f"no single number is called {name}; {many}")
        part, _, field = found[0].rpartition(".")
        by_part.setdefault(part, {})[field] = places[found[0]](value)
    try:
        for part, values in by_part.items():
            if part:
                values = {part: replace(getattr(config, part), **values)}
            config = replace(config, **values)
    except BadVoiceConfig as error:
        raise SettingsError(f"{dict(changes)}: {error}") from None
    return config


def _places(config: VoiceConfig) -> dict[str, Callable[[float], Any]]:
    """Every number of the configuration, and how it is made of a float."""
    found: dict[str, Callable[[float], Any]] = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            for inner in fields(value):
                kind = _maker(getattr(value, inner.name))
                if kind is not None:
                    found[f"{field.name}.{inner.name}"] = kind
        elif (kind := _maker(value)) is not None:
            found[field.name] = kind
    return found


def _maker(value: object) -> Callable[[float], Any] | None:
    if isinstance(value, bool):
        return bool
    if isinstance(value, int):
        return round
    return float if isinstance(value, float) else None


def parse_changes(texts: Sequence[str]) -> dict[str, float]:
    """``name=value`` each. Raises ``SettingsError``."""
    changes: dict[str, float] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            changes[name.strip()] = _finite(value)
        except ValueError:
            sign = ""
        if not sign:
            raise SettingsError(f"--set {text}: write name=number, such as commit_silence_s=0.4")
    return changes


def parse_sweep(text: str) -> tuple[str, tuple[float, ...]]:
    """``name=first:last:step`` or ``name=a,b,c``. Raises ``SettingsError``."""
    name, _, values = text.partition("=")
    try:
        if ":" in values:
            first, last, step = (_finite(part) for part in values.split(":"))
            if step <= 0 or last < first or (last - first) / step >= _MOST_VALUES:
                raise ValueError
            count = int((last - first) / step + 1e-6) + 1
            return name.strip(), tuple(round(first + step * n, 6) for n in range(count))
        return name.strip(), tuple(_finite(part) for part in values.split(","))
    except ValueError:
        raise SettingsError(
            f"--sweep {text}: write name=first:last:step, such as commit_silence_s=0.2:1.0:0.1,"
            f" or name=a,b,c; at most {_MOST_VALUES} values"
        ) from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
