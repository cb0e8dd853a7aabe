from __future__ import annotations

import pytest

from cluster.evaluate.turn_rows import TurnRow, turn_rows
from tests.cluster.evaluate.call_by_hand import CallByHand, turn

K1, K2 = (1, 1), (2, 2)


def only(call: CallByHand) -> TurnRow:
    (row,) = turn_rows(call.log)
    return row


def test_latency_is_from_the_true_end_to_the_first_audible_frame() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(11.2, K1, ahead=True).takes(11.55, K1)
    row = only(call.speaks(11.6, K1, 1.0).settles(12.6, K1, "heard"))
    assert row.latency_s == pytest.approx(0.6)
    assert row.taken_s == pytest.approx(0.55)
    assert row.commit_to_frame_s == pytest.approx(0.05)
    assert (row.is_cut, row.is_cut_heard, row.is_premature, row.is_unanswered) == (False,) * 4
    assert (row.is_hit, row.asked, row.wasted) == (True, 1, 0)


def test_a_turn_taken_before_its_end_is_cut_although_nobody_heard_of_it() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(10.7, K1).takes(10.7, K1)
    call.asks(11.3, K2).takes(11.5, K2).speaks(11.7, K2, 1.0)
    row = only(call)
    assert (row.is_cut, row.is_cut_heard) == (True, False)
    assert row.latency_s == pytest.approx(0.7)
    assert (row.asked, row.wasted) == (2, 1)


def test_a_turn_taken_at_its_very_end_is_not_cut() -> None:
    row = only(CallByHand().says(10.0, turn("a")).takes(11.0, K1).speaks(11.0, K1, 1.0))
    assert row.is_cut is False
    assert row.latency_s == pytest.approx(0.0)


def test_a_reply_that_goes_on_beyond_the_end_has_no_latency() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(10.6, K1).takes(10.6, K1)
    row = only(call.speaks(10.7, K1, 2.0))
    assert (row.is_cut, row.is_cut_heard, row.is_premature) == (True, True, True)
    assert row.latency_s is None


def test_after_a_quick_retreat_the_reply_that_stays_counts() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(10.8, K1).takes(10.8, K1).speaks(10.9, K1, 0.2)
    call.asks(11.4, K2).takes(11.6, K2).speaks(11.8, K2, 1.0)
    row = only(call)
    assert (row.is_cut_heard, row.is_premature) == (True, False)
    assert row.latency_s == pytest.approx(0.8)
    assert row.commit_to_frame_s == pytest.approx(0.2)


def test_a_reply_that_late_words_took_back_is_not_the_one_that_stays() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(10.8, K1).takes(10.8, K1).speaks(11.1, K1, 0.2)
    call.log.taken_back.append((11.3, K1))
    call.asks(11.4, K2).takes(11.6, K2).speaks(11.8, K2, 1.0)
    row = only(call)
    assert (row.is_cut, row.is_cut_heard, row.is_premature) == (True, False, False)
    assert row.latency_s == pytest.approx(0.8)


def test_a_reply_that_was_taken_back_and_said_after_all_stays() -> None:
    call = CallByHand().says(10.0, turn("a")).takes(10.8, K1).speaks(11.1, K1, 0.2)
    call.log.taken_back.append((11.3, K1))
    call.takes(12.0, K1).speaks(12.0, K1, 1.0)
    row = only(call)
    assert row.latency_s == pytest.approx(1.0)
    assert row.taken_s == pytest.approx(1.0)
    assert row.commit_to_frame_s == pytest.approx(0.0)


def test_nothing_for_ten_seconds_counts_as_ten_seconds() -> None:
    row = only(CallByHand().says(10.0, turn("a")))
    assert row.is_unanswered is True
    assert row.latency_s == 10.0


def test_a_reply_to_the_turn_before_is_no_answer_to_this_one() -> None:
    call = CallByHand().says(10.0, turn("a")).takes(11.1, K1).speaks(11.2, K1, 5.0)
    call.says(14.0, turn("b", "interruption")).takes(15.6, K2).speaks(16.3, K2, 1.0)
    first, second = turn_rows(call.log)
    assert first.latency_s == pytest.approx(0.2)
    assert second.latency_s == pytest.approx(1.3)
    assert second.is_premature is False


def test_backchannels_want_no_answer() -> None:
    assert turn_rows(CallByHand().says(10.0, turn("a", "backchannel")).log) == []


def test_a_reply_that_was_prepared_only_when_the_turn_was_taken_is_no_hit() -> None:
    call = CallByHand().says(10.0, turn("a")).asks(11.5, K1).takes(11.5, K1)
    assert only(call.speaks(12.0, K1, 1.0)).is_hit is False


def test_a_reply_is_held_when_its_audio_was_there_before_the_turn_was_taken() -> None:
    for audio_s, is_held in ((11.4, True), (11.7, False)):
        call = CallByHand().says(10.0, turn("a")).asks(11.2, K1, ahead=True).takes(11.55, K1)
        call.log.first_audio_s[K1] = audio_s
        assert only(call.speaks(11.8, K1, 1.0)).is_held is is_held
    asked_late = CallByHand().says(10.0, turn("a")).asks(11.5, K1).takes(11.5, K1)
    assert only(asked_late.speaks(12.0, K1, 1.0)).is_held is False
