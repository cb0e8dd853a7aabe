"""Replies prepared while the caller may still be speaking, on virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from dialogue.ports import ThinkRequest, ToolCallRequested
from telemetry import catalog as c
from telemetry.merged import MergedMetrics
from tests.actors.test_call_driver_tools import AGENT_WITH_TOOLS
from tests.support.fake_thinker import FakeThinker, Step
from tests.support.scripted_call import Phone, Stage, play
from voice.speculation import SpeculationConfig

TEA, TREE = "I want tea", "I want a tree"


def answers(request: ThinkRequest) -> tuple[Step, ...]:
    """What was asked about, in two pieces."""
    said = request.messages[-1].text.casefold()
    if "people" in said:
        wish = ToolCallRequested("c1", "sales", "{}")
        return (0.1, "I am putting you through to our sales people. ", wish)
    for word in ("tea", "tree", "time"):
        if word in said:
            return (0.1, f"You said {word}. ", 0.1, "What else?")
    return (0.1, "Well.")


def staged(**options: Any) -> Stage:
    return Stage({"fake": FakeThinker(answers)}, **options)


def thinker_of(stage: Stage) -> FakeThinker:
    return next(iter(stage.pool.homes.values())).driver._thinkers["fake"]  # type: ignore[return-value]


def asked(stage: Stage) -> list[str]:
    """The caller's words as the model was asked about them, in order."""
    return [request.messages[-1].text for request in thinker_of(stage).requests]


async def pause(phone: Phone, text: str, seconds: float) -> None:
    """The recogniser's words so far, in silence."""
    phone.ear.hear(text, final=False)
    await asyncio.sleep(seconds)


def counted(stage: Stage, metric: c.Metric) -> float:
    merged = MergedMetrics()
    merged.merge(stage.ledger.snapshot())
    return sum(n for (name, _), n in merged.counters().items() if name == metric.name)


def test_words_that_flap_find_the_reply_that_was_prepared_first() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, TEA, 0.25)
        await pause(phone, TREE, 0.05)
        await pause(phone, TEA, 0.15)
        phone.ear.hear(TEA)
        await phone.until(lambda: len(phone.log) == 2)
        assert asked(stage) == [TEA, TREE]
        entry = phone.driver.turn_log[1]
        assert entry.heard_text == "You said tea. What else?"
        assert entry.timeline["first_frame_out"] == entry.timeline["committed"]
        assert (entry.usage["speculative_calls"], entry.usage["wasted_calls"]) == (2, 1)
        assert counted(stage, c.GUESSED_CALLS) == 2
        assert counted(stage, c.WASTED_CALLS) == 1
        assert "tree" not in phone.heard

    play(scene, staged)


def test_politeness_costs_no_second_answer_and_is_remembered() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, TEA, 0.3)
        await phone.talk(0.2)
        phone.ear.hear(f"{TEA}, please.")
        await phone.until(lambda: len(phone.log) == 2)
        assert asked(stage) == [TEA]
        assert phone.driver.turn_log[1].caller_text == f"{TEA}, please."
        await phone.say("what is the time")
        await phone.until(lambda: len(phone.log) == 3)
        history = [m.text for m in thinker_of(stage).requests[-1].messages if m.role == "user"]
        assert history[0] == f"{TEA}, please."

    play(scene, staged)


def test_a_speaker_is_read_no_further_than_may_be_held_and_then_goes_on() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, TEA, 0.52)
        reply = phone.driver._session._turns.guesses.live[0].reply
        held = reply.kept_bytes
        assert 800 <= held <= 800 + 10 * 160, "one chunk more than is allowed"
        assert not reply.segments[0].is_whole
        phone.ear.hear(TEA)
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.log[1][2:] == ("You said tea. What else?", "heard")
        assert stage.speaker.asked.count("You said tea.") == 1

    play(scene, lambda: staged(speculation=SpeculationConfig(held_bytes=800)))


def test_a_tool_of_a_wrong_guess_is_neither_used_nor_remembered() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, "give me people", 0.25)
        await pause(phone, "give me tea", 0.2)
        phone.ear.hear("give me tea")
        await phone.until(lambda: len(phone.log) == 2)
        assert asked(stage) == ["give me people", "give me tea"]
        entry = phone.driver.turn_log[1]
        assert (entry.heard_text, entry.tools) == ("You said tea. What else?", ())
        await phone.say("what is the time")
        await phone.until(lambda: len(phone.log) == 3)
        roles = {message.role for message in thinker_of(stage).requests[-1].messages}
        assert roles == {"system", "user", "assistant"}
        assert not phone.task.done()

    play(scene, lambda: staged(agent=AGENT_WITH_TOOLS))


def test_a_tool_of_a_right_guess_is_used_once_and_only_when_all_was_heard() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, "give me people", 0.25)
        assert not phone.task.done()
        phone.ear.hear("give me people please")
        end = await phone.ended()
        assert (end.planned, end.reason) == (True, "transferring")
        assert phone.heard.endswith("our sales people.")
        assert asked(stage) == ["give me people"]
        (use,) = phone.driver.turn_log[-1].tools
        assert use["name"] == "sales"

    play(scene, lambda: staged(agent=AGENT_WITH_TOOLS))


def test_a_caller_who_had_not_finished_is_answered_once_with_all_of_it() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say(TEA)
        await phone.until_heard("You")
        began = asyncio.get_running_loop().time()
        phone.speaking = True
        await phone.until(lambda: phone.cleared >= 1)
        assert asyncio.get_running_loop().time() - began <= 0.08 + 0.06
        await asyncio.sleep(0.3)
        phone.speaking = False
        phone.ear.hear("and the time")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.log[1][0] == 1, "no turn of its own was made of the first syllable"
        assert phone.driver.turn_log[1].caller_text == f"{TEA} and the time"
        assert "retreated" in phone.driver.turn_log[1].timeline
        assert counted(stage, c.RETREATS) == 1

    play(scene, staged)


def test_a_cough_in_our_first_moment_costs_no_second_answer() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say(TEA)
        await phone.until_heard("You")
        await phone.talk(0.14)
        await phone.until(lambda: phone.cleared >= 1)
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.log[1] == (1, "caller", "You said tea. What else?", "heard")
        assert asked(stage) == [TEA]
        assert stage.speaker.asked.count("You said tea.") == 1
        assert "wasted_calls" not in phone.driver.turn_log[1].usage

    play(scene, staged)


def test_a_call_that_ends_in_the_middle_pays_for_its_guesses() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.5)
        await pause(phone, TEA, 0.47)
        phone.hang_up()
        await phone.ended()
        ((_, units),) = stage.pool.homes["ann"].recorder.units
        assert units["wasted_calls"] == 1
        assert units["prompt_tokens"] == units["wasted_prompt_tokens"] == 11
        assert units["wasted_spoken_chars"] == len("You said tea.")
        assert units["recognised_s"] > 0

    play(scene, staged)


def test_calls_of_a_tenant_share_what_they_have_learnt() -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.phone().greeted(), await stage.phone(2).greeted()
        budget = stage.parts.budgets.of(stage.agent.tenant_id, stage.speculation.max_waste_ratio)
        await first.say(TEA)
        await first.until(lambda: len(first.log) == 2)
        assert (budget.total.calls, budget.total.guessed_calls) == (1, 1)
        assert budget.total.tokens == 18
        budget.patience = 1.0
        await second.say(TREE)
        await second.until(lambda: len(second.log) == 2)
        assert budget.total.calls == 2
        waited = [phone.driver.turn_log[1].timeline.get("eager", 9.9) for phone in (first, second)]
        assert waited[1] >= waited[0] + 0.1

    patient = replace(SpeculationConfig(), longest_wait_s=0.25)
    play(scene, lambda: staged(speculation=patient))
