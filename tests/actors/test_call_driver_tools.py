"""Tools from the model's wish to the end of the stream, and back, on virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actors.comeback import Comeback
from dialogue.ports import ThinkRequest, ToolCallRequested
from dialogue.tools import Tool
from tests.support.fake_thinker import FakeThinker, Step
from tests.support.scripted_call import AGENT, Stage, play

AGENT_WITH_TOOLS = replace(
    AGENT,
    tools=(
        Tool("end_call", "end_call", "When the caller says goodbye."),
        Tool("transfer", "sales", "To buy.", to="+14155550123", no_answer="Sales is away."),
        Tool("send_digits", "press", "For menus."),
    ),
)
DIAL = {
    "verb": "dial",
    "tool": "sales",
    "arguments": "{}",
    "to": "+14155550123",
    "timeout_s": 20,
    "caller_id": "",
}
WISHES: dict[str, tuple[Step, ...]] = {
    "sales": ("I am putting you through to our colleagues in sales now.", "sales"),
    "press": ("Pressing.", "press"),
    "bye": ("Goodbye then.", "end_call"),
}


def answers(request: ThinkRequest) -> tuple[Step, ...]:
    said = request.messages[-1].text
    for word, (text, tool) in WISHES.items():
        if word in said:
            arguments = '{"digits": "1#"}' if tool == "press" else "{}"
            return (text, ToolCallRequested("c1", str(tool), arguments))
    return ("Well.",)


def staged() -> Stage:
    return Stage({"fake": FakeThinker(answers)}, agent=AGENT_WITH_TOOLS)


def recorded(stage: Stage, what: Callable[[Any], list[Any]]) -> list[Any]:
    return [entry for home in stage.pool.homes.values() for entry in what(home.recorder)]


def test_a_transfer_ends_the_stream_when_its_announcement_was_heard() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("sales please")
        end = await phone.ended()
        assert (end.planned, end.reason, end.hand_over) == (True, "transferring", DIAL)
        assert phone.heard.endswith("in sales now.")
        state = await stage.pool.call_state("ann", "call-1")
        assert not state.planned_end
        handed_over = {**DIAL, "actor": "ann", "minted_us": phone.mind.epoch[1]}
        assert state.hand_over == handed_over
        (use,) = phone.driver.turn_log[-1].tools
        assert (use["name"], json.loads(use["result"])["status"]) == ("sales", "put through")
        assert recorded(stage, lambda recorder: recorder.hand_overs) == [("call-1", handed_over)]
        assert recorded(stage, lambda recorder: recorder.closed) == []

    play(scene, staged)


def test_a_caller_who_says_no_wait_stays() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("sales please")
        await phone.until_heard("colleagues")
        await phone.say("no wait", 0.8)
        await phone.until_heard("Well.")
        await asyncio.sleep(5.0)
        assert not phone.task.done()
        first = phone.driver.turn_log[1]
        assert first.outcome == "interrupted"
        assert json.loads(first.tools[0]["result"])["status"] == "not done"
        assert recorded(stage, lambda recorder: recorder.hand_overs) == []

    play(scene, staged)


def test_a_transfer_that_nobody_took_goes_on_where_it_was() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("sales please")
        await phone.ended()
        back = stage.phone(epoch=(1, 20), comeback=Comeback("dial", "sales", "busy"))
        await back.until_heard("Sales is away.")
        await back.until(lambda: len(back.log) == 3)
        (late,) = back.driver.turn_log[-1].tools
        assert (late["of_turn"], json.loads(late["result"])["status"]) == (1, "busy")
        await back.say("too bad")
        await back.until_heard("Well.")
        thinker = stage.pool.homes["ann"].driver._thinkers["fake"]
        assert isinstance(thinker, FakeThinker)
        told = thinker.requests[-1].messages
        assert [message.role for message in told] == [
            "system", "assistant", "user", "assistant", "tool", "assistant", "user",
        ]  # fmt: skip
        assert json.loads(told[4].text)["status"] == "busy"
        assert told[5].text == "Sales is away."

    play(scene, staged)


def test_after_keys_the_new_stream_only_listens() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("press one")
        end = await phone.ended()
        assert (end.reason, end.hand_over["digits"]) == ("sending_digits", "1#")
        back = stage.phone(epoch=(1, 20), comeback=Comeback("digits", "press"))
        await asyncio.sleep(5.0)
        assert back.heard == ""
        await back.say("welcome to the bank")
        await back.until_heard("Well.")
        await back.until(lambda: len(back.log) == 3)
        assert [kind for _, kind, *_ in back.log] == ["greeting", "caller", "caller"]

    play(scene, staged)


def test_a_call_whose_turns_are_lost_is_not_greeted_anew() -> None:
    async def scene(stage: Stage) -> None:
        back = stage.phone(epoch=(1, 20), comeback=Comeback("dial", "gone", "no-answer"))
        await back.until(lambda: back.log)
        assert back.log[0][1:3] == ("resume", stage.agent.phrases.no_answer)

    play(scene, staged)


def test_the_agent_ends_the_call_with_its_tool() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("bye")
        end = await phone.ended()
        assert (end.planned, end.reason, end.hand_over) == (True, "agent_hung_up", {})
        assert phone.heard.endswith("Goodbye then.")
        assert recorded(stage, lambda recorder: recorder.closed) == [
            ("call-1", True, "agent_hung_up")
        ]
        assert json.loads(phone.driver.turn_log[-1].tools[0]["result"]) == {"status": "done"}

    play(scene, staged)


def test_a_hand_over_is_told_even_when_the_actor_has_died() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("sales please")
        await phone.until_heard("through")
        stage.pool.kill("ann")
        assert (await phone.ended()).hand_over == DIAL
        assert phone.mind.actor != "ann"
        state = await stage.pool.call_state(phone.mind.actor, "call-1")
        assert state.hand_over == {**DIAL, **phone.driver.mind.owner}
        assert phone.driver.mind.owner == {"actor": phone.mind.actor, "minted_us": state.epoch[1]}
        assert len(state.turn_log) == 2

    play(scene, staged)
