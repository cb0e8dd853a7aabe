"""A replica takes no more calls than it can hear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.capacity import fitting
from cluster.settings import Settings
from dialogue.agent import Agent


def agent(recogniser: str) -> Agent:
    return Agent("t", "a", "v", "en-US", "prompt", "", "voice", recogniser=recogniser)


@pytest.mark.parametrize(
    ("recogniser", "calls", "streams", "expected"),
    [
        ("azure", 100, 25, 25),
        ("azure", 10, 25, 10),
        ("deepgram", 100, 25, 25),
        ("deepgram", 10, 25, 10),
        ("google", 100, 25, 25),
        ("scribe", 100, 25, 25),
        ("openai_transcription", 100, 25, 25),
        ("scripted", 100, 25, 100),
    ],
)
def test_calls_fit_the_recogniser(recogniser: str, calls: int, streams: int, expected: int) -> None:
    prefix = {"openai_transcription": "openai_stt"}.get(recogniser, recogniser)
    settings = Settings(
        mode="development",
        calls_per_replica=calls,
        **{f"{prefix}_streams_per_process": streams},
    )
    assert fitting(settings, [agent(recogniser)]).calls_per_replica == expected


def test_the_smallest_of_those_in_use_counts() -> None:
    settings = Settings(mode="development", deepgram_streams_per_process=40)
    agents = [agent("deepgram"), agent("azure")]
    assert fitting(settings, agents).calls_per_replica == 25
    assert fitting(settings, agents[:1]).calls_per_replica == 40


def test_calls_that_no_recogniser_hears_are_not_bounded_by_it() -> None:
    settings = Settings(mode="development", calls_per_replica=1_000)
    relayed = replace(agent("azure"), mode="relay")
    assert fitting(settings, [relayed]).calls_per_replica == 1_000
    both = replace(relayed, then_modes=("pipeline",))
    assert fitting(settings, [relayed, both]).calls_per_replica == 25
