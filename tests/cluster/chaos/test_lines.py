"""What the callers of a chaos run say, and in how long a call."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import cast

from cluster.chaos.lines import Lines
from cluster.chaos.plan import ChaosPlan
from simulation.caller_script import Leave, Listen, Speak, Step
from simulation.carrier import Carrier


@dataclass(frozen=True, slots=True)
class Nobody:
    url: str = "http://127.0.0.1:1"
    auth_token: str = "t"


def test_first_calls_are_of_any_length_and_all_others_whole() -> None:
    """Callers who began together would call again together, as no callers do."""
    lines = Lines(Nobody(), ChaosPlan(calls=20), cast(Carrier, object()))

    def said(seed: int, *, is_first: bool) -> list[Step]:
        return list(lines._script(Random(seed), is_first=is_first))

    def turns(seed: int, *, is_first: bool) -> int:
        return sum(isinstance(step, Speak) for step in said(seed, is_first=is_first))

    assert {turns(seed, is_first=False) for seed in range(20)} == {4}
    assert {turns(seed, is_first=True) for seed in range(40)} == {1, 2, 3, 4}
    assert said(3, is_first=True) == said(3, is_first=True), "the same seed, the same callers"
    for seed in range(5):
        steps = said(seed, is_first=True)
        assert [type(step) for step in steps[-2:]] == [Listen, Leave]
