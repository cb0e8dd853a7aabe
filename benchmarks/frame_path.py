"""``python -m benchmarks.frame_path``: what a second of a call costs an ingress replica, by part.

The product's own code in one process, without Ray and without a kernel between: masked frames of a
carrier go into the tap of a media socket (``cluster.frame_tap``), through the call's driver, the
shared tick with Silero, the voice machine and the playout back into frames, and over a real client
connection of ``websockets`` to an emulated Flux. Time is virtual, so an hour of calls would do in
minutes and nothing ever waits. Counted is CPU (``time.process_time``); what carrier, recogniser,
voice and language model need themselves is measured and taken off. What the kernel, HAProxy and the
end-of-turn model take is not in it (the model: ``--judge``).

``rest`` is all that is in none of the parts: tasks, timers, the loop itself, both halves of a turn.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from websockets.speedups import apply_mask

from actors.frame_clock import FrameClock
from actors.outbox import Sender
from cluster import frame_tap
from providers.deepgram_stt import DeepgramRecogniser
from providers.failover.ears import Ears
from providers.local.neural_scorer import NeuralScorer
from providers.local.silero import SileroVad
from providers.local.smart_turn import SmartTurn
from providers.settings import DeepgramConfig
from providers.websocket import Connection
from simulation.carrier_messages import encode_frames
from simulation.clip_library import load_library
from simulation.deepgram_flux_settings import FluxSettings
from simulation.deepgram_flux_turns import FluxTurns
from simulation.fingerprint import ClipIndex, Fingerprint
from tests.support import virtual_time
from tests.support.memory_wire import MemoryWire
from tests.support.scripted_call import Phone, Stage
from voice.levels import Frames, Levels, Slots, Verdicts
from voice.ports import FRAME_S

T = TypeVar("T")

CLIP = "goforward"  # 2.4 s of speech
TURN_EVERY_S = 6.0
REQUEST_ID = "6f1f4d2c-0000-4000-8000-000000000001"
_SILENCE = encode_frames(b"\xff" * 160)[0]
MASK = bytes((0x37, 0xFA, 0x21, 0x3D))
REPEATS = 3


class Meter:
    """CPU by part; parts may be nested, and then count for the inner one only."""

    def __init__(self) -> None:
        self.spent_s: defaultdict[str, float] = defaultdict(float)
        self.times: defaultdict[str, int] = defaultdict(int)
        self._open: list[str] = []
        self._since = 0.0

    def begin(self, part: str) -> None:
        """From now on CPU counts for ``part``."""
        now = time.process_time()
        if self._open:
            self.spent_s[self._open[-1]] += now - self._since
        self._open.append(part)
        self.times[part] += 1
        self._since = now

    def end(self) -> None:
        """The innermost part is over."""
        now = time.process_time()
        self.spent_s[self._open.pop()] += now - self._since
        self._since = now

    def around(self, part: str, work: Callable[..., T]) -> Callable[..., T]:
        """``work``, counted for ``part``."""

        def counted(*given: Any, **named: Any) -> T:
            self.begin(part)
            try:
                return work(*given, **named)
            finally:
                self.end()

        return counted

    def clear(self) -> None:
        """Forget what was counted."""
        self.spent_s.clear()
        self.times.clear()


class _Service(MemoryWire):
    """An emulated Flux behind a connection; what it needs itself is taken off."""

    def __init__(self, meter: Meter, index: ClipIndex) -> None:
        super().__init__(self._takes_audio)
        self._meter = meter
        self._turns = FluxTurns(
            FluxSettings(eager_eot_threshold=0.4, eot_timeout_ms=1_000), Fingerprint(index)
        )

    def write(self, data: bytes) -> None:
        self._meter.begin("emulated")
        super().write(data)
        self._meter.end()

    def _takes_audio(self, payload: bytes) -> None:
        for info in self._turns.receive_audio(payload):
            self.tells(info)
        self.sent.clear()

    def tells(self, body: dict[str, Any]) -> None:
        """A message of the service."""
        self.says(json.dumps({**body, "request_id": REQUEST_ID, "sequence_id": 0}))

    def _deliver(self, data: bytes) -> None:
        self._meter.begin("recogniser: messages")
        super()._deliver(data)
        self._meter.end()


class _Scorer:
    """Silero and levels, counted apart."""

    def __init__(self, meter: Meter) -> None:
        self._scorer = NeuralScorer(SileroVad(), 64)
        self._score = meter.around("tick: levels, Silero", self._scorer.score)

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        return self._score(frames, slots)

    def reset(self, slot: int) -> None:
        self._scorer.reset(slot)


class _Line(Phone):
    """A caller behind a tapped socket: masked frames in, text frames out."""

    meter: Meter
    payloads: tuple[str, ...]

    @property
    def _take(self) -> Sender:
        return Sender(self._written_later, self._write)

    async def _written_later(self, text: str) -> None:
        self._write(text)

    def _write(self, text: str) -> bool:
        self.meter.begin("carrier: frames out")
        try:
            frame = frame_tap.text_frame(text.encode())
            self.meter.begin("emulated")
            try:
                self._played(frame)
            finally:
                self.meter.end()
        finally:
            self.meter.end()
        return True

    def _played(self, frame: bytes) -> None:
        text = frame[4 if frame[1] == 126 else 2 :].decode()
        work = super()._take(text)
        try:
            work.send(None)
        except StopIteration:
            return
        raise AssertionError("the carrier reads at once")

    def _send(self, text: str) -> None:
        if self.task.done():
            return
        payload = text.encode()
        head = bytes((0x81, 0x80 | 126)) + len(payload).to_bytes(2, "big")
        if len(payload) < 126:
            head = bytes((0x81, 0x80 | len(payload)))
        data = head + MASK + apply_mask(payload, MASK)
        self.meter.begin("carrier: frames in")
        try:
            self._tap.data_received(data)
        finally:
            self.meter.end()

    def begin(self, offset_frames: int) -> None:
        """The first frame comes ``offset_frames`` of a turn later than those of others."""
        self._tap = frame_tap.FrameTap(None, self.driver.received)
        self._number = -offset_frames

    def pass_frame(self) -> None:
        """20 ms have passed at the carrier's side."""
        for name in self.playout.advance(now=self._loop.time()):
            self._send(self.writer.mark(name))
        self._number += 1
        at = self._number % round(TURN_EVERY_S / FRAME_S)
        payload = self.payloads[at] if at < len(self.payloads) else _SILENCE
        self._sent_frames += 1
        self._send(self.writer.media(payload, self._sent_frames * 20))

    async def _tick(self) -> None:
        """All lines have one carrier (``_carry``)."""


async def _carry(lines: list[_Line], meter: Meter) -> None:
    """One carrier for all: a task and a timer for each call would be no cost of the product."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += FRAME_S
        await asyncio.sleep(due - loop.time())
        meter.begin("emulated")
        for line in lines:
            line.pass_frame()
        meter.end()


class _MeteredClock(FrameClock):
    """The shared tick, its parts counted."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(_Scorer(meter))
        self._hear = meter.around("tick: frames", self._hear)  # type: ignore[method-assign]
        self._tick = meter.around("tick: deadlines", self._tick)  # type: ignore[method-assign]


def _connector(meter: Meter, index: ClipIndex) -> Callable[..., Awaitable[Connection]]:
    async def connect(_url: str, _key: str, _timeout_s: float) -> Connection:
        service = _Service(meter, index)
        connection = await service.connected()
        service.tells({"type": "Connected"})
        connection.send = _counted(meter, connection.send)  # type: ignore[method-assign]
        return connection

    return connect


def _counted(
    meter: Meter, send: Callable[..., Coroutine[Any, Any, None]]
) -> Callable[..., Coroutine[Any, Any, None]]:
    async def counted(message: str | bytes) -> None:
        meter.begin("recogniser: sends")
        try:
            await send(message)  # nothing in it waits: the transport takes everything
        finally:
            meter.end()

    return counted


async def _talk(calls: int, seconds: float, meter: Meter, profile: cProfile.Profile | None) -> int:
    """Calls that talk; counted are ``seconds`` of them after all have had a turn."""
    index = ClipIndex([load_library().clip(CLIP)])
    config = DeepgramConfig(api_key="none")
    recogniser = DeepgramRecogniser(config, _connector(meter, index))
    stage = Stage()
    stage.parts = replace(stage.parts, ears=Ears([recogniser]), clock=_MeteredClock(meter))
    _Line.meter = meter
    _Line.payloads = encode_frames(load_library().clip(CLIP).ulaw)
    lines = [_Line(stage, number + 1) for number in range(calls)]
    for number, line in enumerate(lines):
        line.begin(round(TURN_EVERY_S / FRAME_S * number / calls))
    carrier = asyncio.get_running_loop().create_task(_carry(lines, meter))
    await asyncio.sleep(2 * TURN_EVERY_S)
    gc.collect()
    gc.freeze()
    before = sum(len(line.log) for line in lines)
    meter.clear()
    if profile is not None:
        profile.enable()
    meter.begin("rest")
    await asyncio.sleep(seconds)
    meter.end()
    if profile is not None:
        profile.disable()
    gc.unfreeze()
    carrier.cancel()
    turns = sum(len(line.log) for line in lines) - before
    spent = dict(meter.spent_s)
    times = dict(meter.times)
    for line in lines:
        await line.leave()
    await recogniser.aclose()
    await stage.pool.aclose()
    meter.spent_s, meter.times = defaultdict(float, spent), defaultdict(int, times)
    return turns


def measure(
    calls: int, seconds: float, profile: cProfile.Profile | None = None
) -> dict[str, tuple[float, float]]:
    """By part: CPU in ms a call-second, and how often a call and second.

    Raises:
        AssertionError: The calls did not talk, so nothing was measured.
    """
    meter = Meter()
    turns = virtual_time.run(_talk(calls, seconds, meter, profile))
    least = calls * seconds / TURN_EVERY_S * 0.7
    if turns < least:
        raise AssertionError(f"{turns} turns where {least:.0f} were to be expected")
    call_s = calls * seconds
    found = {
        part: (spent_s / call_s * 1e3, meter.times[part] / call_s)
        for part, spent_s in sorted(meter.spent_s.items())
        if part != "emulated"
    }
    found["turns"] = (0.0, turns / call_s)
    return found


def judge_ms(repeats: int = 20) -> dict[str, float]:
    """CPU of one judgement of the end-of-turn model, ms, by seconds of speech before the pause."""
    model = SmartTurn()
    speech = load_library().clip(CLIP).ulaw * 4
    found = {}
    for seconds in (1, 2, 8):
        ulaw = speech[-seconds * 8_000 :]
        model.finished_ratio(ulaw)
        took = []
        for _ in range(repeats):
            began = time.process_time()
            model.finished_ratio(ulaw)
            took.append(time.process_time() - began)
        found[f"{seconds} s"] = float(np.median(took)) * 1e3
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.frame_path", description=__doc__)
    options.add_argument("--calls", type=int, default=20)
    options.add_argument("--seconds", type=float, default=18.0, help="of virtual time")
    options.add_argument("--repeats", type=int, default=REPEATS, help="the best is shown")
    options.add_argument("--profile", action="store_true", help="functions by their own time")
    options.add_argument("--judge", action="store_true", help="the end-of-turn model instead")
    given = options.parse_args(sys.argv[1:] if arguments is None else arguments)
    if given.judge:
        for name, took_ms in judge_ms().items():
            print(f"a judgement after {name} of speech: {took_ms:.1f} ms")
        return 0
    profile = cProfile.Profile() if given.profile else None
    runs = [
        measure(given.calls, given.seconds, profile)
        for _ in range(1 if given.profile else given.repeats)
    ]
    best = min(runs, key=lambda run: sum(ms for ms, _ in run.values()))
    print(f"{given.calls} calls, {given.seconds:g} s, best of {len(runs)}")
    print(f"{'part':26} ms a call-second   times a second   us each")
    for part, (ms, often) in best.items():
        each = f"{ms / often * 1e3:9.1f}" if often and ms else ""
        print(f"{part:26} {ms:16.3f} {often:16.2f} {each}")
    print(f"{'all':26} {sum(ms for ms, _ in best.values()):16.3f}")
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(60)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
