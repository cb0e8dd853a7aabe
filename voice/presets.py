"""How quick an agent is, by name: one table, for people who do not want to choose numbers.

The silences are those behind words that say nothing about the end; evidence shortens and prolongs
them (``voice.evidence``). What each preset comes to on labelled recordings, always a latency and a
share of turns cut off, is on the page about turn-taking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from voice.endpoint_config import EndpointConfig
from voice.errors import BadVoiceConfig

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Preset:
    """One way of taking turns.

    Attributes:
        endpoint: When the caller counts as finished.
        max_waste_ratio: Replies prepared in vain, of all, before guessing gets choosier.
    """

    endpoint: EndpointConfig
    max_waste_ratio: float


PRESETS: Final[Mapping[str, Preset]] = {
    # Would rather answer late than cut in.
    DEFAULT: Preset(
        EndpointConfig(
            eager_silence_s=0.3,
            commit_silence_s=1.55,
            longest_silence_s=2.5,
            few_words_factor=1.3,
            model_least=0.62,
            unjudged_factor=0.8,
            words_weight=0.5,
            words_neutral=0.75,
            spoken_weight=0.3,
            lead_margin_s=-0.15,
        ),
        max_waste_ratio=0.15,
    ),
    # Answers sooner, and cuts in more often.
    "eager": Preset(
        EndpointConfig(
            eager_silence_s=0.2,
            commit_silence_s=1.1,
            longest_silence_s=2.0,
            few_words_factor=1.3,
            model_least=0.73,
            unjudged_factor=0.8,
            words_weight=0.5,
            words_neutral=0.75,
            spoken_weight=0.3,
            lead_margin_s=0.1,
            some_digits_s=0.7,
            enough_digits_s=0.5,
        ),
        max_waste_ratio=0.35,
    ),
    # For callers who think while they speak.
    "patient": Preset(
        EndpointConfig(
            eager_silence_s=0.4,
            commit_silence_s=2.2,
            longest_silence_s=3.5,
            few_words_factor=1.3,
            lead_margin_s=-0.1,
            answer_silence_s=0.4,
            digits_silence_s=0.25,
            some_digits_s=1.2,
            enough_digits_s=0.9,
        ),
        max_waste_ratio=0.15,
    ),
}


def endpoint_of(name: str, **changes: float | None) -> EndpointConfig:
    """The preset called ``name`` with some of its numbers changed; None leaves one as it is.

    Raises:
        BadVoiceConfig: There is no such preset, or the numbers contradict each other.
    """
    if name not in PRESETS:
        raise BadVoiceConfig(f"there is no preset {name}; there are: {', '.join(PRESETS)}")
    given: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    longest_s = PRESETS[name].endpoint.longest_silence_s
    commit_s = given.get("commit_silence_s", 0.0)
    if "longest_silence_s" not in given and commit_s > longest_s:
        given["longest_silence_s"] = commit_s
    return replace(PRESETS[name].endpoint, **given)
