"""A bot of Pipecat and its emulated services, as a stage that the phases of this product run on."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from benchmarks.cores import pinned
from benchmarks.plan import StagePlan
from benchmarks.stage import (
    EMULATORS_WITHIN_S,
    Emulated,
    Stage,
    StageFailed,
    emulators_listen,
    start_emulators,
)
from cluster.demo_children import free_ports

BOT = Path(__file__).with_name("bot.py")
READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 10.0


class PipecatStage(Stage):
    """A running bot: it keeps no records, and tells how many calls are up."""

    __slots__ = ()

    async def active_calls(self, http: httpx.AsyncClient) -> int:
        """Calls of the bot."""
        try:
            return int((await http.get(f"{self.url}/calls")).json()["calls"])
        except (httpx.HTTPError, ValueError, KeyError):
            return 0


@asynccontextmanager
async def running_pipecat(plan: StagePlan, python: Path) -> AsyncIterator[PipecatStage]:
    """Start emulators and bot, yield once calls would be answered, stop both.

    Args:
        plan: Lags of the emulated services, and cores.
        python: The interpreter of an environment that has Pipecat.

    Raises:
        StageFailed: The bot did not start; the message has its last line.
    """
    folder = Path(tempfile.mkdtemp(prefix="ccb-"))
    places = Emulated(*free_ports(5))
    (port,) = free_ports(1)
    emulators = await start_emulators(plan, places, folder)
    try:
        await emulators.said(emulators_listen, EMULATORS_WITHIN_S)
        began_s = time.monotonic()
        with pinned(plan.product_cores):
            bot = await _start(python, port, places, folder)
        try:
            url = f"http://127.0.0.1:{port}"
            await _wait_until_ready(url, bot, folder)
            yield PipecatStage(
                url,
                folder / "none.sqlite3",
                f"http://127.0.0.1:{places.openai}/v1",
                f"http://127.0.0.1:{places.elevenlabs}",
                folder,
                time.monotonic() - began_s,
                plan.other_cores,
            )
        finally:
            await _stop(bot)
    finally:
        emulators.let_go()
        await emulators.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _start(python: Path, port: int, places: Emulated, folder: Path) -> Process:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "BOT_PORT": str(port),
        "DEEPGRAM_URL": f"ws://127.0.0.1:{places.deepgram}/v2/listen",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{places.openai}/v1",
        "ELEVENLABS_URL": f"ws://127.0.0.1:{places.elevenlabs}",
    }
    with (folder / "bot.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            str(python), str(BOT), stdin=DEVNULL, stdout=log, stderr=log, env=environment
        )


async def _wait_until_ready(url: str, bot: Process, folder: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline and bot.returncode is None:
            try:
                if (await http.get(f"{url}/calls")).status_code == 200:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.25)
    said = (folder / "bot.log").read_text("utf-8", errors="replace").strip().splitlines()
    raise StageFailed(f"the bot did not start: {said[-1] if said else 'it said nothing'}")


async def _stop(bot: Process) -> None:
    if bot.returncode is not None:
        return
    bot.terminate()
    try:
        await asyncio.wait_for(bot.wait(), _STOP_WITHIN_S)
    except TimeoutError:
        bot.kill()
        await bot.wait()
