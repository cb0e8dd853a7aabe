"""A call on a product with real processes, parts of which a test kills or moves it between."""

from __future__ import annotations

import asyncio
import http.client
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import psutil

from cluster import ports
from cluster.chaos.lines import PlacedCall
from cluster.chaos.product import recorded
from cluster.chaos.turns import RecordedCall
from cluster.evaluate.mode_stage import NUMBERS, PUBLIC_URL, ModeStage
from cluster.evaluate.run_modes import clip_of
from dialogue.agent import CallMode
from records.store import RecordStore
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import AgentHeard, CallerEvent, CallerSaid, CallStarted
from simulation.caller_script import Leave, Listen, Speak, StaySilent, Step
from simulation.carrier import Carrier, CarrierConfig
from tests.support.ray_stage import get_json

CLIPS = ("card002", "eot_en_question", "eot_en_yes")
SAID = ("Four queen of clubs.", "What time do you close on Sunday?", "Yes.")


class Quiet:
    """A ``Progress`` that says nothing."""

    def started(self, what: str) -> None:
        """Nothing to say."""

    def done(self, what: str) -> None:
        """Likewise."""

    def note(self, text: str) -> None:
        """Likewise."""


class Stricken:
    """A call in one mode; parts of the product are killed while it is on.

    Attributes:
        events: What the caller has noticed so far.
        may_go_on: While it is False the caller, who has spoken, waits; whatever the agent says.
    """

    def __init__(self, stage: ModeStage, mode: CallMode) -> None:
        self.stage = stage
        self.mode = mode
        self.events: list[CallerEvent] = []
        self.may_go_on = True
        self._news = asyncio.Event()

    def note(self, event: CallerEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def seen(self, fits: Callable[[CallerEvent], bool], times: int) -> None:
        async with asyncio.timeout(40.0):
            while sum(map(fits, self.events)) < times:
                self._news.clear()
                await self._news.wait()

    async def caller_said(self, times: int) -> None:
        await self.seen(lambda e: isinstance(e, CallerSaid), times)

    async def agent_heard(self, times: int) -> None:
        await self.seen(lambda e: isinstance(e, AgentHeard) and e.started, times)

    async def turn_recorded(self) -> None:
        """Until the records have a turn of the caller, and what was heard of its reply."""
        (sid,) = [event.call_sid for event in self.events if isinstance(event, CallStarted)]
        records = RecordStore(self.stage.store_url)
        try:
            async with asyncio.timeout(60.0):
                while True:
                    row = await records.call_by_sid(sid)
                    turns = await records.turns(row.tenant_id, row.call_id) if row else []
                    if any(turn.kind == "caller" and turn.heard_text for turn in turns):
                        return
                    await asyncio.sleep(0.1)
        finally:
            await records.aclose()

    def _may_go_on(self) -> bool:
        return self.may_go_on

    async def play(
        self,
        strike: Callable[[Stricken], Awaitable[None]],
        clips: Sequence[str] = CLIPS,
    ) -> CallResult:
        config = CarrierConfig(self.stage.url, self.stage.auth_token, public_url=PUBLIC_URL)
        async with Carrier(config, secrets.randbits(64)) as carrier:
            order = CallOrder(
                script(clips, self._may_go_on),
                to_number=NUMBERS[self.mode],
                max_duration_s=150.0,
                turns=len(clips),
            )
            striking = asyncio.ensure_future(strike(self))
            result = await place_call(carrier, order, self.note)
            await striking
            return result


def script(clips: Sequence[str], may_go_on: Callable[[], bool]) -> Iterator[Step]:
    yield Listen(until_silence_s=0.6)
    for name in clips:
        yield Speak(clip_of(name))
        while not may_go_on():
            yield StaySilent(0.1)
        yield Listen(until_silence_s=1.5, give_up_s=20.0)
    yield Leave()


def processes(title: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if " ".join(process.cmdline()).startswith(title):
                found.append(process)
        except psutil.Error:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Replica:
    """An ingress replica, past HAProxy."""

    pid: int
    url: str
    active_calls: int


def replicas() -> list[Replica]:
    """All that answer."""
    found = []
    for process in processes("ray::ServeReplica"):
        for port in {ports.port_of(each) for each in process.net_connections("tcp")}:
            url = f"http://127.0.0.1:{port}"
            try:
                report = get_json(f"{url}/readyz")[1] if port else {}
            except (OSError, ValueError, http.client.HTTPException):
                continue  # it speaks something else
            if report.get("pid") == process.pid:
                found.append(Replica(process.pid, url, int(report["active_calls"])))
                break
    return found


async def until_back(title: str, gone: int) -> None:
    async with asyncio.timeout(40.0):
        while not any(process.pid != gone for process in processes(title)):
            await asyncio.sleep(0.1)


async def record_of(stage: ModeStage, result: CallResult) -> RecordedCall:
    """As it is once the carrier's word has come that the caller hung up."""
    async with asyncio.timeout(15.0):
        while True:
            (found,) = await recorded(stage.store_url, [PlacedCall(0.0, result)])
            if found.row is not None and found.row.planned_end:
                return found
            await asyncio.sleep(0.1)
