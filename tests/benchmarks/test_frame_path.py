"""What a second of a call costs by part: each moment counts for one part, and calls really talk."""

from __future__ import annotations

from itertools import count

import pytest

from benchmarks import frame_path
from benchmarks.frame_path import Meter, measure


def test_the_inner_part_takes_its_time_off_the_outer(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    monkeypatch.setattr(frame_path.time, "process_time", lambda: float(next(seconds)))
    meter = Meter()
    meter.begin("outer")  # 0
    meter.around("inner", lambda: None)()  # 1 to 2
    meter.end()  # 3
    assert dict(meter.spent_s) == {"outer": 2.0, "inner": 1.0}
    assert dict(meter.times) == {"outer": 1, "inner": 1}


def test_a_part_ends_with_the_work_that_breaks() -> None:
    meter = Meter()
    with pytest.raises(ZeroDivisionError):
        meter.around("broken", lambda: 1 / 0)()
    meter.begin("next")
    meter.end()
    assert dict(meter.times) == {"broken": 1, "next": 1}


@pytest.mark.e2e
def test_a_call_is_heard_and_answered_while_it_is_measured() -> None:
    found = measure(calls=1, seconds=6.0)
    assert found["turns"][1] > 0.1
    assert found["carrier: frames in"][1] == pytest.approx(50.0, rel=0.05)
    assert found["carrier: frames out"][1] > 1.0
    assert found["recogniser: messages"][1] > 3.0
    assert "emulated" not in found


def test_calls_that_say_nothing_measure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_given: object) -> int:
        return 0

    monkeypatch.setattr(frame_path, "_talk", silent)
    with pytest.raises(AssertionError, match="0 turns"):
        measure(calls=1, seconds=6.0)
