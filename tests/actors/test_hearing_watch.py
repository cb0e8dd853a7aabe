from __future__ import annotations

from actors.hearing_watch import SURELY_HEARS_S, HearingWatch


class World:
    def __init__(self) -> None:
        self.is_call_lost = self.is_nobody_left = False
        self.told: list[bool] = []
        self.now = 100.0
        self.watch = HearingWatch(
            lambda now: self.is_call_lost, lambda: self.is_nobody_left, self.told.append
        )

    def wait(self, seconds: float, *, speech: bool = False) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.watch.frame_heard(is_speech=speech, now=self.now)


def test_it_looks_in_pauses_and_tells_changes_once() -> None:
    world = World()
    world.is_nobody_left = True
    world.wait(5.0, speech=True)
    assert world.told == []
    world.wait(0.5)
    assert world.told == [True]
    world.wait(0.5)
    world.wait(0.2, speech=True)
    world.is_nobody_left = False
    world.wait(1.0)
    assert world.told == [True, False]


def test_who_was_understood_a_moment_ago_is_heard_unless_his_own_streams_are_gone() -> None:
    world = World()
    world.is_nobody_left = True
    world.watch.understood(now=world.now)
    world.wait(1.0)
    assert world.told == []
    world.wait(0.1, speech=True)
    world.is_call_lost = True
    world.wait(1.0)
    assert world.told == [True]
    world.is_call_lost = False
    world.watch.understood(now=world.now)
    assert world.told == [True, False]
    world.wait(SURELY_HEARS_S, speech=True)
    world.wait(1.0)
    assert world.told == [True, False, True]
