"""A whole call on virtual time: a carrier by script on one side, CallActors on the other.

``Stage`` is one ingress replica with everything around it; ``Stage.phone()`` is one caller with the
driver of the call. The carrier keeps its own playout clock, so ``Phone.heard`` is what reached the
ear, not what was sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.call_driver import CallDriver, CallEnd, CallParts
from actors.comeback import Comeback
from actors.frame_clock import FrameClock
from actors.metrics_calls import AgentMeter
from actors.mind_client import MindClient
from actors.mind_driver import MindConfig
from actors.speech_source import SpeechSource
from actors.wire import OpenCall, TurnEntry
from cache.clip_store import ClipStore
from cache.clips import ClipCache
from dialogue.agent import Agent, Phrases, TurnTaking
from dialogue.ports import Thinker
from providers.failover.ears import Ears
from simulation.carrier_messages import (
    CONNECTED,
    MessageWriter,
    ServerClear,
    ServerMark,
    ServerMedia,
    Violation,
    encode_frames,
    read_server_message,
)
from simulation.playout_clock import PlayoutClock
from telemetry.ledger import MetricsLedger
from telephony.media_stream import MediaStream
from telephony.stream_events import StreamStarted
from tests.support import virtual_time
from tests.support.fake_ear_and_mouth import FakeRecogniser, FakeSpeaker, FakeStream, text_of
from tests.support.fake_thinker import FakeThinker
from tests.support.local_mind_pool import LocalMindPool
from voice.config import EndpointConfig, SpokenPhrases, VoiceConfig
from voice.ports import FRAME_S
from voice.speculation import SpeculationConfig

PHRASES = Phrases(
    apology="Pardon?",
    still_there="Still there?",
    goodbye="Bye.",
    trouble="Trouble.",
    resume="Back.",
)
AGENT = Agent(
    tenant_id="t1",
    agent_id="a1",
    agent_version="v1",
    language="en-US",
    prompt="You are Ann.",
    greeting="Hello!",
    voice="alto",
    recogniser="fake",
    thinker="fake",
    speaker="fake",
    phrases=PHRASES,
    turn_taking=TurnTaking(),
)
REPLY = "One moment. I will look for it, and then tell you what there is."
SPEECH = encode_frames(b"\x00" * 160)[0]
SILENCE = encode_frames(b"\xff" * 160)[0]


class LoudScorer:
    """Whatever is loud is speech."""

    def score(
        self, frames: npt.NDArray[np.int16], slots: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        loud = np.abs(frames[:, 0].astype(np.int32)) > 1_000
        return loud, np.where(loud, -10.0, -70.0).astype(np.float32)

    def reset(self, slot: int) -> None:
        return None


def voice_config(agent: Agent) -> VoiceConfig:
    taking, phrases = agent.turn_taking, agent.phrases
    return VoiceConfig(
        phrases=SpokenPhrases(
            phrases.apology, phrases.still_there, phrases.goodbye, phrases.trouble
        ),
        endpoint=EndpointConfig(),
        idle_prompt_s=taking.idle_prompt_s,
        idle_hang_up_s=taking.idle_hang_up_s,
    )


class Stage:
    """One ingress replica and its CallActors.

    Args:
        thinkers: What the actors think with; every reply is ``REPLY`` when not given.
        names: The actors.
        speculation: How replies are prepared.
    """

    def __init__(
        self,
        thinkers: Mapping[str, Thinker] | Callable[[str], Mapping[str, Thinker]] | None = None,
        names: tuple[str, ...] = ("ann", "bob", "cleo"),
        *,
        agent: Agent = AGENT,
        mind: MindConfig | None = None,
        speculation: SpeculationConfig | None = None,
    ) -> None:
        self.agent = agent
        self.speculation = speculation or SpeculationConfig()
        self.recogniser = FakeRecogniser()
        self.speaker = FakeSpeaker()
        self.counters: Counter[str] = Counter()
        self.ledger = MetricsLedger("stage", 1)
        self.thinker = FakeThinker([0.1, REPLY])
        agents = {agent.agent_id: agent}
        self.pool = LocalMindPool(agents, thinkers or {"fake": self.thinker}, names, mind)
        self.speech = SpeechSource(
            self.speaker, ClipStore(ClipCache(1_000_000)), tenant_id=agent.tenant_id
        )
        self.clock = FrameClock(LoudScorer())
        self.parts = CallParts(
            ears=Ears([self.recogniser]),
            speech=self.speech,
            clock=self.clock,
            wall_clock_us=self.wall_clock_us,
            count=self.count,
            meter=AgentMeter(self.ledger, agent),
        )
        self.phones: list[Phone] = []

    def wall_clock_us(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e6)

    def count(self, name: str, amount: float) -> None:
        self.counters[name] += int(amount)

    def phone(self, number: int = 1, **options: Any) -> Phone:
        phone = Phone(self, number, **options)
        self.phones.append(phone)
        return phone

    async def close(self) -> None:
        """Everybody hangs up; nothing may be left behind."""
        for phone in self.phones:
            await phone.leave()
        await self.pool.aclose()
        await asyncio.sleep(0.1)


class Phone:
    """A caller, the carrier's side of the stream, and the driver of the call.

    Attributes:
        reading: Cleared while the carrier takes nothing from the socket.
        send_error: Raised by the next sends.
        frames: False: the carrier sends no audio.
        cleared: How often playout was cleared.
        driver_class: What drives the call.
    """

    driver_class: Any = CallDriver

    def __init__(
        self,
        stage: Stage,
        number: int = 1,
        *,
        actor: str = "ann",
        epoch: tuple[int, int] = (0, 10),
        token_id: str = "",
        turn_log: tuple[TurnEntry, ...] = (),
        comeback: Comeback | None = None,
    ) -> None:
        self.stage = stage
        self.call_id = f"call-{number}"
        self._loop = asyncio.get_running_loop()
        call_sid, stream_sid = f"CA{number:032x}", f"MZ{number:028x}{epoch[0]:04x}"
        self.writer = MessageWriter("AC" + "0" * 32, call_sid, stream_sid, 120)
        self.playout = PlayoutClock()
        self.violations: list[Violation] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.send_error: BaseException | None = None
        self.frames = True
        self.cleared = 0
        self.speaking = False
        self._stream_sid = stream_sid
        self._heard = bytearray()
        self._sent_frames = 0
        stream = MediaStream(now=self._loop.time())
        for message in (CONNECTED, self.writer.start({})):
            stream.receive(message, now=self._loop.time())
        assert isinstance(stream.next_event(), StreamStarted)
        self.mind = MindClient(
            stage.pool,
            actor,
            OpenCall(
                tenant_id=stage.agent.tenant_id,
                agent_id=stage.agent.agent_id,
                agent_version=stage.agent.agent_version,
                call_id=self.call_id,
                call_sid=call_sid,
                epoch=epoch,
                token_id=token_id or f"token-{number}-{epoch}",
                turn_log=turn_log,
            ),
            actor_timeout_s=1.0,
            wall_clock_us=stage.wall_clock_us,
        )
        self.driver = self.driver_class(
            stage.agent,
            replace(voice_config(stage.agent), speculation=stage.speculation),
            stage.parts,
            self.mind,
            stream,
            self._take,
            comeback,
        )
        self.task: asyncio.Task[CallEnd] = self._loop.create_task(self.driver.run())
        self._ticker = self._loop.create_task(self._tick())

    # --- what a test asks ------------------------------------------------------------------------

    @property
    def heard(self) -> str:
        """What has reached the ear since the beginning."""
        self.playout.advance(now=self._loop.time())
        self._heard += b"".join(piece.audio for piece in self.playout.take_heard())
        return text_of(bytes(self._heard))

    @property
    def ear(self) -> FakeStream:
        """The newest recogniser stream of the call."""
        return self.stage.recogniser.streams[self.call_id][-1]

    @property
    def log(self) -> list[tuple[int, str, str, str]]:
        """Settled turns: number, kind, heard, outcome."""
        return [(e.turn_id, e.kind, e.heard_text, e.outcome) for e in self.driver.turn_log]

    async def until(self, done: Callable[[], object], within_s: float = 15.0) -> None:
        """Wait until ``done()``; fails after ``within_s``."""
        end = self._loop.time() + within_s
        while not done():
            assert self._loop.time() < end, f"not in {within_s} s; heard so far: {self.heard!r}"
            await asyncio.sleep(0.01)

    async def until_heard(self, text: str, within_s: float = 15.0) -> None:
        await self.until(lambda: text in self.heard, within_s)

    async def ended(self, within_s: float = 30.0) -> CallEnd:
        async with asyncio.timeout(within_s):
            return await asyncio.shield(self.task)

    # --- what the caller does --------------------------------------------------------------------

    async def greeted(self) -> Phone:
        """Wait until the greeting was heard and settled."""
        await self.until(lambda: self.log)
        return self

    async def say(self, text: str, seconds: float = 0.6) -> None:
        """Speak; the final words come a moment after the end."""
        await self.talk(seconds / 2)
        self.ear.hear(text, final=False)
        await self.talk(seconds / 2)
        await asyncio.sleep(0.1)
        self.ear.hear(text)

    async def talk(self, seconds: float) -> None:
        """Make a sound."""
        self.speaking = True
        await asyncio.sleep(seconds)
        self.speaking = False

    def press(self, digit: str) -> None:
        self.driver.received(self.writer.dtmf(digit))

    def hang_up(self) -> None:
        """``stop``, then the close."""
        self._ticker.cancel()
        self.driver.received(self.writer.stop())
        self.driver.disconnected(1000)

    def pause(self) -> None:
        """The carrier sends nothing until ``resume``; cheap for long silences."""
        self._ticker.cancel()

    def resume(self) -> None:
        self._ticker = self._loop.create_task(self._tick())

    def lose_socket(self) -> None:
        self._ticker.cancel()
        self.driver.disconnected(1006)

    async def leave(self) -> None:
        if not self.task.done():
            self.lose_socket()
            await asyncio.wait([self.task])
        self._ticker.cancel()

    # --- the carrier -----------------------------------------------------------------------------

    async def _take(self, text: str) -> None:
        await self.reading.wait()
        if self.send_error is not None:
            raise self.send_error
        now = self._loop.time()
        message = read_server_message(text, self._stream_sid)
        match message:
            case ServerMedia(audio=audio):
                self.playout.media(audio, now=now)
            case ServerMark(name=name):
                self._echo(self.playout.mark(name, now=now))
            case ServerClear():
                self.cleared += 1
                self._echo(self.playout.clear(now=now))
            case Violation():
                self.violations.append(message)

    def _echo(self, names: list[str]) -> None:
        for name in names:
            self._loop.call_soon(self._send, self.writer.mark(name))

    def _send(self, text: str) -> None:
        if not self.task.done():
            self.driver.received(text)

    async def _tick(self) -> None:
        due = self._loop.time()
        while not self.task.done():
            due += FRAME_S
            await asyncio.sleep(due - self._loop.time())
            for name in self.playout.advance(now=self._loop.time()):
                self._send(self.writer.mark(name))
            self._sent_frames += 1
            if self.frames:
                payload = SPEECH if self.speaking else SILENCE
                self._send(self.writer.media(payload, self._sent_frames * 20))


def play(scene: Callable[[Stage], Awaitable[None]], stage: Callable[[], Stage] = Stage) -> None:
    """Run a scene on virtual time; afterwards no task and no stream may be left."""

    async def whole() -> None:
        before = asyncio.all_tasks()
        here = stage()
        try:
            await scene(here)
        finally:
            await here.close()
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        assert not left, f"left running: {left}"
        assert here.recogniser.open_streams == 0, "a recogniser stream was left open"
        assert here.speaker.open_segments == 0, "a synthesis was left running"
        assert all(not phone.violations for phone in here.phones)

    virtual_time.run(whole())
