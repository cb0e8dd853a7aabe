"""Realtime calls through the whole edge: real sockets, the real client, emulated services."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dialogue.realtime import TURN_PRESETS, RealtimeOptions
from dialogue.tools import Tool
from providers.realtime.config import RealtimeConfig
from providers.realtime.service import OpenAIRealtime
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Interrupt, Leave, Listen, Speak, StaySilent, Step
from simulation.faults import FaultBoard, Faults
from simulation.openai_realtime import OpenAIRealtimeEmulator
from simulation.openai_replies import ScriptLine
from simulation.realtime_session import RealtimeEmulatorConfig
from simulation.voice_sound import HummingVoice
from tests.support.edge_stage import Built, Cast, EdgeStage

pytestmark = pytest.mark.e2e
LONG = "The ten of clubs is a fine card, and I could go on about it."
QUICK = RealtimeEmulatorConfig(
    first_audio_s=0.02,
    words_s=0.05,
    speed_ratio=4.0,
    script=(ScriptLine(("ten", "clubs"), LONG), ScriptLine(("four",), "Four it is.")),
)
FAST = RealtimeOptions(turns=TURN_PRESETS["fast"])
DIAL = Tool("transfer", "transfer", "Put through.", to="+14155550123")


class RealtimeEdgeStage(EdgeStage):
    """An edge whose agent hears and speaks by one model.

    Attributes:
        emulator: The model.
        board: Its faults.
        known: Turns of the tests before.
    """

    known: frozenset[int] | set[int] = frozenset()

    async def _build(self, cast: Cast) -> Built:
        agent, thinker, ear, speech = await super()._build(cast)
        agent = replace(agent, mode="realtime", then_modes=("pipeline",), realtime=FAST)
        return agent, thinker, ear, speech

    async def _open(self) -> None:
        self.board = FaultBoard()
        self.emulator = OpenAIRealtimeEmulator(QUICK, self._index, HummingVoice(), self.board)
        self._stack.callback(self.emulator.close)
        port = await self._listen(self.emulator, self.board)
        config = RealtimeConfig(api_key="k", base_url=f"http://127.0.0.1:{port}/v1")
        self.service = OpenAIRealtime(replace(config, connect_timeout_s=1.0))
        await super()._open()

    def _edge(self, agent: Any, *args: Any, **parts: Any) -> Any:
        edge = super()._edge(agent, *args, **parts)
        known: Any = edge.parts.call_parts
        for key, of_agent in list(known.items()):
            known[key] = replace(of_agent, realtime=self.service)
        return edge

    async def place(self, script: Iterator[Step]) -> CallResult:
        async with self.doors["good"].carrier() as line:
            return await place_call(line, CallOrder(script, max_duration_s=25.0))


@pytest.fixture(scope="module")
def stage() -> Iterator[RealtimeEdgeStage]:
    stage = RealtimeEdgeStage((Cast("good", tools=(DIAL,)),))
    with stage.running():
        yield stage


@pytest.fixture(autouse=True)
def _whole_again(stage: RealtimeEdgeStage) -> Iterator[None]:
    stage.known = {id(turn) for turn in stage.turns_of(stage.doors["good"])}
    yield
    stage.board.clear()


def new_turns(stage: RealtimeEdgeStage) -> list[Any]:
    turns = [turn for turn in stage.turns_of(stage.doors["good"]) if id(turn) not in stage.known]
    return sorted(turns, key=lambda turn: turn.turn_id)


def test_a_call_with_an_interruption_is_heard_answered_and_recorded(
    stage: RealtimeEdgeStage,
) -> None:
    def script() -> Iterator[Step]:
        yield Listen(until_silence_s=0.2)
        yield Speak(stage.clip)
        yield Interrupt(stage.clip, after_s=1.0)
        yield Listen(until_silence_s=0.5)
        yield Leave()

    stage.play(stage.place(script()))
    turns = new_turns(stage)
    assert [turn.outcome for turn in turns[:3]] == ["heard", "interrupted", "heard"]
    assert 0 < len(turns[1].heard_text) < len(LONG)
    assert LONG.startswith(turns[1].heard_text)
    session = stage.emulator.sessions[-1]
    assert session.refused == []
    (cut,) = [item for item in session.conversation if item.truncated_ms is not None]
    assert cut.truncated_ms is not None
    assert abs(len(cut.text) - len(turns[1].heard_text)) < 15
    assert "clubs" in turns[2].caller_text
    assert turns[2].heard_text == turns[2].agent_text == LONG
    assert turns[2].usage["realtime_audio_out"] > 50
    assert turns[2].usage["transcribed_s"] > 0
    assert 0 < turns[2].timeline["first_frame_out"] < 2.0
    assert session.settings.turns.silence_s == 0.2
    assert stage.asked("good") == []


def test_a_session_that_is_cut_is_followed_by_another(stage: RealtimeEdgeStage) -> None:
    def script() -> Iterator[Step]:
        yield Listen(until_silence_s=0.2)
        stage.board.set("openai_realtime", Faults(drop_after_messages=0, times=1))
        yield Speak(stage.clip)
        yield Listen(until_silence_s=0.6)
        yield Leave()

    sessions = len(stage.emulator.sessions)
    stage.play(stage.place(script()))
    assert len(stage.emulator.sessions) == sessions + 2
    heard = [turn for turn in new_turns(stage) if turn.kind == "caller" and turn.heard_text]
    assert [turn.heard_text for turn in heard] == [LONG]


def test_the_pipeline_takes_over_in_mid_call(stage: RealtimeEdgeStage) -> None:
    def script() -> Iterator[Step]:
        yield Listen(until_silence_s=0.2)
        stage.board.set("openai_realtime", Faults(refuse_connection=True))
        for session in stage.emulator.sessions:
            session._socket.close(1011, "")
        yield StaySilent(1.0)
        yield Speak(stage.clip)
        yield Listen(until_silence_s=0.6)
        yield Leave()

    stage.play(stage.place(script()))
    turns = new_turns(stage)
    assert any(turn.reason.startswith("realtime given up") for turn in turns)
    answered = [turn for turn in turns if turn.kind == "caller" and turn.heard_text]
    assert [turn.heard_text for turn in answered] == ["Noted."]
    assert [message.text for message in stage.asked("good")[-1].messages[1:2]] == ["Hi."]


@pytest.fixture(scope="module", autouse=True)
def _nothing_left(stage: RealtimeEdgeStage) -> Iterator[None]:
    yield

    async def settle() -> None:
        await asyncio.sleep(0.1)

    stage.play(settle())
