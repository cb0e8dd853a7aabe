"""Answers that were given before, over sockets: the real edge, real clients, emulated providers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from actors.mind_answers import scope_of
from actors.wire import TurnEntry
from cache.context import OPEN
from cache.entry import Answer, Provenance, answer_id_of
from cache.local import LocalAnswerCache
from cache.local_encoder import TurnEncoder
from cache.lookup import Life, Question, ask
from cache.outcomes import Outcome
from cache.pattern import DialogueState
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Interrupt, Leave, Listen, Speak, Step, prepare
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from tests.support.edge_stage import Cast, EdgeStage, answered

pytestmark = pytest.mark.e2e

CLOSING, WEATHER, CARD = (
    prepare(load_library().clip(name)) for name in ("eot_en_question", "weather", "card001")
)
HOURS = "We close at six in the evening on Sundays, and we open again on Monday at nine."
ANN, BEN, CLEO = "+14155550101", "+14155550102", "+14155550103"
LONG = "It will rain for most of the day, and in the evening there will be some sun again."


class Answers(LocalAnswerCache):
    """A response cache of this process; for the agent ``dead`` it never answers."""

    def __init__(self) -> None:
        super().__init__(TurnEncoder(None), time.time)

    async def lookup(self, question: Question, *, state: DialogueState | None = None) -> Outcome:
        if question.scope.agent_id == "dead":
            await asyncio.sleep(1e6)
        return await super().lookup(question, state=state)

    def kept_for(self, agent_id: str) -> list[str]:
        """What is kept of an agent's calls."""
        return [
            entry.question for entry in self.keeper.cache.store if entry.scope.agent_id == agent_id
        ]


class Stage(EdgeStage):
    """The stage, and the cache of its CallActors."""

    def __init__(self) -> None:
        names = ("faq", "foreign", "learner", "dead", "talker", "patient")
        script = (ScriptLine(("weather",), LONG),)
        self.cache = Answers()
        super().__init__(
            tuple(Cast(name, script=script if name == "talker" else ()) for name in names),
            self.cache,
        )

    def bring(self, agent_id: str, tenant_id: str = "default") -> int:
        """Import the FAQ card; the id of its entry."""
        scope = scope_of(self.agents[agent_id], last_agent_act=OPEN).common
        entry = self.cache.keeper.bring(
            ask("What time do you close on Sunday?", replace(scope, tenant_id=tenant_id)),
            b"",
            Answer(answer_id_of(HOURS), HOURS, provenance=Provenance.FAQ),
            b"faq",
            Life(time.time()),
        )
        assert entry is not None
        return entry.entry_id

    def calls(self, agent_id: str, from_number: str, *steps: Step) -> CallResult:
        """Hear the greeting, do the steps, hang up."""

        async def scene() -> CallResult:
            script = (Listen(until_silence_s=0.2), *steps, Leave())
            order = CallOrder(iter(script), from_number=from_number, max_duration_s=30.0)
            async with self.doors[agent_id].carrier() as line:
                return await place_call(line, order)

        return self.play(scene())

    def asks(self, agent_id: str, from_number: str = ANN) -> TurnEntry:
        """One call with one question; its turn."""
        result = self.calls(agent_id, from_number, Speak(CLOSING), Listen(until_silence_s=0.4))
        assert answered(result) == ["answered"]
        return self.caller_turns(agent_id)[-1]

    def caller_turns(self, agent_id: str) -> list[TurnEntry]:
        """Oldest first."""
        turns = self.turns_of(self.doors[agent_id])  # one CallActor after the other
        return sorted(
            (turn for turn in turns if turn.kind == "caller"), key=lambda turn: turn.at_us
        )


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage().running() as s:
        assert isinstance(s, Stage)
        yield s


def what(turn: TurnEntry) -> dict[str, Any]:
    return {name: turn.cache.get(name) for name in ("outcome", "tier", "entry_id")}


def test_an_imported_answer_is_given_in_the_first_call_and_at_once_in_the_second(
    stage: Stage,
) -> None:
    entry_id = stage.bring("faq")
    first, second = stage.asks("faq", ANN), stage.asks("faq", BEN)
    for turn in (first, second):
        assert (turn.heard_text, turn.outcome) == (HOURS, "heard")
        assert what(turn) == {"outcome": "hit", "tier": "exact", "entry_id": entry_id}
        assert turn.cache["lookup_s"] < 1.0
        assert "prompt_tokens" not in turn.usage
        assert "speculative_calls" not in turn.usage
    assert stage.asked("faq") == [], "no model was asked"
    assert first.usage["spoken_chars"] > 0
    assert "spoken_chars" not in second.usage, "its audio was in hand"
    times = second.timeline
    assert times["first_segment"] <= times["first_frame_out"]


def test_another_tenant_never_gets_it(stage: Stage) -> None:
    stage.bring("foreign", tenant_id="another")
    turn = stage.asks("foreign")
    assert (turn.heard_text, turn.cache["outcome"]) == ("Noted.", "miss")
    assert len(stage.asked("foreign")) > 0


def test_what_the_model_said_is_given_to_others_once_two_callers_were_given_it(
    stage: Stage,
) -> None:
    outcomes = [
        stage.asks("learner", caller).cache["outcome"] == "hit"
        for caller in (ANN, ANN, BEN, CLEO, ANN)
    ]
    assert outcomes == [False, False, False, True, True]
    assert {turn.heard_text for turn in stage.caller_turns("learner")} == {"Noted."}
    (entry,) = (each for each in stage.cache.keeper.cache.store if each.scope.agent_id == "learner")
    assert entry.source.endswith(f"/{stage.caller_turns('learner')[0].turn_id}")
    assert what(stage.caller_turns("learner")[-1])["entry_id"] == entry.entry_id


def test_a_dead_cache_delays_no_turn(stage: Stage) -> None:
    turn = stage.asks("dead")
    assert (turn.heard_text, turn.outcome) == ("Noted.", "heard")
    assert turn.cache == {"outcome": "miss", "reason": "late"}


def test_who_interrupts_an_answer_of_the_cache_has_heard_the_words_that_were_played(
    stage: Stage,
) -> None:
    stage.bring("patient")
    stage.asks("patient")  # its audio is in hand now
    listen = Listen(until_silence_s=0.4)
    stage.calls("patient", BEN, Speak(CLOSING), Interrupt(CARD, after_s=1.0), listen)
    cut, after = stage.caller_turns("patient")[-2:]
    assert (cut.outcome, cut.agent_text) == ("interrupted", HOURS)
    assert cut.cache["outcome"] == "hit"
    assert "spoken_chars" not in cut.usage
    assert 0 < len(cut.heard_text) < len(HOURS)
    assert HOURS.startswith(cut.heard_text)
    assert not HOURS[len(cut.heard_text)].isalpha(), "whole words"
    assert after.heard_text == "Noted."
    lines = [message.text for message in stage.asked("patient")[-1].messages]
    assert any(line == cut.heard_text.rstrip(",") + "…" for line in lines), lines


def test_nothing_is_learned_of_an_answer_that_was_interrupted(stage: Stage) -> None:
    for caller in (ANN, BEN):
        stage.calls(
            "talker", caller, Speak(WEATHER), Interrupt(CARD, 1.0), Listen(until_silence_s=0.4)
        )
    cut = [turn for turn in stage.caller_turns("talker") if turn.outcome == "interrupted"]
    assert [turn.agent_text for turn in cut] == [LONG, LONG]
    assert not any("weather" in question for question in stage.cache.kept_for("talker"))
