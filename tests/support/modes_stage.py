"""One agent behind three doors, whose calls are carried as pipeline, relay and realtime."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from cluster.evaluate.mode_talk import Talk, talk_of
from dialogue.agent import CallMode
from dialogue.realtime import RealtimeOptions
from dialogue.relay_options import RelayOptions
from dialogue.tools import Tool
from providers.realtime.config import RealtimeConfig
from providers.realtime.service import OpenAIRealtime
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import PreparedClip, prepare
from simulation.clip_library import load_library
from simulation.faults import FaultBoard
from simulation.mode_script import (
    ANNOUNCED,
    GREETING,
    NOBODY,
    PRESS,
    TRANSFER,
    Line,
    script_lines,
    spoken,
)
from simulation.openai_realtime import OpenAIRealtimeEmulator
from simulation.realtime_session import RealtimeEmulatorConfig
from simulation.voice_sound import HummingVoice
from tests.support.edge_stage import Built, Cast, EdgeStage

MODES: tuple[CallMode, ...] = get_args(CallMode)
SALES = "+14155550123"
TOOLS = (
    Tool("send_digits", PRESS, "For menus.", announce="I press it."),
    Tool(
        "transfer",
        TRANSFER,
        "To buy.",
        to=SALES,
        timeout_s=5,
        announce=ANNOUNCED,
        no_answer=NOBODY,
    ),
)


class ModesStage(EdgeStage):
    """See the top of this file; ``emulator`` is the model of the realtime calls."""

    def __init__(self) -> None:
        relay = RelayOptions(tts_provider="Google", voice="en-US-Journey-O")
        common: dict[str, Any] = {
            "greeting": GREETING,
            "script": script_lines(),
            "tools": TOOLS,
            "relay": relay,
        }
        super().__init__(tuple(Cast(mode, mode=mode, **common) for mode in MODES))

    async def _build(self, cast: Cast) -> Built:
        agent, thinker, ear, speech = await super()._build(cast)
        return replace(agent, realtime=RealtimeOptions()), thinker, ear, speech

    async def _open(self) -> None:
        board = FaultBoard()
        pace = RealtimeEmulatorConfig(
            first_audio_s=0.02, words_s=0.05, speed_ratio=4.0, script=script_lines()
        )
        self.emulator = OpenAIRealtimeEmulator(pace, self._index, HummingVoice(), board)
        self._stack.callback(self.emulator.close)
        port = await self._listen(self.emulator, board)
        config = RealtimeConfig(api_key="k", base_url=f"http://127.0.0.1:{port}/v1")
        self.service = OpenAIRealtime(config)
        await super()._open()

    def _edge(self, agent: Any, *args: Any, **parts: Any) -> Any:
        edge = super()._edge(agent, *args, **parts)
        known: Any = edge.parts.call_parts
        for key, of_agent in list(known.items()):
            known[key] = replace(of_agent, realtime=self.service)
        return edge

    async def converse(
        self, mode: CallMode, lines: Sequence[Line], quiet_s: float
    ) -> tuple[CallResult, Talk]:
        """The conversation in one mode, and its record; whoever is transferred to is busy."""
        book = CalleeBook(Callee(outcome="busy", after_s=0.05))
        async with self.doors[mode].carrier(phones=Phones(book)) as line:
            order = CallOrder(
                spoken(lines, clip_of, quiet_s=quiet_s), max_duration_s=20.0 * len(lines)
            )
            result = await place_call(line, order)
        return result, self._talk(mode)

    async def converse_in_all(
        self, lines: Sequence[Line], quiet_s: float = 1.0
    ) -> dict[CallMode, tuple[CallResult, Talk]]:
        """In every mode at once."""
        had = await asyncio.gather(*(self.converse(mode, lines, quiet_s) for mode in MODES))
        return dict(zip(MODES, had, strict=True))

    def _talk(self, mode: CallMode) -> Talk:
        turns = {entry.turn_id: entry for entry in self.turns_of(self.doors[mode])}
        uses = {
            turn_id: [(use["name"], json.loads(use["result"])["status"]) for use in turn.tools]
            for turn_id, turn in turns.items()
        }
        return talk_of(mode, turns.values(), uses)


def clip_of(name: str) -> PreparedClip:
    """A clip that ships."""
    return prepare(load_library().clip(name))
