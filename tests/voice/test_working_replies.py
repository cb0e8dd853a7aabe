"""A reply whose mind has others do something first: waited for longer, and filled by itself."""

from __future__ import annotations

from tests.voice.relay_world import RelayWorld
from tests.voice.stage import Stage
from tests.voice.test_fillers import BREATH, SENTENCE, LateStage
from voice import events as voice
from voice.events import ReplyFinished, ReplyWorking, SegmentPlanned, TurnSettled


def test_a_reply_that_works_is_waited_for_and_filled_with_no_more_than_a_breath() -> None:
    stage = LateStage()
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 30.0))
    stage.wait(20.0)
    assert not stage.of(TurnSettled)
    assert len(stage.begun(BREATH)) == 1
    assert stage.begun(SENTENCE) == []
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 0.0))
    stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "It is on its way."))
    stage.put(ReplyFinished(turn.turn_id, turn.guess))
    stage.wait(3.0)
    assert stage.last(TurnSettled).outcome == "heard"


def test_a_reply_that_works_for_longer_than_it_said_has_failed() -> None:
    stage = LateStage()
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 8.0))
    stage.wait(7.5)
    assert not stage.of(voice.AbandonTurn)
    stage.wait(2.0)
    assert stage.of(voice.AbandonTurn)


def test_a_reply_that_is_back_from_work_has_as_long_as_any() -> None:
    stage = LateStage()
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 30.0))
    stage.wait(10.0)
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 0.0))
    stage.wait(7.0)
    assert stage.of(voice.AbandonTurn)


def test_a_reply_that_is_planned_works_no_more_whoever_forgot_to_say_so() -> None:
    stage = Stage(speaks=False)
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 30.0))
    stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "It is on its way."))
    stage.put(ReplyFinished(turn.turn_id, turn.guess))
    stage.wait(10.0)
    assert stage.of(voice.AbandonTurn), "its voice is what is missing"


def test_a_relayed_reply_that_works_is_waited_for_too() -> None:
    world = RelayWorld()
    world.say("Where is my order?")
    begun = world.begun[-1]
    world.put(ReplyWorking(begun.turn_id, begun.guess, 30.0))
    world.until(20.0)
    assert world.said == "", "the mind fills the time itself"
    world.put(ReplyWorking(begun.turn_id, begun.guess, 0.0))
    world.mind("It is on its way.")
    world.heard()
    assert [one[2:] for one in world.settled] == [("It is on its way.", "heard")]


def test_a_relayed_reply_that_works_too_long_has_failed() -> None:
    world = RelayWorld()
    world.say("Where is my order?")
    begun = world.begun[-1]
    world.put(ReplyWorking(begun.turn_id, begun.guess, 8.0))
    world.until(9.0)
    assert any(isinstance(one, voice.AbandonTurn) for one in world.out)
