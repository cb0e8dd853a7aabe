"""A relayed call, event by event: turns, what was heard, guesses, keys, silence, ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.relay_world import RelayWorld, kinds
from voice import events as voice
from voice import relay_events as relay
from voice.relay_session import ACTION_WAITS_S, STEADY_S

DIAL = {"verb": "dial", "tool": "sales", "to": "+14155550123", "timeout_s": 20}


def test_the_greeting_is_said_and_settles_when_the_voice_falls_silent() -> None:
    world = RelayWorld("Hello, how can I help?")
    assert world.said == "Hello, how can I help? "
    assert world.settled == []
    world.heard()
    assert world.settled == [(0, "", "Hello, how can I help?", "heard")]


def test_a_prompt_takes_the_turn_and_words_leave_as_they_come() -> None:
    world = RelayWorld()
    assert kinds(world.say("Do you have a table?", 1.0)) == ["BeginTurn", "CommitTurn"]
    assert kinds(world.mind("Yes.", finish=False)) == ["SendWords"]
    assert world.mind("For how many?")[-1] == relay.SendWords("", is_last=True)
    assert world.said == "Yes. For how many? "
    world.heard()
    assert world.settled == [(1, "Do you have a table?", "Yes. For how many?", "heard")]
    turn = next(one for one in world.out if isinstance(one, voice.TurnSettled))
    assert turn.timeline["committed"] == turn.timeline["first_frame_out"] == 1.0


def test_unspaced_scripts_get_no_blanks() -> None:
    world = RelayWorld()
    world.say("你好")
    world.mind("你好。", "請講。")
    assert world.said == "你好。請講。"


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ("Your booking is on", "Your booking is on"),
        ("your booking, is on friday", "Your booking is on Friday,"),
        ("Your book", "Your"),
        ("", ""),
        ("Your booking is on Friday, at eight. Shall I confirm it?", None),
        ("at eight.", "Your booking is on Friday, at eight."),
        ("something else entirely", "something else entirely"),
    ],
)
def test_what_was_heard_of_a_cut_reply_is_what_the_carrier_says(
    told: str, heard: str | None
) -> None:
    world = RelayWorld()
    world.say("When is it?")
    world.mind("Your booking is on Friday,", "at eight.", "Shall I confirm it?")
    whole = "Your booking is on Friday, at eight. Shall I confirm it?"
    assert kinds(world.put(relay.SpeechCut(told), 1.5)) == ["DropWords", "TurnSettled"]
    assert world.settled == [
        (1, "When is it?", whole if heard is None else heard, "interrupted"),
    ]


def test_a_reply_that_is_cut_while_it_is_thought_ends_and_closes_its_cycle() -> None:
    world = RelayWorld()
    world.say("Tell me all.")
    world.mind("There is much.", finish=False)
    found = world.put(relay.SpeechCut("There is"))
    assert kinds(found) == ["AbandonTurn", "DropWords", "SendWords", "TurnSettled"]
    assert found[2] == relay.SendWords("", is_last=True)
    assert world.mind("More of it.") == [], "what comes late is stale"


def test_words_before_the_reply_has_begun_belong_to_the_same_turn() -> None:
    world = RelayWorld()
    world.say("I want to book")
    assert kinds(world.say("a table for two", 0.3)) == ["AbandonTurn", "BeginTurn", "CommitTurn"]
    assert [(one.turn_id, one.guess, one.text) for one in world.begun] == [
        (1, 1, "I want to book"),
        (1, 2, "I want to book a table for two"),
    ]
    world.mind("Gladly.")
    world.heard()
    assert world.settled == [(1, "I want to book a table for two", "Gladly.", "heard")]


def test_a_burst_of_prompts_is_answered_once() -> None:
    world = RelayWorld()
    for word in ("one", "two", "three", "four"):
        world.say(word)
    world.mind("Counted.")
    world.heard()
    assert world.settled == [(1, "one two three four", "Counted.", "heard")]


def test_the_next_prompt_says_that_all_was_heard_when_nothing_was_cut() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("Hi, what can I do?")
    world.say("Nothing.", 0.5)
    assert world.settled == [(1, "Hello", "Hi, what can I do?", "heard")]


def test_tokens_played_tell_what_was_heard_when_the_socket_goes() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("One two three.", "Four five six.")
    world.put(relay.WordsPlayed("One two three."), 1.0)
    world.session.close(now=1.1)
    world._drain()
    assert world.settled == [(1, "Hello", "One two three.", "interrupted")]


def test_a_reply_counts_as_heard_when_all_was_played() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("One two three.")
    world.put(relay.WordsPlayed("One two"), 0.4)
    assert world.settled == []
    world.put(relay.WordsPlayed("three."), 0.6)
    assert world.settled == [(1, "Hello", "One two three.", "heard")]


def test_without_any_word_of_the_carrier_a_reply_is_heard_after_its_time() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("It takes a while to say all of these words aloud.")
    world.until(3.0)
    assert world.settled == []
    world.until(9.0)
    assert [turn[3] for turn in world.settled] == ["heard"]


def test_a_pause_of_the_voice_in_the_middle_is_no_end() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("A first sentence of some length is spoken here.", finish=False)
    world.put(relay.AgentSounded(True), 0.3)
    world.put(relay.AgentSounded(False), 3.0)
    assert world.settled == []
    world.mind("And a second one follows it.")
    world.put(relay.AgentSounded(True), 3.5)
    world.put(relay.AgentSounded(False), 6.0)
    assert [turn[3] for turn in world.settled] == ["heard"]


# --- guesses --------------------------------------------------------------------------------------


def partial(text: str) -> relay.PromptHeard:
    return relay.PromptHeard(text, is_last=False)


def test_steady_words_are_prepared_for_and_nothing_goes_out_before_the_turn_is_taken() -> None:
    world = RelayWorld()
    world.put(partial("Do you have"), 0.1)
    world.put(partial("Do you have a table"), 0.3)
    assert world.until(0.3 + STEADY_S - 0.01) == []
    begun = world.until(0.3 + STEADY_S + 0.01)
    assert begun == [voice.BeginTurn(1, 1, "caller", "Do you have a table", speculative=True)]
    assert world.mind("Yes,", "we do.") == []
    found = world.say("Do you have a table?", 0.9)
    assert kinds(found) == ["CommitTurn", "SendWords", "SendWords", "SendWords"]
    world.heard()
    assert world.settled == [(1, "Do you have a table?", "Yes, we do.", "heard")]
    spend = next(one for one in world.out if isinstance(one, voice.TurnSettled)).spend
    assert (spend.calls, spend.guessed_calls, spend.missed_calls, spend.wasted_calls) == (
        1,
        1,
        0,
        0,
    )


def test_a_wrong_guess_is_dropped_and_counted() -> None:
    world = RelayWorld()
    world.put(partial("Do you have a table"))
    world.until(0.5)
    world.mind("Yes.")
    assert kinds(world.say("Do you have a table by the window?")) == [
        "AbandonTurn",
        "BeginTurn",
        "CommitTurn",
    ]
    world.mind("One moment.")
    world.heard()
    spend = next(one for one in world.out if isinstance(one, voice.TurnSettled)).spend
    assert (spend.calls, spend.guessed_calls, spend.missed_calls, spend.wasted_calls) == (
        2,
        1,
        1,
        1,
    )


def test_a_guess_that_failed_apologises_only_once_it_is_taken() -> None:
    world = RelayWorld()
    world.put(partial("Hello there"))
    world.until(0.5)
    assert world.put(voice.ReplyFailed(1, 1, "down")) == []
    world.say("Hello there.")
    assert world.said == "Pardon? "


def test_no_guess_when_guessing_is_off() -> None:
    world = RelayWorld(speculate=False)
    world.put(partial("Hello there"))
    assert world.until(3.0) == []


# --- late and failed replies ----------------------------------------------------------------------


def test_a_late_reply_is_preceded_by_a_sentence_that_is_no_part_of_it() -> None:
    world = RelayWorld()
    world.say("Hello")
    assert world.until(1.6) == [relay.SendWords("One moment.", is_last=True)]
    world.mind("Here I am.")
    world.put(relay.SpeechCut("One moment. Here"), 2.5)
    assert world.settled == [(1, "Hello", "Here", "interrupted")]


def test_a_reply_that_never_comes_apologises_and_the_third_one_gives_up() -> None:
    world = RelayWorld(idle_prompt_s=60.0, idle_hang_up_s=120.0)
    for number in range(3):
        world.say(f"Question {number}")
        world.until(world.now + 20.0)
    assert [turn[2:] for turn in world.settled] == [
        ("Pardon?", "failed"),
        ("Pardon?", "failed"),
        ("Trouble.", "failed"),
    ]
    assert [end.reason for end in world.ends] == ["provider_trouble"]


def test_the_caller_of_an_agent_in_trouble_is_handed_over() -> None:
    world = RelayWorld(max_failures=1, trouble_action=DIAL)
    world.say("Hello")
    world.put(voice.ReplyFailed(1, 1, "down"))
    world.heard()
    assert world.ends == [relay.EndSession("provider_trouble", DIAL)]


def test_a_reply_that_breaks_in_its_middle_keeps_what_was_said() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.mind("The first half", finish=False)
    found = world.put(voice.ReplyFailed(1, 1, "down"))
    assert found == [relay.SendWords("", is_last=True)]
    world.heard()
    assert world.settled == [(1, "Hello", "The first half", "failed")]


# --- what a reply asks for ------------------------------------------------------------------------


def test_the_call_ends_once_the_goodbye_was_heard() -> None:
    world = RelayWorld()
    world.say("Bye")
    world.mind("Goodbye!", hang_up=True)
    assert world.ends == []
    assert kinds(world.heard()) == ["TurnSettled", "EndSession"]
    assert world.ends == [relay.EndSession("agent_hung_up")]
    assert world.session.next_deadline() is None


def test_a_transfer_is_done_once_its_words_were_heard() -> None:
    world = RelayWorld()
    world.say("Sales please")
    world.mind("I will put you through.", action=DIAL)
    world.heard()
    assert world.ends == [relay.EndSession("transferring", DIAL)]
    assert next(one for one in world.out if isinstance(one, voice.TurnSettled)).performs


def test_a_transfer_that_the_caller_cuts_is_not_done() -> None:
    world = RelayWorld()
    world.say("Sales please")
    world.mind("I will put you through.", action=DIAL)
    world.put(relay.SpeechCut("I will"))
    world.say("No, wait.")
    assert world.ends == []
    assert not next(one for one in world.out if isinstance(one, voice.TurnSettled)).performs


def test_an_action_waits_for_a_caller_who_has_begun_to_speak_and_words_take_it_back() -> None:
    world = RelayWorld()
    world.say("Sales please")
    world.mind("I will put you through.", action=DIAL)
    world.put(relay.CallerSounded(True), 1.0)
    world.heard()
    assert world.ends == []
    world.say("No, wait.")
    assert world.settled[0][3] == "heard"
    assert world.ends == []
    world.mind("Of course.")
    world.heard()
    assert world.ends == []


def test_a_cough_delays_an_action_only_for_a_while() -> None:
    world = RelayWorld()
    world.say("Sales please")
    world.mind("I will put you through.", action=DIAL)
    world.put(relay.CallerSounded(True), 1.0)
    world.heard()
    world.until(world.now + ACTION_WAITS_S + 0.1)
    assert world.ends == [relay.EndSession("transferring", DIAL)]


def test_keys_are_pressed_in_the_session() -> None:
    world = RelayWorld()
    world.say("Press one")
    world.mind("One second.", action={"verb": "digits", "tool": "press", "digits": "1w2#"})
    assert kinds(world.heard()) == ["TurnSettled", "PressKeys"]
    assert world.ends == []
    world.say("Thanks")
    assert world.begun[-1].turn_id == 2


# --- keys, silence, the end -----------------------------------------------------------------------


def test_keys_form_an_entry_with_what_was_said_before() -> None:
    world = RelayWorld()
    world.put(voice.DigitPressed("4"), 1.0)
    world.say("my number is", 1.5)
    world.put(voice.DigitPressed("2"), 2.0)
    world.until(4.0)
    assert [(one.kind, one.text) for one in world.begun] == [("digits", "my number is 42")]


def test_a_key_takes_back_a_reply_that_is_thought_about() -> None:
    world = RelayWorld()
    world.say("Hello")
    assert "AbandonTurn" in kinds(world.put(voice.DigitPressed("1")))
    assert world.settled == [(1, "Hello", "", "interrupted")]
    world.put(voice.DigitPressed("#"))
    assert world.begun[-1].text == "1"


def test_silence_is_asked_about_once_and_then_ends_the_call() -> None:
    world = RelayWorld()
    world.until(100.0)
    assert world.said == "Still there? Bye. "
    assert [end.reason for end in world.ends] == ["idle"]


def test_words_end_the_silence_and_the_goodbye() -> None:
    world = RelayWorld()
    world.until(41.0)
    assert world.said.endswith("Bye. ")
    world.put(relay.SpeechCut("B"), 41.2)
    world.say("I am here", 41.5)
    world.mind("Good.")
    world.heard()
    assert world.ends == []
    assert world.settled[-1] == (world.begun[-1].turn_id, "I am here", "Good.", "heard")


def test_a_call_that_is_asked_to_end_says_its_farewell_whatever_the_caller_does() -> None:
    world = RelayWorld()
    world.say("Hello")
    world.put(voice.HangUpRequested("shutting_down", "Goodbye now."))
    assert world.settled[0][3] == "dropped"
    world.say("What?")
    world.put(voice.DigitPressed("1"))
    assert len(world.begun) == 1
    world.heard()
    assert [end.reason for end in world.ends] == ["shutting_down"]


def test_without_a_farewell_it_ends_at_once() -> None:
    world = RelayWorld()
    world.put(voice.HangUpRequested("operator", None))
    assert world.ends == [relay.EndSession("operator")]


def test_a_resumed_call_counts_on() -> None:
    world = RelayWorld(start=voice.CallStarted(None, next_turn_id=7, resume_text="I am back."))
    assert world.said == "I am back. "
    world.heard()
    world.say("Good")
    assert [turn[0] for turn in world.settled] == [7]
    assert world.begun[-1].turn_id == 8


# --- whatever comes -------------------------------------------------------------------------------

TEXTS = st.sampled_from(["", "yes", "one two", "Hello there.", "你好", "?!"])
EVENTS = st.one_of(
    st.builds(relay.PromptHeard, TEXTS, st.booleans()),
    st.builds(relay.SpeechCut, TEXTS),
    st.builds(relay.AgentSounded, st.booleans()),
    st.builds(relay.CallerSounded, st.booleans()),
    st.builds(relay.WordsPlayed, TEXTS),
    st.builds(voice.DigitPressed, st.sampled_from("12#*x")),
    st.builds(voice.HangUpRequested, st.just("asked"), st.sampled_from([None, "Bye."])),
    st.just("segment"),
    st.just("finish"),
    st.just("hang up"),
    st.just("dial"),
    st.just("fail"),
    st.floats(0.0, 20.0),
)


@given(st.lists(EVENTS, max_size=30))
def test_the_laws_hold_whatever_comes(course: list[object]) -> None:
    world = RelayWorld("Hello!")
    for step in course:
        if isinstance(step, float):
            world.until(world.now + step)
        elif not isinstance(step, str):
            world.put(step)  # type: ignore[arg-type]
        elif world.begun:
            last = world.begun[-1]
            where = (last.turn_id, last.guess)
            match step:
                case "segment":
                    world.put(voice.SegmentPlanned(*where, 0, "Some words."))
                case "fail":
                    world.put(voice.ReplyFailed(*where, "down"))
                case _:
                    action = DIAL if step == "dial" else {}
                    world.put(voice.ReplyFinished(*where, step == "hang up", action))
    world.session.close(now=world.now)
    world._drain()
    ids = [turn[0] for turn in world.settled]
    assert ids == sorted(set(ids)), "each turn settles once, in order"
    assert len(world.ends) <= 1
    if world.ends:
        last = world.out.index(world.ends[0])
        assert world.out[last + 1 :] == [], "nothing follows the end"
    opened = {(one.turn_id, one.guess) for one in world.begun}
    committed = [(o.turn_id, o.guess) for o in world.out if isinstance(o, voice.CommitTurn)]
    assert set(committed) <= opened
    words = [one for one in world.out if isinstance(one, relay.SendWords)]
    if words and not world.ends:
        assert words[-1].is_last, "no talk cycle stays open"


def test_more_words_than_a_turn_holds_begin_another_and_none_are_lost() -> None:
    world = RelayWorld()
    long = "word " * 2_000
    for number in range(5):
        world.say(f"{number} {long}")
    world.mind("I see.")
    world.heard()
    told = [(turn, words[:1], outcome) for turn, words, _, outcome in world.settled]
    assert told == [(n + 1, str(n), "dropped") for n in range(4)] + [(5, "4", "heard")]
    assert max(len(begun.text) for begun in world.begun) < 20_000


def test_an_account_longer_than_the_speech_can_have_been_is_not_taken_whole() -> None:
    world = RelayWorld()
    world.say("When is it?")
    world.mind("On Friday.")
    world.put(relay.SpeechCut("nonsense " * 5_000))
    heard = world.settled[-1][2]
    assert heard.startswith("nonsense")
    assert len(heard) < 400


# --- a reply in parts -----------------------------------------------------------------------------


def in_two_parts() -> tuple[RelayWorld, tuple[int, int]]:
    """A caller who was told to wait, and hears so from 0.3 s on, while a tool runs."""
    world = RelayWorld()
    world.say("Book it, please.")
    world.mind("One moment.", finish=False)
    begun = world.begun[-1]
    world.put(voice.ReplyWorking(begun.turn_id, begun.guess, 30.0))
    world.put(relay.AgentSounded(True), 0.3)
    return world, (begun.turn_id, begun.guess)


def end_with(world: RelayWorld, where: tuple[int, int], text: str) -> None:
    world.put(voice.SegmentPlanned(*where, 1, text), 6.0)
    world.put(voice.ReplyFinished(*where, True))


def test_what_follows_a_pause_is_heard_only_after_it_was_spoken() -> None:
    world, where = in_two_parts()
    world.put(relay.AgentSounded(False), 1.2)
    end_with(world, where, "It is booked. Goodbye.")
    assert world.settled == []
    world.put(relay.CallerSounded(False), 6.3)
    world.put(relay.AgentSounded(True), 6.4)
    assert world.ends == []
    world.put(relay.AgentSounded(False), 8.5)
    told = [turn[2:] for turn in world.settled]
    assert told == [("One moment. It is booked. Goodbye.", "heard")]
    assert [end.reason for end in world.ends] == ["agent_hung_up"]


def test_a_pause_that_is_told_late_does_not_stand_for_the_words_after_it() -> None:
    world, where = in_two_parts()
    end_with(world, where, "It is booked. Goodbye.")
    world.put(relay.AgentSounded(False), 6.1)
    assert world.ends == [], "nothing is said that fast"
    world.put(relay.AgentSounded(True), 6.4)
    world.put(relay.AgentSounded(False), 8.5)
    assert [end.reason for end in world.ends] == ["agent_hung_up"]


@pytest.mark.parametrize("last", ["It is booked. Goodbye.", "..."])
def test_a_carrier_that_tells_of_no_second_sound_keeps_no_call_open(last: str) -> None:
    world, where = in_two_parts()
    world.put(relay.AgentSounded(False), 1.2)
    end_with(world, where, last)
    world.until(12.0)
    assert [end.reason for end in world.ends] == ["agent_hung_up"]


def test_words_that_are_taken_back_leave_no_guess_behind() -> None:
    world = RelayWorld()
    world.put(partial("Hello"))
    world.until(0.5)
    assert len(world.begun) == 1
    assert not world.session.is_between_turns
    assert kinds(world.say("")) == ["AbandonTurn"]
    assert world.session.is_between_turns
    world.until(60.0)
    assert world.said == "Still there? Bye. "
    assert [end.reason for end in world.ends] == ["idle"]


# --- a filler and what is said of it --------------------------------------------------------------


def after_a_filler(*segments: str) -> RelayWorld:
    """A reply that came late, after "One moment."; the carrier has not told of that yet."""
    world = RelayWorld()
    world.say("Are you open?")
    world.until(1.6)
    assert world.said == "One moment."
    if segments:
        world.mind(*segments)
    return world


@pytest.mark.parametrize("told", [("One moment.", "It is"), ("One", "moment. It is")])
def test_words_of_the_filler_are_no_words_of_the_reply(told: tuple[str, ...]) -> None:
    world = after_a_filler("It is open now.")
    for text in told:
        world.put(relay.WordsPlayed(text))
    assert world.settled == []
    world.session.close(now=world.now)
    world._drain()
    assert world.settled == [(1, "Are you open?", "It is", "interrupted")]


def test_a_filler_that_was_told_of_before_the_reply_came_is_not_looked_for_in_it() -> None:
    world = RelayWorld()
    world.say("Are you open?")
    world.put(relay.WordsPlayed("One moment."), 2.0)
    world.mind("One moment. It is open now.")
    world.put(relay.WordsPlayed("One moment. It is"))
    assert world.settled == []
    world.put(relay.WordsPlayed("open now."))
    assert world.settled == [(1, "Are you open?", "One moment. It is open now.", "heard")]


def test_a_carrier_that_says_nothing_of_the_filler_is_believed_of_the_reply() -> None:
    world = after_a_filler("One table is free.")
    world.put(relay.WordsPlayed("One table is free."))
    assert world.settled == [(1, "Are you open?", "One table is free.", "heard")]


def test_a_reply_that_nothing_is_told_of_begins_after_its_filler() -> None:
    world = after_a_filler("It is open now.")
    world.session.close(now=world.now + 1.3)
    world._drain()
    assert world.settled == [(1, "Are you open?", "", "interrupted")]


def test_the_end_of_the_fillers_sound_is_no_end_of_a_short_reply() -> None:
    world = after_a_filler()
    where = (world.begun[-1].turn_id, world.begun[-1].guess)
    world.put(voice.SegmentPlanned(*where, 0, "Goodbye."), 1.8)
    world.put(voice.ReplyFinished(*where, True))
    world.put(relay.AgentSounded(True), 1.95)
    world.put(relay.AgentSounded(False), 2.9)
    assert world.ends == []
    world.put(relay.AgentSounded(True), 3.1)
    world.put(relay.AgentSounded(False), 3.9)
    assert [end.reason for end in world.ends] == ["agent_hung_up"]


def test_a_voice_that_was_quicker_than_seemed_possible_is_not_waited_for_long() -> None:
    world = after_a_filler()
    where = (world.begun[-1].turn_id, world.begun[-1].guess)
    world.put(voice.SegmentPlanned(*where, 0, "Goodbye."), 1.6)
    world.put(voice.ReplyFinished(*where, True))
    world.put(relay.AgentSounded(True), 1.9)
    world.put(relay.AgentSounded(False), 2.5)  # of both
    assert world.ends == []
    world.until(5.0)
    assert [end.reason for end in world.ends] == ["agent_hung_up"]


def test_what_follows_a_pause_is_given_the_time_of_a_slow_voice_where_nothing_is_told() -> None:
    world = RelayWorld()
    world.say("Put me through.")
    world.mind("One moment.", finish=False)
    where = (world.begun[-1].turn_id, world.begun[-1].guess)
    world.put(voice.ReplyWorking(*where, 30.0))
    text = "I will put you through now. " * 5  # nine seconds, or fifteen of a slow voice
    world.put(voice.SegmentPlanned(*where, 1, text), 20.0)
    world.put(voice.ReplyFinished(*where, action=DIAL))
    world.until(34.0)
    assert world.ends == []
    world.until(38.0)
    assert [end.reason for end in world.ends] == ["transferring"]
