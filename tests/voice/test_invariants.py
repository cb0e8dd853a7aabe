"""Random calls: whatever comes in whatever order, some things never happen."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.world import CHUNK_BYTES, STEPS, WORDS, World
from voice.events import AbandonTurn, BeginTurn, CommitTurn, HangUpRequested, RetractTurn

WEIGHTS = {
    "speech": (6, 40),
    "silence": (8, 60),
    "stall": (1, 100),
    "interim": (5, len(WORDS) - 1),
    "final": (4, len(WORDS) - 1),
    "digit": (0.5, 15),
    "segment": (9, 2),
    "finish": (5, 2),
    "fail": (0.5, 9),
    "audio": (12, CHUNK_BYTES),
    "audio_end": (8, 0),
    "audio_fail": (0.5, 5),
    "echo": (3, 5),
}


def likely_call(seed: int) -> list[tuple[str, int]]:
    """A long call in which most things go well: such are rare among arbitrary ones."""
    dice = random.Random(seed)
    names = dice.choices(list(WEIGHTS), [weight for weight, _ in WEIGHTS.values()], k=120)
    return [(name, dice.randint(0, WEIGHTS[name][1])) for name in names]


def play(steps: list[tuple[str, int]]) -> World:
    world = World()
    for name, number in steps:
        world.step(name, number)
    return world


def check_fates(world: World) -> None:
    """Every attempt was taken or given up in the end, and what was taken is settled."""
    for key in world.turns:
        fates = [
            type(output)
            for _, output in world.log
            if isinstance(output, CommitTurn | RetractTurn | AbandonTurn)
            and (output.turn_id, output.guess) == key
        ]
        assert fates, "nothing stays prepared"
        assert fates[-1] is not RetractTurn
    assert world.was_taken <= set(world.settled)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_no_call_breaks_the_laws_and_every_call_ends(steps: list[tuple[str, int]]) -> None:
    world = play(steps)
    world.put(HangUpRequested("drain", None))
    world.pass_time(500, None)
    assert world.ended, "a call that is asked to end does end"
    check_fates(world)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_the_same_events_give_the_same_outputs(steps: list[tuple[str, int]]) -> None:
    assert play(steps).log == play(steps).log


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_a_lost_stream_leaves_nothing_open(steps: list[tuple[str, int]]) -> None:
    world = play(steps)
    world.session.close(now=world.now)
    world.drain()
    check_fates(world)


@pytest.mark.parametrize("seed", range(25))
def test_long_calls_obey_the_laws_too(seed: int) -> None:
    world = play(likely_call(seed))
    world.session.close(now=world.now)
    world.drain()
    check_fates(world)
    assert world.settled == sorted(world.settled)


def test_the_worlds_are_worth_their_while() -> None:
    """What the laws are about does happen: otherwise they would hold for nothing."""
    seen: Counter[str] = Counter()
    for seed in range(25):
        world = play(likely_call(seed))
        seen.update(type(output).__name__ for _, output in world.log)
        seen["two at once"] += any(
            earlier.turn_id == later.turn_id and earlier.speculative and later.speculative
            for earlier, later in pairwise(
                output for _, output in world.log if isinstance(output, BeginTurn)
            )
        )
    least = {"RetractTurn": 20, "PauseSpeech": 3, "two at once": 5}
    assert {name: seen[name] for name in least if seen[name] < least[name]} == {}
