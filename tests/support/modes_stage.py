"""One agent behind three doors, whose calls are carried as pipeline, relay and realtime."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from pydantic import TypeAdapter

from actors.tool_runs import ToolRuns
from cluster.agent_languages import asks_of
from cluster.agent_tools import ToolFile, tools_of
from cluster.evaluate.mode_agent import LANGUAGE, tools_of_agent
from cluster.evaluate.mode_talk import Talk, talk_of, told_use
from cluster.wall_clock import wall_clock_us
from dialogue.agent import CallMode, SpokenLanguage
from dialogue.languages import phrases_of
from dialogue.realtime import RealtimeOptions
from dialogue.relay_options import RelayOptions
from dialogue.tools import Tool
from providers.realtime.config import RealtimeConfig
from providers.realtime.service import OpenAIRealtime
from providers.tools.http_tool import HttpTools
from providers.tools.table import ToolTable
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import PreparedClip, prepare
from simulation.clip_library import load_library
from simulation.faults import FaultBoard
from simulation.mode_script import (
    GREETING,
    OTHER_LANGUAGE,
    Line,
    script_lines,
    spoken,
    tool_rules,
)
from simulation.openai_realtime import OpenAIRealtimeEmulator
from simulation.realtime_session import RealtimeEmulatorConfig
from simulation.tool_service import ToolService
from simulation.voice_sound import HummingVoice
from tests.support.edge_stage import Built, Cast, EdgeStage

MODES: tuple[CallMode, ...] = get_args(CallMode)
OTHER = SpokenLanguage(
    OTHER_LANGUAGE,
    "elevenlabs",
    "Rachel",
    ("azure",),
    phrases_of(OTHER_LANGUAGE),
    asks_of(OTHER_LANGUAGE),
)


class ModesStage(EdgeStage):
    """See the top of this file; ``emulator`` is the model of the realtime calls."""

    def __init__(
        self, modes: Sequence[CallMode] = MODES, then_modes: tuple[CallMode, ...] = ()
    ) -> None:
        relay = RelayOptions(tts_provider="Google", voice="en-US-Journey-O")
        self.service_of_tools = ToolService()
        self._table = ToolTable(HttpTools({}))
        common: dict[str, Any] = {
            "greeting": GREETING,
            "script": script_lines(),
            "rules": tool_rules(),
            "tools": self._declared(),
            "languages": (OTHER,),
            "relay": relay,
            "then_modes": then_modes,
        }
        casts = tuple(Cast(mode, mode=mode, **common) for mode in modes)
        super().__init__(casts, tools=lambda _name: ToolRuns(self._table, None, wall_clock_us))

    def _declared(self) -> tuple[Tool, ...]:
        """As the file of the agent has them."""
        plain = tools_of_agent(self.service_of_tools.url)
        tags = (LANGUAGE, OTHER_LANGUAGE)
        return tools_of(TypeAdapter(list[ToolFile]).validate_python(plain), LANGUAGE, tags)

    async def _build(self, cast: Cast) -> Built:
        agent, thinker, ear, speech = await super()._build(cast)
        return replace(agent, realtime=RealtimeOptions()), thinker, ear, speech

    async def _open(self) -> None:
        self._stack.enter_context(self.service_of_tools.running())
        self._stack.push_async_callback(self._table.aclose)
        board = FaultBoard()
        pace = RealtimeEmulatorConfig(
            first_audio_s=0.02,
            words_s=0.05,
            speed_ratio=4.0,
            script=script_lines(),
            tool_rules=tool_rules(),
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
        uses = {turn_id: [told_use(use) for use in turn.tools] for turn_id, turn in turns.items()}
        return talk_of(mode, turns.values(), uses)


def clip_of(name: str) -> PreparedClip:
    """A clip that ships."""
    return prepare(load_library().clip(name))
