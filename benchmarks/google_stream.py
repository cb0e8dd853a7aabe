"""What one call's recognition by Google costs this process: CPU a second of call, and memory.

python -m benchmarks.google_stream            # 40 calls for 10 s; half a minute
python -m benchmarks.google_stream --calls 80

Real time: every 20 ms each call writes a frame of a clip that is said over and over. The emulator
is another process, and its CPU is not counted. Needs ``callcluster[google]``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import sys
import time
from collections.abc import AsyncIterator

import psutil

from providers.google_settings import GoogleSpeechConfig
from providers.google_stt import GoogleRecogniser
from simulation.clip_library import load_library
from voice.ports import (
    FRAME_S,
    FRAME_SAMPLES,
    FinalTranscript,
    RecogniseRequest,
    RecogniserEvent,
)

_EMULATOR = """
import asyncio, json
from simulation.clip_library import load_library
from simulation.control import Control
from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex
from simulation.google_server import GoogleServer
from simulation.google_stt import GoogleSpeechToText, GoogleSttConfig

async def main():
    board = FaultBoard()
    index = ClipIndex([load_library().clip("goforward")])
    service = GoogleSpeechToText(GoogleSttConfig(), index, board)
    port = await GoogleServer(service, Control(board)).start("127.0.0.1", 0)
    print(json.dumps(port), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def emulator() -> AsyncIterator[str]:
    """Its address."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _EMULATOR, stdout=asyncio.subprocess.PIPE
    )
    output = child.stdout or asyncio.StreamReader()
    try:
        yield f"http://127.0.0.1:{json.loads(await output.readline())}"
    finally:
        child.kill()
        await child.wait()


async def measure(calls: int, seconds: float) -> None:
    """Print a line for each figure."""
    process = psutil.Process()
    clip = load_library().clip("goforward").ulaw + b"\xff" * 12_000
    frames = [clip[at : at + FRAME_SAMPLES] for at in range(0, len(clip), FRAME_SAMPLES)]
    heard = [0, 0]

    def sink(event: RecogniserEvent) -> None:
        heard[isinstance(event, FinalTranscript)] += 1

    before = process.memory_info().rss
    async with emulator() as endpoint:
        recogniser = GoogleRecogniser(GoogleSpeechConfig(endpoint=endpoint, max_streams=1_000))
        await recogniser.warm("en-US", calls)
        gc.collect()
        warm = process.memory_info().rss
        requests = [RecogniseRequest(f"call-{n}", "en-US", ("callcluster",)) for n in range(calls)]
        streams = [await recogniser.open(request, sink) for request in requests]
        loop = asyncio.get_running_loop()
        began_s, cpu_s = loop.time(), time.process_time()
        for number in range(round(seconds / FRAME_S)):
            for stream in streams:
                stream.write(frames[number % len(frames)])
            await asyncio.sleep(max(0.0, began_s + (number + 1) * FRAME_S - loop.time()))
        cpu_s, took_s = time.process_time() - cpu_s, loop.time() - began_s
        gc.collect()
        full = process.memory_info().rss
        await recogniser.aclose()
    print(f"calls                         {calls}, {took_s:.1f} s (asked for {seconds:.1f})")
    print(f"events, of these final        {sum(heard)}, {heard[1]}")
    print(f"CPU a second of call          {cpu_s / took_s / calls * 1e3:.2f} ms")
    print(f"clients and first connection  {(warm - before) / 2**20:.1f} MB")
    print(f"each further call             {(full - warm) / calls / 1e3:.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0)
    wanted = parser.parse_args()
    asyncio.run(measure(wanted.calls, wanted.seconds))
