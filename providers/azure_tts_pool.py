"""The synthesisers of Azure text-to-speech that exist in this process.

Rules:
1. A synthesiser has one voice and language and speaks one segment at a time: *opening*, *ready*,
   *speaking*, and *mending* while the socket of a segment that was cut short is closed and the next
   one is opened. One that failed, or kept a listener waiting, is closed and never used again.
2. All state lives on the event loop. What can block runs on threads of our own, two of which do
   nothing but mend and close: a service that hangs delays nobody who speaks.
3. At most ``max_synthesisers`` exist. Who finds none takes the place of an idle one of another
   voice, or waits for one that is mending or closing; when there is neither it is refused.
4. A warmed voice has one ready beyond those that speak, as far as there is room.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from providers.azure_sdk import PROVIDER
from providers.azure_tts_segment import Segment
from providers.azure_tts_synthesiser import Build, Key, Synthesiser
from providers.azure_tts_wire import Failed
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.settings import AZURE_SYNTHESISERS, AzureTtsConfig

_log = logging.getLogger(__name__)

_SPEAK_THREADS = 4
_CLOSE_THREADS = 2
_TEND_EVERY_S = 5.0

R = TypeVar("R")


class SynthesiserPool:
    """See the top of this file.

    Args:
        config: Limits.
        build: Makes one; runs on a thread.
    """

    def __init__(self, config: AzureTtsConfig, build: Build) -> None:
        self._config = config
        self._build = build
        self._threads = ThreadPoolExecutor(_SPEAK_THREADS, thread_name_prefix="azure-tts")
        self._closers = ThreadPoolExecutor(_CLOSE_THREADS, thread_name_prefix="azure-tts-close")
        self._all: set[Synthesiser] = set()
        self._ready: dict[Key, list[Synthesiser]] = {}
        self._kept: set[Key] = set()
        self._opening: set[Key] = set()
        self._settling: set[asyncio.Task[None]] = set()  # each ends with a place or a ready one
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def live(self) -> int:
        """Synthesisers that exist now."""
        return len(self._all)

    def keep(self, key: Key) -> None:
        """Have one of this voice ready from now on."""
        if not self._kept:
            self._spawn(self._tend(), self._tasks)
        self._kept.add(key)

    async def take(self, key: Key, *, is_new: bool = False) -> Synthesiser:
        """One of this voice, for one segment; ``give_back`` has to follow.

        Args:
            key: Voice and language.
            is_new: Only one that has never spoken: its socket cannot have been closed unnoticed.

        Raises:
            ProviderBusy: As many as may exist are in use.
            ProviderError: The SDK is missing or does not take the settings.
        """
        while True:
            self.refuse_when_closed()
            ready = self._ready.get(key)
            if ready and not is_new:
                latest_open = next((s for s in reversed(ready) if s.opened.is_set()), ready[-1])
                ready.remove(latest_open)
                self._open_spare(key)
                return latest_open
            if len(self._all) < self._config.max_synthesisers:
                synthesiser = await self._make(key)
                self._open_spare(key)
                return synthesiser
            self._evict_for(key)
            if not self._settling:
                raise ProviderBusy("every synthesiser is in use", PROVIDER, AZURE_SYNTHESISERS)
            await asyncio.wait(self._settling, return_when=asyncio.FIRST_COMPLETED)

    async def begin(self, synthesiser: Synthesiser, segment: Segment, text: str) -> None:
        """Have it speak a text; events go to ``segment``. Raises ``ProviderError``."""
        self.refuse_when_closed()
        synthesiser.segment = segment
        synthesiser.starting = self._in_thread(self._threads, synthesiser.session.speak, text)
        # Shielded: a thread cannot be called back, and nothing else may touch it until it is done.
        await asyncio.shield(synthesiser.starting)

    def give_back(self, synthesiser: Synthesiser, *, has_ended: bool, has_failed: bool) -> None:
        """The segment is over: spoken to its end, failed, or nobody listens any more."""
        synthesiser.segment = None
        if has_failed or self._closed:
            self._settle(self._close(synthesiser))
        elif has_ended:
            self._put_ready(synthesiser)
        else:
            self._settle(self._mend(synthesiser))

    async def aclose(self) -> None:
        """Close every synthesiser; segments still running fail as unavailable."""
        self._closed = True
        for synthesiser in self._all:
            if synthesiser.segment is not None:
                synthesiser.segment.take(Failed(ProviderUnavailable("closed", PROVIDER)))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ready.clear()
        await asyncio.gather(*self._settling, return_exceptions=True)
        await asyncio.gather(*(self._close(synthesiser) for synthesiser in list(self._all)))
        self._threads.shutdown(wait=False)
        self._closers.shutdown(wait=False)

    def refuse_when_closed(self) -> None:
        """Raises ``ProviderUnavailable`` once the pool was closed."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)

    async def _make(self, key: Key) -> Synthesiser:
        """Build one; its place is taken before the first ``await``."""
        synthesiser = Synthesiser(key)
        self._all.add(synthesiser)
        synthesiser.building = self._in_thread(
            self._threads, self._build, self._config, *key, synthesiser.post
        )
        try:
            synthesiser.session = await asyncio.shield(synthesiser.building)
        except BaseException:
            self._settle(self._close(synthesiser))
            raise
        return synthesiser

    def _put_ready(self, synthesiser: Synthesiser) -> None:
        synthesiser.is_used = True
        synthesiser.idle_since_s = asyncio.get_running_loop().time()
        self._ready.setdefault(synthesiser.key, []).append(synthesiser)

    def _evict_for(self, key: Key) -> None:
        """Close the longest idle one, of another voice if there is any."""
        others = [each for other, ready in self._ready.items() if other != key for each in ready]
        if idle := others or self._ready.get(key):
            self._discard(min(idle, key=lambda each: each.idle_since_s))

    def _discard(self, idle: Synthesiser) -> None:
        self._ready[idle.key].remove(idle)
        self._settle(self._close(idle))

    def _open_spare(self, key: Key) -> None:
        """Have another one ready for whoever comes next, if this voice was warmed."""
        has_room = len(self._all) < self._config.max_synthesisers
        is_wanted = key in self._kept and not self._ready.get(key) and key not in self._opening
        if is_wanted and has_room and not self._closed:
            self._opening.add(key)
            self._spawn(self._open(key), self._tasks)

    async def _open(self, key: Key) -> None:
        try:
            synthesiser = await self._make(key)
            if await self._connect(synthesiser):
                self._put_ready(synthesiser)
            else:
                # Nobody waits for it; the next segment meets the same error and reports it.
                _log.info("no spare synthesiser: no connection in time")
                self._settle(self._close(synthesiser))
        except ProviderError as error:
            _log.info("no spare synthesiser: %s", error)
        finally:
            self._opening.discard(key)

    async def _connect(self, synthesiser: Synthesiser) -> bool:
        await self._in_thread(self._threads, synthesiser.session.connect)
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                await synthesiser.opened.wait()
        except TimeoutError:
            return False
        return not self._closed

    async def _mend(self, synthesiser: Synthesiser) -> None:
        """After a segment was cut short: a socket on which nothing old is still to come."""
        with contextlib.suppress(ProviderError):
            if synthesiser.starting is not None:
                await synthesiser.starting
        is_stopped = await self._in_thread(self._closers, synthesiser.session.cancel)
        if is_stopped and not self._closed and await self._connect(synthesiser):
            self._put_ready(synthesiser)
        else:
            await self._close(synthesiser)

    async def _close(self, synthesiser: Synthesiser) -> None:
        """Release it on a thread, once; its place is free when that is done."""
        if synthesiser.closing is None:
            work = self._release(synthesiser)
            synthesiser.closing = asyncio.get_running_loop().create_task(work)
        await asyncio.shield(synthesiser.closing)

    async def _release(self, synthesiser: Synthesiser) -> None:
        try:
            session = await synthesiser.building
            with contextlib.suppress(ProviderError):
                if synthesiser.starting is not None:
                    await synthesiser.starting
            await self._in_thread(self._closers, session.close)
        except ProviderError as error:
            _log.debug("never built: %s", error)
        finally:
            self._all.discard(synthesiser)

    async def _tend(self) -> None:
        """Close what nobody needs, reconnect what is kept."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            for key, ready in self._ready.items():
                spare = ready[1:] if key in self._kept else ready[:]
                for idle in spare:
                    if loop.time() - idle.idle_since_s > self._config.idle_close_s:
                        self._discard(idle)
            for key in list(self._kept):
                ready = self._ready.get(key, [])
                self._open_spare(key)
                if ready and not any(each.opened.is_set() for each in ready):
                    await self._in_thread(self._threads, ready[-1].session.connect)

    def _settle(self, work: Coroutine[object, object, None]) -> None:
        self._spawn(work, self._settling)

    def _spawn(self, work: Coroutine[object, object, None], where: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        where.add(task)
        task.add_done_callback(where.discard)

    @staticmethod
    def _in_thread(
        threads: ThreadPoolExecutor, work: Callable[..., R], *args: Any
    ) -> asyncio.Future[R]:
        return asyncio.get_running_loop().run_in_executor(threads, work, *args)
