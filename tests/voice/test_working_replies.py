"""A reply whose mind has others do something first: waited for longer, and filled by itself."""

from __future__ import annotations

from tests.voice.relay_world import RelayWorld
from tests.voice.stage import Stage
from tests.voice.test_fillers import BREATH, SENTENCE, LateStage
from voice import events as voice
from voice import relay_events as relay
from voice.config import VoiceConfig
from voice.events import (
    ReplyFailed,
    ReplyFinished,
    ReplyWorking,
    SegmentPlanned,
    Synthesise,
    TurnSettled,
)

PHRASES = VoiceConfig().phrases


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


def failing(*, works: bool = True, said: str = "One moment.", stage: Stage | None = None) -> Stage:
    """A reply that said something, had something done, and then failed."""
    stage = stage or Stage(audio_s=0.5)
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, said))
    stage.wait(1.0)
    if works:
        stage.put(ReplyWorking(turn.turn_id, turn.guess, 8.0))
        stage.wait(2.0)
        stage.put(ReplyWorking(turn.turn_id, turn.guess, 0.0))
    stage.put(ReplyFailed(turn.turn_id, turn.guess, "the model is down"))
    return stage


def test_a_reply_that_fails_after_its_work_apologises_after_what_was_said() -> None:
    stage = failing()
    stage.wait(3.0)
    assert [each.text for each in stage.of(Synthesise)] == ["One moment.", PHRASES.apology]
    assert stage.settled == [(1, "failed", f"One moment. {PHRASES.apology}")]
    assert stage.of(voice.ClearPlayout) == []
    assert stage.ask("and now") == 2, "the call goes on"


def test_the_same_without_work_keeps_what_was_said() -> None:
    stage = failing(works=False)
    stage.wait(3.0)
    assert stage.settled == [(1, "failed", "One moment.")]


def test_a_mind_that_falls_silent_after_its_work_is_apologised_for_too() -> None:
    stage = Stage(audio_s=0.5)
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    where = (turn.turn_id, turn.guess)
    stage.put(SegmentPlanned(*where, 0, "One moment."))
    stage.put(ReplyWorking(*where, 8.0))
    stage.put(ReplyWorking(*where, 0.0))
    stage.wait(4.0)
    assert not stage.of(TurnSettled)
    stage.wait(3.0)
    stage.put(SegmentPlanned(*where, 1, "Here I am."))
    stage.put(ReplyFinished(*where, hang_up=True))
    stage.wait(3.0)
    assert stage.settled == [(1, "failed", f"One moment. {PHRASES.apology}")]
    assert [each.guess for each in stage.of(voice.AbandonTurn)] == [turn.guess]
    assert stage.of(voice.EndCall) == []


def test_work_of_a_reply_that_was_prepared_counts_too() -> None:
    stage = Stage(audio_s=0.5)
    stage.say("hello there")
    stage.wait(0.3)
    begun = stage.last(voice.BeginTurn)
    assert begun.speculative
    where = (begun.turn_id, begun.guess)
    stage.put(SegmentPlanned(*where, 0, "One moment."))
    stage.put(ReplyWorking(*where, 8.0))
    stage.wait(0.5)
    assert stage.last(voice.CommitTurn).guess == begun.guess
    stage.put(ReplyFailed(*where, "lost"))
    stage.wait(3.0)
    assert stage.settled == [(1, "failed", f"One moment. {PHRASES.apology}")]


def test_an_apology_that_cannot_be_spoken_either_is_the_end_of_the_turn() -> None:
    stage = Stage(speaks=False)
    stage.ask()
    turn = stage.last(voice.CommitTurn)
    stage.put(SegmentPlanned(turn.turn_id, turn.guess, 0, "One moment."))
    stage.voice(stage.last(Synthesise))
    stage.put(ReplyWorking(turn.turn_id, turn.guess, 8.0))
    stage.put(ReplyFailed(turn.turn_id, turn.guess, "the model is down"))
    assert stage.last(Synthesise).text == PHRASES.apology
    stage.put(voice.SpeechFailed(turn.turn_id, turn.guess, 1, "down"))
    stage.wait(3.0)
    assert stage.settled == [(1, "failed", "One moment.")]


def test_the_last_of_too_many_failures_says_so_after_its_work_as_well() -> None:
    stage = failing(stage=Stage(VoiceConfig(max_failures=1), audio_s=0.5))
    stage.wait(3.0)
    assert stage.settled == [(1, "failed", f"One moment. {PHRASES.trouble}")]
    assert stage.last(voice.EndCall).reason == "provider_trouble"


def test_a_relayed_reply_that_fails_after_its_work_apologises_too() -> None:
    world = RelayWorld()
    world.say("Where is my order?")
    begun = world.begun[-1]
    world.mind("One moment.", finish=False)
    world.put(ReplyWorking(begun.turn_id, begun.guess, 8.0))
    world.put(ReplyWorking(begun.turn_id, begun.guess, 0.0))
    found = world.put(ReplyFailed(begun.turn_id, begun.guess, "the model is down"))
    assert found == [relay.SendWords("Pardon? ", False), relay.SendWords("", is_last=True)]
    world.heard()
    assert [one[2:] for one in world.settled] == [("One moment. Pardon?", "failed")]
    world.say("And now?")
    assert world.begun[-1].turn_id == 2


def test_a_relayed_mind_that_falls_silent_after_its_work_is_apologised_for_too() -> None:
    world = RelayWorld(max_failures=1)
    world.say("Where is my order?")
    begun = world.begun[-1]
    world.mind("One moment.", finish=False)
    world.put(ReplyWorking(begun.turn_id, begun.guess, 8.0))
    world.until(9.0)
    assert world.said == "One moment. Trouble. "
    assert world.mind("Here I am.", hang_up=True) == []
    world.heard()
    assert [one[2:] for one in world.settled] == [("One moment. Trouble.", "failed")]
    assert [end.reason for end in world.ends] == ["provider_trouble"]


def test_an_answer_that_breaks_off_after_the_work_keeps_what_was_said_of_it() -> None:
    half = Stage(audio_s=0.5)
    half.ask()
    turn = half.last(voice.CommitTurn)
    where = (turn.turn_id, turn.guess)
    half.put(ReplyWorking(*where, 8.0))
    half.put(SegmentPlanned(*where, 0, "One moment."))
    half.put(ReplyWorking(*where, 0.0))
    half.put(SegmentPlanned(*where, 1, "It arrives on"))
    half.put(ReplyFailed(*where, "the model is down"))
    half.wait(3.0)
    assert half.settled == [(1, "failed", "One moment. It arrives on")]
    world = RelayWorld()
    world.say("Where is my order?")
    world.put(ReplyWorking(1, 1, 8.0))
    world.put(SegmentPlanned(1, 1, 0, "One moment."))
    world.put(ReplyWorking(1, 1, 0.0))
    world.put(SegmentPlanned(1, 1, 1, "It arrives on"))
    world.put(ReplyFailed(1, 1, "the model is down"))
    assert world.said == "One moment. It arrives on "
