"""Calls that one model hears and speaks, on virtual time: from the socket to the mind and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from actors.comeback import Comeback
from actors.wire import TurnEntry
from dialogue.agent import Phrases, SpokenLanguage
from dialogue.call_language import language_use
from dialogue.tools import Tool, language_parameters
from providers.errors import ProviderRefused
from providers.realtime.events import Remark
from tests.support.fake_realtime import REALTIME_AGENT, RealtimeStage
from tests.support.scripted_call import play as play_any

SALES = Tool("transfer", "sales", "To buy.", to="+14155550123", no_answer="Sales is away.")
WITH_TOOLS = replace(REALTIME_AGENT, tools=(SALES,))
ALONE = replace(REALTIME_AGENT, then_modes=())
LONG = "I would gladly help you with that matter, if you tell me a little more."


def play(scene: Callable[[RealtimeStage], Awaitable[None]], **options: Any) -> None:
    play_any(scene, lambda: RealtimeStage(**options))  # type: ignore[arg-type]


def test_a_call_from_the_greeting_to_the_end_is_recorded_like_any_other() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        assert phone.heard == "Hello!"
        stage.service.replies = ["We are open until five."]
        await phone.say("When do you close?")
        await phone.until(lambda: len(phone.log) == 2)
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "caller_hung_up")
        recorder = stage.pool.homes["ann"].recorder
        told = [(turn.turn_id, turn.kind, turn.caller_text) for _, turn in recorder.settled]
        assert told == [(0, "greeting", ""), (1, "caller", "When do you close?")]
        turn = recorder.settled[1][1]
        assert turn.heard_text == turn.agent_text == "We are open until five."
        assert (turn.usage["realtime_audio_out"], "recognised_s" in turn.usage) == (30.0, False)
        assert turn.usage["conversed_s"] > 0
        assert 0.0 < turn.timeline["committed"] < turn.timeline["first_frame_out"]
        assert recorder.closed == [("call-1", True, "caller_hung_up")]
        assert stage.recogniser.openings == 0
        assert stage.service.session.is_closed
        assert stage.service.session.audio_bytes > 8_000

    play(scene)


def test_the_caller_interrupts_and_only_what_was_heard_is_history() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = [LONG, "All right."]
        await phone.say("Help me.")
        await phone.until_heard("I would gladly")
        await phone.say("Never mind.")
        await phone.until_heard("All right.")
        await phone.until(lambda: len(phone.log) == 3)
        heard = phone.log[1][2]
        assert phone.log[1][3] == "interrupted"
        assert LONG.startswith(heard)
        assert len(heard) < len(LONG)
        (cut,) = [e for e in stage.service.session.told if e["type"].endswith("truncate")]
        assert cut["audio_end_ms"] < len(LONG) * 20
        assert abs(cut["audio_end_ms"] / 20 - len(heard)) < 15
        assert phone.cleared

    play(scene)


def test_a_transfer_goes_through_the_mind_and_ends_the_stream() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = ["I put you through.|sales"]
        await phone.say("Sales, please.")
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "transferring")
        assert end.hand_over["to"] == "+14155550123"
        (use,) = phone.driver.turn_log[-1].tools
        assert (use["name"], json.loads(use["result"])["status"]) == ("sales", "put through")
        kinds = [m["kind"] for name, m in stage.pool.homes["ann"].messages if name == "take_turn"]
        assert kinds == ["tool"]
        assert phone.heard.endswith("I put you through.")

    play(scene, agent=WITH_TOOLS)


def test_a_tool_that_does_not_exist_is_explained_to_the_model() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = ["|rocket", "I cannot do that."]
        await phone.say("To the moon.")
        await phone.until_heard("I cannot do that.")
        items = [e["item"] for e in stage.service.session.told if "item" in e]
        assert "no tool 'rocket'" in json.loads(items[-1]["output"])["error"]

    play(scene, agent=WITH_TOOLS)


def test_the_agent_hangs_up_by_the_tool_that_every_such_agent_has() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = ["Goodbye then.|end_call"]
        await phone.say("Bye.")
        end = await phone.ended()
        assert (end.planned, end.reason, dict(end.hand_over)) == (True, "agent_hung_up", {})

    play(scene)


def test_a_lost_session_is_followed_by_one_that_knows_the_call() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("I am Ann.")
        await phone.until(lambda: len(phone.log) == 2)
        stage.service.session.break_off()
        await phone.until(lambda: len(stage.service.sessions) == 2)
        assert stage.service.session.texts() == ["Hello!", "I am Ann.", "Well."]
        stage.service.replies = ["You are Ann."]
        await phone.say("Who am I?")
        await phone.until_heard("You are Ann.")
        assert phone.log[-1] != "failed"

    play(scene)


def test_a_session_lost_in_mid_sentence_is_told_the_sentence_again() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        phone.speaking = True
        await asyncio.sleep(0.3)
        stage.service.session.begins()
        await asyncio.sleep(0.4)
        stage.service.session.break_off()
        await phone.until(lambda: len(stage.service.sessions) == 2)
        await asyncio.sleep(0.02)
        assert stage.service.session.audio_bytes >= 0.3 * 8_000
        phone.speaking = False
        stage.service.session.begins()
        stage.service.session.ends("Where were we?")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.driver.turn_log[-1].caller_text == "Where were we?"

    play(scene)


def test_a_session_is_replaced_before_the_service_ends_it() -> None:
    async def scene(stage: RealtimeStage) -> None:
        stage.service.config = replace(stage.service.config, session_s=5.0)
        phone = await stage.phone().greeted()
        await phone.until(lambda: len(stage.service.sessions) == 2, 8.0)
        await phone.until(lambda: stage.service.sessions[0].is_closed)
        stage.service.replies = ["Still here."]
        await phone.say("Hello?")
        await phone.until_heard("Still here.")
        assert [outcome for *_, outcome in phone.log] == ["heard", "heard"]

    play(scene)


def test_the_pipeline_takes_over_when_the_service_is_down_and_the_record_says_why() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.is_down = True
        stage.service.session.break_off()
        await phone.until(lambda: stage.recogniser.openings)
        await asyncio.sleep(0.5)
        await phone.until(lambda: phone.call_id in stage.recogniser.streams)
        phone.speaking = True
        await asyncio.sleep(0.4)
        phone.speaking = False
        phone.ear.hear("Are you there?")
        await phone.until_heard("I will look for it")
        phone.hang_up()
        assert (await phone.ended()).reason == "caller_hung_up"
        settled = [turn for _, turn in stage.pool.homes["ann"].recorder.settled]
        (note,) = [turn for turn in settled if turn.reason.startswith("realtime given up")]
        assert "refused" in note.reason
        ids = [turn.turn_id for turn in settled]
        assert ids == sorted(set(ids))
        assert "Hello!" in str(stage.thinker.requests[-1].messages)
        assert stage.pool.homes["ann"].recorder.closed == [("call-1", True, "caller_hung_up")]

    play(scene)


def test_what_the_caller_said_last_is_heard_again_by_the_pipeline() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.is_silent = True
        stage.service.is_down = True
        await phone.say("Are you there?")
        stage.service.session.break_off()
        await phone.until(lambda: phone.call_id in stage.recogniser.streams, 8.0)
        assert len(phone.ear.audio) > 0.6 * 8_000
        phone.ear.hear("Are you there?")
        await phone.until_heard("I will look for it")

    play(scene)


def test_a_key_that_is_wrong_brings_the_greeting_by_the_pipeline() -> None:
    async def scene(stage: RealtimeStage) -> None:
        stage.service.errors = [ProviderRefused("HTTP 401", "fake", "OPENAI_REALTIME_API_KEY")]
        phone = stage.phone()
        await phone.until_heard("Hello!")
        assert stage.service.sessions == []
        phone.hang_up()
        await phone.ended()
        reasons = [turn.reason for _, turn in stage.pool.homes["ann"].recorder.settled]
        assert any("OPENAI_REALTIME_API_KEY" in reason for reason in reasons)

    play(scene)


def test_without_a_pipeline_the_caller_hears_of_the_trouble_and_the_call_ends() -> None:
    async def scene(stage: RealtimeStage) -> None:
        assert await stage.speech.prepare(stage.agent) == []
        phone = await stage.phone().greeted()
        stage.service.is_down = True
        stage.service.session.break_off()
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "provider_trouble")
        assert phone.heard.endswith("Trouble.")

    play(scene, agent=ALONE)


def test_a_dead_call_actor_is_noticed_by_nobody() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("I am Ann.")
        await phone.until(lambda: len(phone.log) == 2)
        stage.pool.kill("ann")
        stage.service.replies = ["I put you through.|sales"]
        await phone.say("Sales, please.")
        end = await phone.ended()
        assert end.reason == "transferring"
        heir = next(home for name, home in stage.pool.homes.items() if home.recorder.hand_overs)
        assert [turn.turn_id for _, turn in heir.recorder.settled] == [0, 1, 2]

    play(scene, agent=WITH_TOOLS)


def test_an_older_stream_is_closed_when_its_sign_of_life_is_refused() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.")
        await phone.driver.mind.flush(even_if_empty=True)
        end = await phone.ended()
        assert (end.planned, end.reason) == (False, "owned_elsewhere")
        assert not newer.task.done()

    play(scene)


def test_another_stream_does_not_make_a_call_longer() -> None:
    async def scene(stage: RealtimeStage) -> None:
        began = asyncio.get_running_loop().time()
        log = (TurnEntry(0, "greeting", at_us=stage.wall_clock_us() - 595_000_000),)
        phone = stage.phone(epoch=(1, 20), turn_log=log)
        end = await phone.ended(60)
        assert (end.planned, end.reason) == (True, "time_limit")
        assert asyncio.get_running_loop().time() - began < 10.0  # of the virtual clock

    play(scene, agent=replace(REALTIME_AGENT, max_call_s=600.0))


@pytest.mark.parametrize(
    ("after_s", "ended"),
    [
        (0.1, (False, "stream_lost: stopped as it was taken up")),
        (6.0, (True, "caller_hung_up")),
    ],
)
def test_a_stream_stopped_as_it_takes_a_call_up_is_lost_however_old_the_call_is(
    after_s: float, ended: tuple[bool, str]
) -> None:
    async def scene(stage: RealtimeStage) -> None:
        log = (TurnEntry(0, "greeting", at_us=stage.wall_clock_us() - 60_000_000),)
        phone = stage.phone(epoch=(1, 20), turn_log=log)
        await asyncio.sleep(after_s)
        phone.hang_up()
        end = await phone.ended()
        assert (end.planned, end.reason) == ended

    play(scene)


def test_a_lost_socket_is_resumed_with_the_history() -> None:
    async def scene(stage: RealtimeStage) -> None:
        log = (
            TurnEntry(0, "greeting", agent_text="Hello!", heard_text="Hello!"),
            TurnEntry(1, "caller", "I am Ann.", "Good day.", "Good day."),
        )
        phone = stage.phone(epoch=(1, 20), turn_log=log)
        await phone.until_heard("Back.")
        assert stage.service.session.texts() == ["Hello!", "I am Ann.", "Good day."]
        await phone.until(lambda: len(phone.log) == 3)
        assert phone.log[-1][:2] == (2, "resume")

    play(scene)


def test_a_transfer_that_nobody_took_comes_back_and_the_model_knows() -> None:
    async def scene(stage: RealtimeStage) -> None:
        use = {"name": "sales", "arguments": "{}", "result": '{"status": "put through"}'}
        log = (TurnEntry(1, "caller", "Sales.", "One moment.", "One moment.", tools=(use,)),)
        back = Comeback("dial", "sales", "busy")
        phone = stage.phone(epoch=(1, 20), turn_log=log, comeback=back)
        await phone.until_heard("Sales is away.")
        items = [e["item"] for e in stage.service.session.told if "item" in e]
        (result,) = [item for item in items if item["type"] == "function_call_output"]
        assert json.loads(result["output"])["status"] == "busy"
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.driver.turn_log[-1].tools[0]["of_turn"] == 1

    play(scene, agent=WITH_TOOLS)


def test_what_the_carrier_says_while_the_call_changes_hands_is_not_lost() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.is_down = True
        stage.service.session.break_off()
        await asyncio.sleep(0.1)
        phone.hang_up()
        end = await phone.ended()
        assert stage.pool.homes["ann"].recorder.closed
        assert end.reason in {"caller_hung_up", "stream_lost: closed with 1000"}

    play(scene)


def test_a_change_of_language_is_told_to_the_session_and_to_the_next_one() -> None:
    phrases = Phrases(still_there="¿Sigue usted ahí?")
    spanish = SpokenLanguage("es-ES", "fake", "elvira", ("fake",), phrases, asks=("spanish",))
    agent = replace(REALTIME_AGENT, languages=(spanish,))

    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = ["Claro que sí."]
        await phone.say("Can we speak Spanish?")
        await phone.until(lambda: len(phone.log) == 2)
        updates = [
            e["session"] for e in stage.service.session.told if e["type"] == "session.update"
        ]
        assert "plain Spanish" in updates[-1]["instructions"]
        assert updates[-1]["audio"]["input"]["transcription"]["language"] == "es"
        assert phone.driver.turn_log[1].tools == (language_use("es-ES", "asked"),)
        await phone.until(lambda: any("¿Sigue" in str(told) for told in stage.service.session.told))

    play(scene, agent=agent)


def test_a_tool_changes_the_language_of_the_session_too() -> None:
    spanish = SpokenLanguage("es-ES", "fake", "elvira", ("fake",), Phrases(), asks=("spanish",))
    tags = language_parameters(("en-US", "es-ES"))
    tool = Tool("switch_language", "switch_language", "Go on.", parameters_json=tags)
    agent = replace(REALTIME_AGENT, languages=(spanish,), tools=(tool,))

    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = ['|switch_language {"language": "es-ES"}', "Of course."]
        await phone.say("My friend goes on from here.")
        await phone.until(lambda: len(phone.log) == 2)
        (use,) = phone.driver.turn_log[1].tools
        assert (use["language"], use["why"]) == ("es-ES", "tool")
        updates = [
            e["session"] for e in stage.service.session.told if e["type"] == "session.update"
        ]
        assert updates[-1]["audio"]["input"]["transcription"]["language"] == "es"

    play(scene, agent=agent)


def test_a_session_that_cannot_be_replaced_is_kept_and_the_service_is_not_hammered() -> None:
    async def scene(stage: RealtimeStage) -> None:
        stage.service.config = replace(stage.service.config, session_s=5.0)
        phone = await stage.phone().greeted()
        stage.service.is_down = True
        openings = stage.service.openings
        await asyncio.sleep(25.0)
        assert 1 <= stage.service.openings - openings <= 3
        stage.service.is_down = False
        await phone.until(lambda: len(stage.service.sessions) == 2)
        assert not phone.task.done()

    play(scene)


def test_whoever_ends_the_call_while_it_changes_hands_is_heard() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.is_down = True
        stage.service.session.closes_after_s = 1.0
        stage.service.session.break_off()
        await phone.until(lambda: stage.counters["realtime_given_up"])
        await asyncio.sleep(0.1)
        phone.driver.hang_up("operator", "So long.")
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "operator")
        assert phone.heard.endswith("So long.")

    play(scene)


def test_a_machine_that_breaks_at_what_the_service_says_ends_the_stream() -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()

        machine = phone.driver._hold._machine
        receives = machine.receive

        def receive(event: Any, *, now: float) -> None:
            if isinstance(event, Remark):
                raise IndexError("nobody has thought of this")
            receives(event, now=now)

        machine.receive = receive
        stage.service.session.tell(Remark("anything"))
        end = await phone.ended()
        assert (end.planned, end.reason, end.close_code) == (False, "internal: IndexError", 1011)

    play(scene)


@pytest.mark.parametrize("ends", [True, False])
def test_what_waited_for_the_end_of_a_turn_is_done_by_the_pipeline(ends: bool) -> None:
    async def scene(stage: RealtimeStage) -> None:
        phone = await stage.phone().greeted()
        stage.service.replies = [LONG]
        await phone.say("Help me.")
        await phone.until_heard("I would")
        if ends:
            phone.driver.hang_up("operator", "So long.")
        else:
            phone.driver.go_elsewhere("relay")
        stage.service.is_down = True
        stage.service.session.break_off()
        await phone.until(lambda: stage.counters["realtime_given_up"])
        end = await phone.ended()
        assert end.planned
        assert end.reason == ("operator" if ends else "switching")
        assert end.hand_over.get("mode") == (None if ends else "relay")

    play(scene)
