"""Who picks up: a person or a machine that plays clips, on a clock of its own."""

from __future__ import annotations

import pytest

from simulation.callee import BEEP_S, Phones, beep, shipped_clip
from simulation.callee_book import Callee, CalleeBook
from simulation.carrier_stream import HangUp, Press
from simulation.carrier_ticker import FRAME_S
from simulation.errors import ClipMissing
from tests.simulation.paper_server import tone_clip


def heard_of(callee: Callee, frames: int) -> tuple[list[str | None], list[object]]:
    """What a phone sends in its first frames, hearing nothing."""
    person = Phones(CalleeBook(), shipped_clip).pick_up(callee, "CA1", 0.0)
    payloads: list[str | None] = []
    actions: list[object] = []
    for frame in range(frames):
        payload, done = person.tick(frame * FRAME_S, frame * FRAME_S, ())
        payloads.append(payload)
        actions += [(frame, each) for each in done]
    return payloads, actions


def test_a_human_who_speaks_first_says_a_real_clip_bit_for_bit() -> None:
    clip = shipped_clip("card003")
    payloads, _ = heard_of(Callee(says=("card003",), speaks_first=True), 100)
    assert tuple(payloads[: len(clip.payloads)]) == clip.payloads


def test_a_human_who_listens_first_says_nothing_at_once() -> None:
    clip = shipped_clip("card003")
    payloads, _ = heard_of(Callee(says=("card003",)), 100)
    assert not set(payloads) & set(clip.payloads)


def test_a_machine_says_everything_and_beeps() -> None:
    callee = Callee(kind="machine", says=("digit_0", "digit_1"))
    payloads, _ = heard_of(callee, 150)
    for clip in (shipped_clip("digit_0"), shipped_clip("digit_1"), beep()):
        assert clip.payloads[3] in payloads
    assert payloads.index(beep().payloads[3]) > payloads.index(shipped_clip("digit_1").payloads[3])


def test_how_long_a_greeting_lasts() -> None:
    phones = Phones(CalleeBook(), tone_clip)
    assert phones.greeting_s(Callee(kind="machine", says=("a", "b"))) == pytest.approx(
        2 * 0.4 + BEEP_S
    )
    silent = Callee(kind="machine", says=("a",), machine_end="silence")
    assert phones.greeting_s(silent) == pytest.approx(0.4)
    assert phones.greeting_s(Callee(says=("a",))) == 0.0


def test_keys_and_the_end_of_a_talk() -> None:
    _, actions = heard_of(Callee(presses="1#", talk_s=15.0), 800)
    assert [each for _, each in actions] == [Press("1"), Press("#"), HangUp()]
    assert actions[-1] == (750, HangUp())


def test_a_clip_that_is_not_there_is_not_entered() -> None:
    phones = Phones(CalleeBook())
    with pytest.raises(ClipMissing, match="no clip 'nope'"):
        phones.put("+14155550123", Callee(says=("nope",)))
    assert phones.find("+14155550123") == Callee()
    phones.put("+14155550123", Callee(says=("card003",)))
    assert phones.find("+14155550123").says == ("card003",)
