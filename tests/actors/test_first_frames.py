from __future__ import annotations

from actors.first_frames import FirstFrames
from voice import timeline
from voice.events import SendAudio, TurnSettled


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def settled(turn_id: int, guess: int, **stages: float) -> TurnSettled:
    return TurnSettled(turn_id, guess, "caller", "a", "b", "b", "heard", "why", stages)


def test_the_first_frame_counts_when_the_socket_has_taken_it() -> None:
    clock = Clock()
    frames = FirstFrames(clock)
    sent = frames.watch(SendAudio(b"", 1, 2))
    assert sent is not None
    assert frames.watch(SendAudio(b"", 1, 2)) is None
    clock.now = 5.003
    sent()
    told = frames.told(settled(1, 2, committed=5.0, first_frame_out=5.0))
    assert told.timeline[timeline.FIRST_FRAME_SENT] == 5.003


def test_a_frame_of_a_turn_that_was_taken_back_is_not_that_of_its_next_taking() -> None:
    clock = Clock()
    frames = FirstFrames(clock)
    sent = frames.watch(SendAudio(b"", 1, 2))
    assert sent is not None
    clock.now = 1.0
    sent()
    again = settled(1, 2, first_frame_out=2.0)
    assert frames.told(again) is again


def test_what_never_left_or_was_a_breath_is_not_told() -> None:
    frames = FirstFrames(Clock())
    waiting = settled(1, 1, first_frame_out=1.0)
    frames.watch(SendAudio(b"", 1, 1))
    assert frames.told(waiting) is waiting
    sent = frames.watch(SendAudio(b"", 2, 1))
    assert sent is not None
    sent()
    breath = settled(2, 1, filler_out=0.5, first_frame_out=1.0)
    assert frames.told(breath) is breath


def test_what_is_over_is_forgotten() -> None:
    frames = FirstFrames(Clock())
    for turn_id in range(50):
        sent = frames.watch(SendAudio(b"", turn_id, 1))
        assert sent is not None
        sent()
        frames.told(settled(turn_id, 1, first_frame_out=0.0))
    assert frames._sent_at == {}
