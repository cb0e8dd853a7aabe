"""Random calls: whatever comes in whatever order, some things never happen.

A small world answers the session as a driver would, late, out of order, or not at all; its events
are drawn by Hypothesis. Audio carries its guess in its bytes, so every byte sent can be traced.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.events import (
    AbandonTurn,
    BeginTurn,
    CallStarted,
    ClearPlayout,
    CommitTurn,
    DigitPressed,
    EndCall,
    FinalHeard,
    FrameHeard,
    HangUpRequested,
    Input,
    InterimHeard,
    MarkPlayed,
    Output,
    ReplyFailed,
    ReplyFinished,
    SegmentPlanned,
    SendAudio,
    SendMark,
    SpeechArrived,
    SpeechFailed,
    SpeechFinished,
    Synthesise,
    TurnSettled,
)
from voice.playout import ULAW_SILENCE
from voice.ports import FRAME_S
from voice.session import VoiceConfig, VoiceSession

WORDS = ("", "yes", "um", "book a table", "book a table please", "我想訂檯", "no wait")
STEPS = st.one_of(
    st.tuples(st.just("speech"), st.integers(1, 40)),
    st.tuples(st.just("silence"), st.integers(1, 60)),
    st.tuples(st.just("stall"), st.integers(1, 100)),
    st.tuples(st.just("interim"), st.integers(0, len(WORDS) - 1)),
    st.tuples(st.just("final"), st.integers(0, len(WORDS) - 1)),
    st.tuples(st.just("digit"), st.integers(0, 15)),
    st.tuples(st.just("segment"), st.integers(0, 2)),
    st.tuples(st.just("finish"), st.integers(0, 9)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("audio"), st.integers(0, 5000)),
    st.tuples(st.just("audio_end"), st.integers(0, 5)),
    st.tuples(st.just("audio_fail"), st.integers(0, 5)),
    st.tuples(st.just("echo"), st.integers(0, 5)),
)


class World:
    """A session, its clock, and the laws that hold for its outputs."""

    def __init__(self) -> None:
        self.session = VoiceSession(VoiceConfig(reply_wait_s=3.0, idle_prompt_s=4.0))
        self.now = 10.0
        self.log: list[tuple[float, Output]] = []
        self.dead: set[tuple[int, int]] = set()
        self.committed: set[tuple[int, int]] = set()
        self.settled: list[int] = []
        self.requests: list[Synthesise] = []
        self.turns: list[tuple[int, int]] = []
        self.planned: dict[tuple[int, int], int] = {}
        self.colours: dict[tuple[int, int], int] = {}
        self.marks: list[str] = []
        self.ended = False
        self.put(CallStarted("Welcome."))

    def put(self, event: Input) -> None:
        self.session.receive(event, now=self.now)
        self.drain()

    def drain(self) -> None:
        count = 0
        while (output := self.session.next_output()) is not None:
            count += 1
            assert count < 200, "one event must not cause endless outputs"
            self.check(output)
            self.log.append((self.now, output))

    def check(self, output: Output) -> None:
        assert not self.ended, "nothing after EndCall"
        match output:
            case BeginTurn():
                key = (output.turn_id, output.guess)
                assert key not in self.turns, "an attempt is begun once"
                assert output.turn_id not in self.settled
                self.turns.append(key)
            case CommitTurn():
                key = (output.turn_id, output.guess)
                assert key == self.turns[-1], "only the last attempt can be taken"
                assert key not in self.dead
                self.committed.add(key)
            case AbandonTurn():
                self.dead.add((output.turn_id, output.guess))
            case Synthesise():
                key = (output.turn_id, output.guess)
                assert key not in self.dead, "no voice for a dead guess"
                self.requests.append(output)
            case SendAudio():
                self.check_audio(output.ulaw)
            case SendMark():
                assert output.name not in self.marks
                self.marks.append(output.name)
            case TurnSettled():
                assert output.turn_id not in self.settled, "a turn settles once"
                if output.outcome == "heard":
                    assert output.heard_text == output.agent_text
                self.settled.append(output.turn_id)
            case EndCall():
                self.ended = True
            case ClearPlayout():
                pass

    def check_audio(self, ulaw: bytes) -> None:
        assert len(ulaw) % 160 == 0
        for key, colour in self.colours.items():
            if colour in ulaw:
                assert key[0] not in self.settled, "no audio of a settled turn"
                was_asked = key in self.turns
                assert not was_asked or key in self.committed, "no audio of a mere guess"
                assert key not in self.dead, "no audio of an abandoned guess"

    def colour(self, request: Synthesise) -> int:
        key = (request.turn_id, request.guess)
        return self.colours.setdefault(key, len(self.colours) % 250 + 1)

    def pass_time(self, frames: int, speech: bool | None) -> None:
        for _ in range(frames):
            end = self.now + FRAME_S
            spins = 0
            while (at := self.session.next_deadline()) is not None and at <= end:
                self.now = max(at, self.now)
                self.session.handle_deadline(now=self.now)
                self.drain()
                spins += 1
                assert spins < 30, "a deadline that never passes"
            self.now = end
            if speech is not None:
                self.put(FrameHeard(speech, -30.0))

    def step(self, name: str, number: int) -> None:
        match name:
            case "speech" | "silence" | "stall":
                self.pass_time(number, None if name == "stall" else name == "speech")
            case "interim":
                self.put(InterimHeard(WORDS[number], 0.0))
            case "final":
                self.put(FinalHeard(WORDS[number], 0.0))
            case "digit":
                self.put(DigitPressed("0123456789*#ABCD"[number]))
            case "echo":
                if self.marks:
                    self.put(MarkPlayed(self.marks[-1 - number % len(self.marks)]))
            case "segment" | "finish" | "fail":
                self.think(name, number)
            case _:
                self.speak(name, number)

    def think(self, name: str, number: int) -> None:
        if not self.turns:
            return
        key = self.turns[-1 - number % min(2, len(self.turns))]
        if name == "segment":
            self.put(SegmentPlanned(*key, self.planned.get(key, 0), f"Some words {number}."))
            self.planned[key] = self.planned.get(key, 0) + 1
        elif name == "finish":
            action = {"verb": "dial"} if number == 8 else {}
            self.put(ReplyFinished(*key, hang_up=number == 9, action=action))
        elif number < 4:
            self.put(ReplyFailed(*key, "busy"))

    def speak(self, name: str, number: int) -> None:
        if not self.requests:
            return
        request = self.requests[-1 - number % min(3, len(self.requests))]
        key = (request.turn_id, request.guess, request.index)
        if name == "audio":
            self.put(SpeechArrived(*key, bytes([self.colour(request)]) * number))
        elif name == "audio_end":
            self.put(SpeechFinished(*key))
        elif number < 2:
            self.put(SpeechFailed(*key, "gone"))


WEIGHTS = {
    "speech": (6, 40),
    "silence": (8, 60),
    "stall": (1, 100),
    "interim": (5, len(WORDS) - 1),
    "final": (4, len(WORDS) - 1),
    "digit": (0.5, 15),
    "segment": (9, 0),
    "finish": (5, 0),
    "fail": (0.5, 9),
    "audio": (12, 5000),
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


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_no_call_breaks_the_laws_and_every_call_ends(steps: list[tuple[str, int]]) -> None:
    world = play(steps)
    world.put(HangUpRequested("drain", None))
    world.pass_time(500, None)
    assert world.ended, "a call that is asked to end does end"
    begun = {turn_id for turn_id, _ in world.committed}
    assert begun <= set(world.settled), "a turn that was taken settles"
    assert len(world.settled) == len(set(world.settled))


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_the_same_events_give_the_same_outputs(steps: list[tuple[str, int]]) -> None:
    assert play(steps).log == play(steps).log


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_a_lost_stream_settles_every_taken_turn(steps: list[tuple[str, int]]) -> None:
    world = play(steps)
    world.session.close(now=world.now)
    world.drain()
    open_turns = {
        turn_id
        for turn_id, guess in world.committed
        if turn_id not in world.settled and (turn_id, guess) not in world.dead
    }
    assert open_turns == set()
    assert ULAW_SILENCE not in world.colours.values()


@pytest.mark.parametrize("seed", range(25))
def test_long_calls_obey_the_laws_too(seed: int) -> None:
    world = play(likely_call(seed))
    world.session.close(now=world.now)
    world.drain()
    assert {turn_id for turn_id, _ in world.committed} <= set(world.settled)
    assert world.settled == sorted(world.settled)
