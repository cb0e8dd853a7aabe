"""The Realtime machine: turns, the floor, tools, lost sessions, endings; as tables of events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import ProviderUnavailable
from providers.realtime.events import (
    AudioArrived,
    AudioCommitted,
    AudioEnded,
    CallWanted,
    Remark,
    RequestRefused,
    ResponseBegan,
    ResponseEnded,
    SpeechStarted,
    SpeechStopped,
    TextArrived,
    WordsArrived,
    WordsKnown,
)
from providers.realtime.outputs import SessionLost, SessionUp, ToolAnswered
from tests.support.realtime_line import ACTION, VOICE, Line, sound
from voice import timeline
from voice.config import SpokenPhrases
from voice.events import CallStarted, DigitPressed, FrameHeard, HangUpRequested

LONG = "I would be glad to help you with that, if you tell me a little more about it."
SPEECH, QUIET = FrameHeard(True, -20.0), FrameHeard(False, -60.0)


def outcomes(line: Line) -> list[tuple[int, str, str, str, str]]:
    return [
        (turn.turn_id, turn.kind, turn.caller_text, turn.heard_text, turn.outcome)
        for turn in line.settled
    ]


def test_a_greeting_is_said_word_for_word_and_is_turn_0() -> None:
    line = Line(greeting="Hello, this is Ann.")
    assert line.labels == ["0.1"]
    assert '"Hello, this is Ann."' in line.of("response.create")[0]["response"]["instructions"]
    line.reply("r1", "Hello, this is Ann.", label="0.1")
    line.wait(2.0)
    assert outcomes(line) == [(0, "greeting", "", "Hello, this is Ann.", "heard")]
    assert {turn_id for turn_id, _ in line.sent} == {0}


def test_a_turn_settles_when_its_reply_was_heard_and_its_words_are_known() -> None:
    line = Line()
    line.tell(*[SPEECH] * 10, *[QUIET] * 10)
    line.speak("i1", None)
    line.reply("r1", "Gladly.", 0.5)
    line.wait(1.0)
    assert line.settled == []
    line.tell(WordsArrived("i1", "Hel"), WordsKnown("i1", "Hello?", {"transcribed_s": 1.0}))
    assert outcomes(line) == [(1, "caller", "Hello?", "Gladly.", "heard")]
    assert line.machine.usage_of(1) == {"transcribed_s": 1.0, "realtime_audio_out": 10.0}
    assert line.machine.usage_of(1) == {}
    stages = line.settled[0].timeline
    assert stages[timeline.SPEECH_ENDED] <= stages[timeline.COMMITTED]
    assert stages[timeline.FIRST_FRAME_OUT] >= stages[timeline.SPEAK_FIRST_BYTE]


def test_words_that_never_come_hold_nothing_up_for_long() -> None:
    line = Line()
    line.speak("i1", None)
    line.reply("r1", "Gladly.", 0.5)
    line.wait(1.0)
    line.speak("i2", "And then?")
    line.reply("r2", "That is all.", 0.5)
    line.wait(4.0)
    assert outcomes(line) == [
        (1, "caller", "", "Gladly.", "heard"),
        (2, "caller", "And then?", "That is all.", "heard"),
    ]


def test_the_caller_interrupts_and_the_service_learns_what_was_heard() -> None:
    line = Line()
    line.speak("i1", "Help me.")
    line.reply("r1", LONG, 4.0, ends=False)
    line.wait(1.0)
    line.tell(SpeechStarted("i2", 3_000))
    assert line.clears == 1
    (cut,) = line.of("conversation.item.truncate")
    assert (cut["item_id"], cut["content_index"]) == ("item-r1", 0)
    assert cut["audio_end_ms"] == pytest.approx(1_000, abs=20)
    sent = len(line.sent)
    line.tell(AudioArrived("r1", "item-r1", 0, sound("r1", 1.0)))
    line.tell(TextArrived("r1", "item-r1", 0, "never heard"))
    line.tell(
        ResponseEnded("r1", "", "cancelled", "turn_detected", usage={"realtime_text_in": 3.0})
    )
    line.wait(1.0)
    assert len(line.sent) == sent
    (turn,) = line.settled
    assert turn.outcome == "interrupted"
    assert turn.reason.endswith("barge-in")
    assert LONG.startswith(turn.heard_text)
    assert 5 < len(turn.heard_text) < 40
    assert line.machine.usage_of(1) == {"realtime_text_in": 3.0}


def test_an_item_of_which_nothing_was_heard_is_taken_out() -> None:
    line = Line()
    line.speak("i1", "Help me.")
    line.reply("r1", LONG, 4.0)
    line.tell(SpeechStarted("i2", 0))
    assert [event["item_id"] for event in line.of("conversation.item.delete")] == ["item-r1"]
    assert outcomes(line) == [(1, "caller", "Help me.", "", "dropped")]


def test_a_reply_that_was_heard_whole_needs_no_correction() -> None:
    line = Line()
    line.speak("i1", "Help me.")
    line.reply("r1", "Yes.", 0.5)
    line.wait(3.0)
    line.tell(SpeechStarted("i2", 0))
    assert line.told == []
    assert line.clears == 0


def test_events_in_any_order_and_unknown_ones() -> None:
    line = Line()
    line.tell(SpeechStopped("i0", 5), WordsKnown("nobody", "?"), Remark("something.new"))
    line.tell(SpeechStarted("i1", 0), SpeechStopped("i1", 500), AudioCommitted("i1"))
    line.tell(AudioArrived("r1", "item-r1", 0, sound("r1", 0.5)))
    line.tell(ResponseBegan("r1", ""), TextArrived("r1", "item-r1", 0, "Yes.", is_all=True))
    line.tell(ResponseEnded("r1", "", "completed"), AudioEnded("r1", "item-r1", 0))
    line.tell(WordsKnown("i1", "Now?"))
    line.wait(1.0)
    assert outcomes(line) == [(1, "caller", "Now?", "Yes.", "heard")]


def test_a_response_that_nobody_waits_for_is_ended_and_never_heard() -> None:
    line = Line()
    line.reply("stray", "Who asked?")
    assert [event["response_id"] for event in line.of("response.cancel")] == ["stray"]
    assert line.sent == []
    line.wait(1.0)
    assert line.settled == []


def test_a_response_that_we_asked_for_before_the_caller_spoke_is_ended() -> None:
    line = Line(greeting="Hello.")
    line.tell(SpeechStarted("i1", 0), SpeechStopped("i1", 400), AudioCommitted("i1"))
    line.tell(ResponseBegan("late", "0.1"))
    assert [event["response_id"] for event in line.of("response.cancel")] == ["late"]
    line.reply("r1", "Good morning.", 0.5)
    line.tell(WordsKnown("i1", "Good morning."))
    line.wait(1.0)
    assert [turn.turn_id for turn in line.settled] == [0, 1]
    assert {turn_id for turn_id, _ in line.sent} == {1}


def test_our_own_detector_pauses_and_the_voice_goes_on_if_the_service_hears_nobody() -> None:
    line = Line()
    line.speak("i1", "Help me.")
    line.reply("r1", LONG, 3.0)
    line.wait(0.5)
    for _ in range(6):
        line.tell(SPEECH)
        line.wait(0.02)
    assert line.clears == 1
    sent = line.heard_of("r1")
    line.wait(0.4)
    assert line.heard_of("r1") == sent
    line.wait(4.0)
    assert outcomes(line) == [(1, "caller", "Help me.", LONG, "heard")]


def test_a_tool_is_asked_for_once_and_its_action_waits_until_the_words_were_heard() -> None:
    line = Line()
    line.speak("i1", "Sales, please.")
    line.reply("r1", "One moment.", 1.0, ends=False)
    line.want("r1")
    assert [(tool.turn_id, tool.name) for tool in line.tools] == [(1, "sales")]
    line.answer(ACTION)
    assert line.ended is None
    line.wait(1.5)
    assert outcomes(line) == [(1, "caller", "Sales, please.", "One moment.", "heard")]
    assert line.settled[0].performs
    assert line.ended is not None
    assert (line.ended.reason, line.ended.hand_over) == ("transferring", ACTION)


def test_an_action_without_a_word_gets_the_words_of_the_agents_file() -> None:
    line = Line()
    line.speak("i1", "Sales, please.")
    line.tell(ResponseBegan("r1", ""))
    line.want("r1")
    line.answer(ACTION)
    assert line.labels == ["1.2"]
    assert '"One moment."' in line.of("response.create")[0]["response"]["instructions"]
    line.reply("r2", "One moment.", 0.5, label="1.2")
    line.wait(1.0)
    assert line.ended is not None
    assert line.ended.hand_over == ACTION


def test_the_caller_takes_an_action_back_and_the_model_is_told() -> None:
    line = Line()
    line.speak("i1", "Sales, please.")
    line.reply("r1", "One moment, I will put you through.", 3.0, ends=False)
    line.want("r1")
    line.answer(ACTION)
    line.wait(0.5)
    line.tell(SpeechStarted("i2", 0))
    assert "was not done" in line.told[-1]["item"]["content"][0]["text"]
    assert not line.settled[0].performs
    line.wait(5.0)
    assert line.ended is None


def test_a_tool_that_cannot_be_used_is_explained_and_the_model_asked_again() -> None:
    line = Line()
    line.speak("i1", "Fly me to the moon.")
    line.tell(ResponseBegan("r1", ""))
    line.want("r1", "rocket")
    line.answer(output='{"error": "no such tool"}')
    result = line.of("conversation.item.create")[0]["item"]
    assert (result["call_id"], result["output"]) == ("call-r1", '{"error": "no such tool"}')
    assert line.labels == ["1.2"]
    line.reply("r2", "I cannot do that.", 0.5, label="1.2")
    line.wait(1.0)
    assert outcomes(line) == [(1, "caller", "Fly me to the moon.", "I cannot do that.", "heard")]


def test_a_model_that_asks_for_tools_without_end_is_not_asked_for_ever() -> None:
    line = Line()
    line.speak("i1", "Go.")
    for number in range(1, 10):
        label = "" if number == 1 else f"1.{number}"
        line.tell(ResponseBegan(f"r{number}", label))
        if len(line.tools) < number - 1:
            break
        line.want(f"r{number}", label=label)
        if len(line.tools) == number:
            line.answer(output="no")
    assert len(line.labels) == 3
    line.wait(1.0)
    assert [turn.outcome for turn in line.settled] == ["heard"]


def test_an_answer_about_a_tool_of_a_turn_that_is_over_changes_nothing() -> None:
    line = Line()
    line.speak("i1", "Sales, please.")
    line.tell(ResponseBegan("r1", ""))
    line.want("r1")
    line.tell(SpeechStarted("i2", 0))
    line.answer(ACTION)
    line.wait(3.0)
    assert line.ended is None
    assert line.of("conversation.item.create")[0]["item"]["output"] == '{"status": "not done"}'


def test_the_agent_ends_the_call_by_its_tool() -> None:
    line = Line()
    line.speak("i1", "Bye.")
    line.reply("r1", "Goodbye.", 0.5, ends=False)
    line.want("r1", "end_call")
    line.answer({"verb": "end", "tool": "end_call", "arguments": "{}"})
    line.wait(1.0)
    assert line.ended is not None
    assert line.ended.reason == "agent_hung_up"


def test_a_response_that_failed_is_asked_for_again_and_then_of_another_session() -> None:
    line = Line()
    line.speak("i1", "Hello?")
    failed = {"status": "failed", "error": ProviderUnavailable("server_error")}
    line.tell(ResponseBegan("r1", ""), ResponseEnded("r1", "", **failed))  # type: ignore[arg-type]
    assert line.labels == ["1.2"]
    line.tell(ResponseEnded("r2", "1.2", **failed))  # type: ignore[arg-type]
    assert len(line.dropped) == 1
    line.tell(SessionLost("server_error"), SessionUp())
    assert line.labels == ["1.2", "1.1"]
    line.reply("r3", "Here I am.", 0.5, label="1.1")
    line.wait(1.0)
    assert outcomes(line) == [(1, "caller", "Hello?", "Here I am.", "heard")]


def test_what_is_asked_while_another_answer_is_made_is_asked_again_after_it() -> None:
    line = Line()
    line.tell(DigitPressed("4"), DigitPressed("#"))
    refused = RequestRefused(
        "conversation_already_has_active_response", "", ProviderUnavailable("busy")
    )
    line.tell(refused, ResponseEnded("other", "", "completed"))
    assert line.labels == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("has_audio", "waits_s", "dropped"), [(False, 4.9, 0), (False, 5.1, 1), (True, 5.1, 1)]
)
def test_a_session_that_falls_silent_is_given_up(
    has_audio: bool, waits_s: float, dropped: int
) -> None:
    line = Line()
    line.speak("i1", "Hello?")
    if has_audio:
        line.reply("r1", LONG, 1.0, ends=False)
    line.wait(waits_s)
    assert len(line.dropped) == dropped


def test_a_session_lost_while_the_caller_speaks_is_told_it_again() -> None:
    line = Line()
    line.tell(*[QUIET] * 300)
    line.tell(SessionUp(16_000), SpeechStarted("i1", 2_000))
    assert line.machine.replay_from is None
    line.tell(SessionLost("gone"))
    assert line.machine.replay_from == 32_000
    line.tell(SessionUp(32_000))
    assert line.machine.replay_from is None
    assert line.settled == []


def test_what_only_we_have_heard_when_the_session_is_lost_is_told_to_the_next() -> None:
    line = Line()
    line.tell(*[QUIET] * 200, *[SPEECH] * 20, SessionLost("gone"))
    assert line.machine.replay_from == line.machine.unanswered_from == 200 * 160 - 2_400
    line.tell(SessionUp(29_600), SpeechStarted("i1", 10))
    assert line.machine.replay_from is None
    assert line.machine.unanswered_from == 29_680


def test_a_turn_whose_words_nobody_knows_is_heard_again() -> None:
    line = Line()
    line.tell(*[QUIET] * 100)
    line.speak("i1", None, at_ms=1_000)
    line.tell(ResponseBegan("r1", ""), SessionLost("gone"))
    assert line.machine.replay_from == 8_000
    assert outcomes(line) == [(1, "caller", "", "", "dropped")]
    line.tell(SessionUp(8_000))
    line.speak("i9", "Hello?")
    line.reply("r9", "Here I am.", 0.5)
    line.wait(1.0)
    assert outcomes(line)[1:] == [(2, "caller", "Hello?", "Here I am.", "heard")]


def test_a_turn_whose_words_are_known_is_asked_again() -> None:
    line = Line()
    line.tell(*[SPEECH] * 50)
    line.speak("i1", "Hello?")
    line.tell(*[QUIET] * 50)
    line.tell(ResponseBegan("r1", ""), SessionLost("gone"))
    assert line.machine.replay_from == 100 * 160  # what is said meanwhile, and no more
    assert line.machine.unanswered_from == 0
    assert [turn.caller_text for turn in line.machine.open_turns] == ["Hello?"]
    line.tell(SessionUp())
    assert line.labels == ["1.1"]
    line.tell(AudioArrived("r1", "item-r1", 0, sound("r1", 0.5)))
    assert line.machine.open_turns[0].heard_text == ""


def test_what_came_before_the_loss_is_still_heard_and_ends_there() -> None:
    line = Line()
    line.speak("i1", "Hello?")
    line.reply("r1", LONG, 2.0, ends=False)
    line.wait(0.5)
    line.tell(SessionLost("gone"))
    assert line.machine.open_turns[0].heard_text == LONG
    line.wait(3.0)
    assert line.heard_of("r1") == pytest.approx(2.0, abs=0.03)
    (turn,) = line.settled
    assert (turn.outcome, turn.reason) == ("failed", "the service heard the end; gone")
    assert line.machine.unanswered_from is None


def test_keys_are_an_entry_of_the_conversation() -> None:
    line = Line()
    line.speak("i1", "Hello?")
    line.reply("r1", LONG, 3.0)
    line.wait(0.5)
    line.tell(DigitPressed("4"))
    assert line.clears == 1
    line.tell(DigitPressed("2"))
    line.wait(1.6)
    item = line.of("conversation.item.create")[0]["item"]
    assert item["content"][0]["text"] == "(pressed on the keypad: 4 2)"
    line.reply("r2", "Forty-two.", 0.5, label="2.1")
    line.wait(1.0)
    assert outcomes(line)[1:] == [(2, "digits", "42", "Forty-two.", "heard")]


def test_silence_is_asked_about_and_then_ends_the_call() -> None:
    line = Line()
    line.wait(12.5)
    assert '"Are you still there?"' in line.of("response.create")[0]["response"]["instructions"]
    line.reply("r1", "Are you still there?", 1.0, label="1.1")
    line.wait(28.0)
    assert "Goodbye" in line.of("response.create")[1]["response"]["instructions"]
    line.reply("r2", "Goodbye.", 0.5, label="2.1")
    line.wait(1.0)
    assert line.ended is not None
    assert line.ended.reason == "idle"
    assert [turn.kind for turn in line.settled] == ["silence", "silence"]


def test_silence_is_asked_about_in_the_language_that_the_call_has_changed_to() -> None:
    line = Line()
    spanish = SpokenPhrases(still_there="¿Sigue usted ahí?", goodbye="Adiós.")
    line.machine.change_language(replace(VOICE, language="es-ES", phrases=spanish))
    line.wait(12.5)
    assert "¿Sigue usted ahí?" in line.of("response.create")[0]["response"]["instructions"]
    line.reply("r1", "¿Sigue usted ahí?", 1.0, label="1.1")
    line.wait(28.0)
    assert "Adiós." in line.of("response.create")[1]["response"]["instructions"]


def test_a_farewell_is_said_to_its_end_whatever_the_caller_does() -> None:
    line = Line()
    line.tell(HangUpRequested("time_limit", "Time is up."))
    kinds = line.kinds()
    assert kinds == ["session.update", "response.create"]
    assert line.told[0]["session"]["audio"]["input"]["turn_detection"] is None
    line.reply("r1", "Time is up.", 1.0, label="1.1")
    line.wait(0.3)
    line.tell(SpeechStarted("i1", 0), SpeechStopped("i1", 500), AudioCommitted("i1"))
    line.tell(DigitPressed("1"))
    line.wait(2.0)
    assert line.clears == 0
    assert line.ended is not None
    assert line.ended.reason == "time_limit"


def test_without_a_session_the_call_ends_without_a_farewell() -> None:
    line = Line()
    line.tell(SessionLost("gone"), HangUpRequested("time_limit", "Time is up."))
    assert line.ended is not None


def test_a_call_that_is_known_begins_with_the_next_turn() -> None:
    line = Line()
    fresh = Line()
    fresh.machine = type(line.machine)(*_parts())
    fresh.tell(SessionUp(), CallStarted(None, next_turn_id=7, resume_text="I am back."))
    assert fresh.labels == ["7.1"]


def _parts() -> tuple[Any, ...]:
    from providers.realtime.config import RealtimeConfig
    from tests.support.realtime_line import AGENT, VOICE

    return AGENT, RealtimeConfig(api_key="k"), VOICE


def test_the_end_of_the_stream_settles_what_was_heard() -> None:
    line = Line()
    line.speak("i1", None)
    line.reply("r1", LONG, 4.0)
    line.wait(1.0)
    line.machine.close(now=line.now)
    line.drain()
    (turn,) = line.settled
    assert turn.outcome == "interrupted"
    assert LONG.startswith(turn.heard_text)
    assert turn.heard_text


IDS = st.sampled_from(["a", "b", "c"])
EVENTS = st.one_of(
    st.builds(SpeechStarted, IDS, st.integers(0, 5_000)),
    st.builds(SpeechStopped, IDS, st.integers(0, 5_000)),
    st.builds(AudioCommitted, IDS),
    st.builds(WordsKnown, IDS, st.sampled_from(["", "Yes.", "No."])),
    st.builds(ResponseBegan, IDS, st.sampled_from(["", "0.1", "1.1", "2.1"])),
    st.builds(AudioArrived, IDS, IDS, st.just(0), st.sampled_from([b"", b"\x20" * 4_000])),
    st.builds(AudioEnded, IDS, IDS, st.just(0)),
    st.builds(TextArrived, IDS, IDS, st.just(0), st.just("Well, yes."), st.booleans()),
    st.builds(CallWanted, IDS, IDS, st.sampled_from(["sales", "end_call"]), st.just("{}")),
    st.builds(
        ResponseEnded,
        IDS,
        st.sampled_from(["", "1.1"]),
        st.sampled_from(["completed", "cancelled", "failed", "incomplete"]),
    ),
    st.builds(ToolAnswered, st.integers(0, 4), IDS, st.sampled_from([{}, ACTION]), st.just("x")),
    st.builds(SessionLost, st.just("gone")),
    st.builds(SessionUp, st.integers(0, 80_000)),
    st.builds(DigitPressed, st.sampled_from(["1", "#"])),
    st.sampled_from([SPEECH, QUIET]),
    st.builds(HangUpRequested, st.just("over"), st.sampled_from([None, "Bye."])),
    st.floats(0.0, 3.0).filter(lambda s: s >= 0.0),
)


@given(st.lists(EVENTS, max_size=40), st.booleans())
def test_whatever_comes_turns_are_told_once_in_order_and_nothing_stale_is_heard(
    events: list[Any], greets: bool
) -> None:
    line = Line(greeting="Hello." if greets else None)
    for event in events:
        told_before, settled = len(line.sent), {turn.turn_id for turn in line.settled}
        if isinstance(event, float):
            line.wait(event)
        else:
            line.tell(event)
        assert not {turn_id for turn_id, _ in line.sent[told_before:]} & settled
    line.machine.close(now=line.now)
    line.drain()
    ids = [turn.turn_id for turn in line.settled]
    assert ids == sorted(set(ids))
    calls = [tool.call_id for tool in line.tools]
    assert len(calls) == len(set(calls))
    for turn in line.settled:
        assert not turn.performs or turn.outcome == "heard"


def test_a_service_that_never_says_more_of_a_caller_is_asked_for_a_sign_of_life() -> None:
    line = Line()
    line.tell(SpeechStarted("i1", 0))
    line.wait(20.0)
    assert line.labels == ["1.1"], "it is to ask whether anyone is there"
    assert len(line.dropped) == 1, "and does not"


def test_a_caller_who_is_heard_by_both_is_not_interrupted() -> None:
    line = Line()
    line.tell(SpeechStarted("i1", 0))
    for _ in range(1_500):
        line.tell(FrameHeard(True, -10.0))
        line.wait(0.02)
    assert line.labels == []


def test_a_tool_that_was_asked_for_before_a_response_was_cut_short_is_answered() -> None:
    line = Line()
    line.speak("i1", "Where is my order?")
    call = CallWanted("r1", "call-r1", "orders", "{}")
    line.tell(ResponseBegan("r1", ""), call)
    line.tell(ResponseEnded("r1", "", "incomplete", "max_output_tokens"))
    line.answer(output="7")
    assert [e["item"]["output"] for e in line.of("conversation.item.create")] == ["7"]
    assert line.labels == ["1.2"]


def test_no_turn_has_more_words_than_can_be_said_in_it() -> None:
    line = Line()
    line.speak("i1", "yes " * 100_000)
    line.tell(ResponseBegan("r1", ""))
    for part in ("a", "b"):
        line.tell(*(TextArrived("r1", part, 0, "no " * 5_000) for _ in range(3)))
        line.tell(AudioArrived("r1", part, 0, sound("r1", 0.5)))
    line.tell(ResponseEnded("r1", "", "completed"))
    line.wait(5.0)
    line.speak("i2", None)
    line.tell(SpeechStarted("i3", 0), WordsKnown("i2", "yes " * 100_000))
    turns = line.settled
    assert len(turns) == 2
    for turn in turns:
        assert max(map(len, (turn.caller_text, turn.agent_text, turn.heard_text))) <= 16_000


@pytest.mark.parametrize("heard_by", [SpeechStarted("i2", 0), SpeechStopped("i2", 500), None])
def test_a_voice_that_is_paused_when_the_call_is_to_end_is_said_to_its_end(heard_by: Any) -> None:
    line = Line()
    line.speak("i1", "Help me.")
    line.reply("r1", LONG, 3.0)
    line.wait(0.5)
    for _ in range(7):
        line.tell(SPEECH)
        line.wait(0.02)
    assert line.clears == 1, "our own detector has paused it"
    line.tell(HangUpRequested("time_limit", "Bye."))
    if heard_by is not None:
        line.tell(heard_by)
    line.wait(4.0)
    assert line.heard_of("r1") >= 3.0
    assert outcomes(line) == [(1, "caller", "Help me.", LONG, "heard")]
    line.reply("r2", "Bye.", 0.5, label="2.1")
    line.wait(6.0)
    assert line.ended is not None
    assert line.ended.reason == "time_limit"
