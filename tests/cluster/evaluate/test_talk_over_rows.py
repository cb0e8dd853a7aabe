from __future__ import annotations

import pytest

from cluster.evaluate.talk_over_rows import TalkOverRow, heard_errors, talk_over_rows
from tests.cluster.evaluate.call_by_hand import CallByHand, turn

K1 = (1, 1)
LONG = "Let me tell you everything that I know about this, slowly and one after the other, now."


def talked_over(kind: str, *, from_s: float = 11.9) -> CallByHand:
    """The agent talks from 10 s on; the caller is heard from ``from_s`` + 0.1 s to + 1.0 s."""
    return CallByHand().says(from_s, turn("a", kind))  # type: ignore[arg-type]


def only(call: CallByHand) -> TalkOverRow:
    (row,) = talk_over_rows(call.log)
    return row


def test_duck_and_silence_are_counted_from_the_onset() -> None:
    call = talked_over("interruption").speaks(10.0, K1, 2.1, text=LONG)
    call.speaks(12.1, K1, 0.1, text=LONG, level=0.125, skip_s=2.1)
    row = only(call.settles(12.2, K1, "interrupted"))
    assert row.duck_s == pytest.approx(0.1)
    assert row.silence_s == pytest.approx(0.2)
    assert row.is_missed is False


def test_an_agent_that_simply_stops_was_ducked_when_it_stopped() -> None:
    call = talked_over("interruption").speaks(10.0, K1, 2.24, text=LONG)
    row = only(call.settles(12.24, K1, "interrupted"))
    assert row.duck_s == pytest.approx(0.24)
    assert row.silence_s == pytest.approx(0.24)


def test_an_agent_that_talks_on_has_missed_it() -> None:
    row = only(talked_over("interruption").speaks(10.0, K1, 5.0, text=LONG))
    assert (row.is_missed, row.silence_s, row.duck_s) == (True, None, None)


def test_a_backchannel_is_ridden_when_the_reply_is_said_to_its_end() -> None:
    call = talked_over("backchannel").speaks(10.0, K1, 2.1, text=LONG)
    call.speaks(12.1, K1, 0.94, text=LONG, level=0.125, skip_s=2.1)
    call.speaks(13.04, K1, 1.0, text=LONG, skip_s=3.04).settles(14.1, K1, "heard")
    row = only(call)
    assert (row.is_ridden, row.is_false_stop) == (True, False)
    assert row.resume_s == pytest.approx(0.14)


def test_a_backchannel_that_ends_the_reply_is_a_false_stop() -> None:
    call = talked_over("backchannel").speaks(10.0, K1, 2.4, text=LONG)
    row = only(call.settles(12.4, K1, "interrupted"))
    assert (row.is_ridden, row.is_false_stop, row.resume_s) == (False, True, None)


def test_an_agent_that_never_flinched_needs_no_time_to_resume() -> None:
    call = talked_over("backchannel").speaks(10.0, K1, 5.0, text=LONG).settles(15.0, K1, "heard")
    assert only(call).resume_s == 0.0


def test_whoever_speaks_into_silence_talks_over_nobody() -> None:
    assert talk_over_rows(talked_over("interruption").speaks(10.0, K1, 1.0).log) == []


@pytest.mark.parametrize(
    ("heard", "error"), [("Let me tell you", 0), ("Let me tell you everything", 1), ("Let", 3)]
)
def test_heard_text_is_held_against_the_words_whose_sound_arrived(heard: str, error: int) -> None:
    # 15 characters a second: "Let me tell you" takes 1.0 s, "everything" ends at 1.73 s.
    call = CallByHand().says(5.0, turn("a")).speaks(10.0, K1, 1.4, text=LONG)
    assert heard_errors(call.settles(11.4, K1, "interrupted", heard).log) == [error]
