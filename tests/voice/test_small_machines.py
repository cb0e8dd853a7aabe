"""The keypad, the idle watch and the ending."""

from __future__ import annotations

from voice.deadlines import earliest
from voice.ending import Ending
from voice.idle import IdleWatch
from voice.keypad import MAX_DIGITS, Keypad


class TestKeypad:
    def test_an_entry_ends_with_the_hash_key(self) -> None:
        keypad = Keypad(1.5)
        assert [keypad.press(key, now=1.0) for key in "12#"] == [None, None, "12"]
        assert not keypad.is_waiting

    def test_the_hash_key_alone_is_an_entry(self) -> None:
        assert Keypad(1.5).press("#", now=1.0) == "#"

    def test_an_entry_ends_with_a_pause(self) -> None:
        keypad = Keypad(1.5)
        keypad.press("7", now=1.0)
        assert keypad.next_deadline() == 2.5
        assert keypad.handle_deadline(now=2.4) is None
        assert keypad.handle_deadline(now=2.5) == "7"
        assert keypad.next_deadline() is None

    def test_an_entry_is_bounded(self) -> None:
        keypad = Keypad(1.5)
        entries = [keypad.press("1", now=1.0) for _ in range(MAX_DIGITS)]
        assert entries[-1] == "1" * MAX_DIGITS


class TestIdleWatch:
    def test_it_asks_once_and_then_hangs_up(self) -> None:
        idle = IdleWatch(12.0, 40.0)
        idle.note_activity(now=100.0)
        assert idle.next_deadline() == 112.0
        assert idle.handle_deadline(now=111.0) is None
        assert idle.handle_deadline(now=112.0) == "prompt"
        assert idle.next_deadline() == 140.0
        assert idle.handle_deadline(now=140.0) == "hang_up"

    def test_activity_starts_anew(self) -> None:
        idle = IdleWatch(12.0, 40.0)
        idle.note_activity(now=100.0)
        idle.handle_deadline(now=112.0)
        idle.note_activity(now=120.0)
        assert idle.next_deadline() == 132.0

    def test_before_the_call_nothing_is_due(self) -> None:
        assert IdleWatch(12.0, 40.0).next_deadline() is None
        assert IdleWatch(12.0, 40.0).handle_deadline(now=1e9) is None


class TestEnding:
    def test_a_firm_end_is_neither_replaced_nor_taken_back(self) -> None:
        ending = Ending()
        ending.decide("drain", "Bye.", is_firm=True)
        ending.decide("idle", None, is_firm=False)
        ending.take_back()
        assert (ending.reason, ending.farewell) == ("drain", "Bye.")

    def test_another_end_can_be_taken_back(self) -> None:
        ending = Ending()
        ending.decide("idle", "Bye.", is_firm=False)
        ending.take_back()
        assert ending.reason is None


def test_what_is_said_between_keys_is_given_once() -> None:
    keypad = Keypad(1.5)
    keypad.press("4", now=1.0)
    keypad.hear_words("it is")
    keypad.hear_words("the fourth")
    assert keypad.take_words() == "it is the fourth"
    assert keypad.take_words() == ""


def test_the_earliest_of_no_deadlines_is_none() -> None:
    assert earliest() is None
    assert earliest(None, None) is None
    assert earliest(3.0, None, 2.0) == 2.0
