"""What the carrier holds, by the clock and by marks that are late, lost, doubled or void."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.carrier_clock import CarrierClock


def sending(*seconds: float, at: float = 10.0) -> CarrierClock:
    clock = CarrierClock()
    for number, each in enumerate(seconds):
        clock.send(round(each * 8000), now=at)
        clock.note_mark(f"m{number}")
    return clock


def test_audio_follows_audio() -> None:
    clock = CarrierClock()
    assert clock.send(1600, now=10.0) == 10.0
    assert clock.send(800, now=10.1) == pytest.approx(10.2)
    assert clock.play_end == pytest.approx(10.3)
    assert clock.send(800, now=11.0) == 11.0


def test_heard_is_sent_less_what_is_held() -> None:
    clock = sending(0.4)
    assert [clock.heard(at) for at in (10.0, 10.1, 10.4, 11.0)] == [0, 800, 3200, 3200]


def test_an_early_mark_proves_more_than_the_clock() -> None:
    clock = sending(0.2, 0.2)
    clock.mark_played("m0", now=10.05)
    assert clock.heard(10.05) == 1600
    assert not clock.is_all_heard(10.05)


def test_a_mark_that_is_late_as_usual_says_nothing() -> None:
    clock = sending(0.2)
    clock.mark_played("m0", now=10.28)
    clock.send(1600, now=10.28)
    clock.note_mark("next")
    clock.mark_played("next", now=10.56)
    clock.send(1600, now=10.56)
    assert clock.heard(10.66) == 3200 + 800


def test_a_mark_that_is_later_than_usual_shows_the_carrier_behind() -> None:
    clock = sending(0.2, 0.2)
    clock.mark_played("m0", now=10.2)
    clock.mark_played("m1", now=10.65)
    clock.send(1600, now=10.65)
    assert clock.heard(10.75) == 3200  # 100 ms of sending, 250 ms behind


def test_a_lost_mark_is_made_up_for_by_the_next() -> None:
    clock = sending(0.2, 0.2)
    clock.mark_played("m1", now=10.4)
    assert clock.heard(10.4) == 3200


@pytest.mark.parametrize("name", ["m0", "unknown", ""])
def test_a_mark_twice_or_unknown_is_ignored(name: str) -> None:
    clock = sending(0.2, 0.2)
    clock.mark_played("m0", now=10.2)
    before = clock.heard(10.3)
    clock.mark_played(name, now=10.9)
    assert clock.heard(10.3) == before


def test_after_a_cut_what_was_not_heard_was_never_sent() -> None:
    clock = sending(0.4)
    assert clock.cut(now=10.1) == 800
    clock.mark_played("m0", now=10.12)
    assert clock.heard(12.0) == 800
    assert clock.is_all_heard(10.1)
    assert clock.send(800, now=10.2) == 10.2
    assert clock.heard(10.25) == 1200


STEPS = st.lists(
    st.tuples(st.sampled_from(["send", "wait", "lose", "cut"]), st.integers(0, 2_000)), max_size=40
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_what_was_heard_never_goes_back_while_marks_are_punctual(
    steps: list[tuple[str, int]],
) -> None:
    clock = CarrierClock()
    now, heard, marks = 5.0, 0, []
    for number, (step, amount) in enumerate(steps):
        if step == "send":
            clock.send(amount, now=now)
            clock.note_mark(f"{number}")
            marks.append((f"{number}", clock.play_end))
        elif step == "cut":
            assert clock.cut(now=now) == heard
            marks.clear()
        elif step == "lose":
            marks.clear()
        else:
            until = now + amount / 8000
            while marks and marks[0][1] <= until:
                name, now = marks.pop(0)
                clock.mark_played(name, now=now)
            now = until
        assert heard <= clock.heard(now) <= clock.sent
        heard = clock.heard(now)
