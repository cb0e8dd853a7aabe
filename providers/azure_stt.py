"""Azure speech-to-text: a pool of recognisers of the Speech SDK, connected before they are needed.

Rules:
1. A recogniser has one language, or all of one agent, and serves one stream: *opening*, *ready*
   (connected, in the pool), *streaming*, *closing*. It is never used twice; its place is refilled
   in the background.
2. All state lives on the event loop; events of the SDK's threads come there through ``Line.post``.
3. Everything that can block (create, start, stop, release) runs on a few threads of our own.
4. At most ``max_streams`` recognisers exist at a time. A new stream that finds no place takes the
   one of an idle recogniser of another language; when there is none it is refused.
5. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from providers.azure_line import Line, LineStream, Session, Sink
from providers.azure_sdk import PROVIDER, SdkEvent, SdkRecogniser, check_config
from providers.azure_sdk_config import Tags, locales_of
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.settings import AZURE_STREAMS, AzureSpeechConfig
from voice.ports import RecogniseRequest, RecogniserStream

_log = logging.getLogger(__name__)

_SDK_THREADS = 4
# A pre-opened connection that the service closed is replaced after this pause.
_REPLACE_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0

R = TypeVar("R")
Build = Callable[[AzureSpeechConfig, Tags, Callable[[SdkEvent], None]], Session]


class AzureRecogniser:
    """Speech-to-text by Azure.

    Args:
        config: Key, address, limits.
        build: Makes one recogniser; to be replaced in tests.

    Raises:
        ProviderRefused: The key or the region is missing.
        ProviderRejected: The host is no websocket address.
    """

    def __init__(self, config: AzureSpeechConfig, build: Build = SdkRecogniser) -> None:
        check_config(config)
        self._config = config
        self._build = build
        self._threads = ThreadPoolExecutor(_SDK_THREADS, thread_name_prefix="azure-stt")
        self._ready: dict[Tags, deque[Line]] = {}
        self._lines: set[Line] = set()
        self._targets: dict[Tags, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refilling: set[Tags] = set()
        self._refill_pause_s: dict[Tags, float] = {}
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``azure``."""
        return PROVIDER

    @property
    def live(self) -> int:
        """Recognisers that exist now, pre-opened ones included."""
        return len(self._lines)

    async def warm(self, language: str, count: int) -> None:
        """Have ``count`` connections of this language ready, now and after each use.

        Never more than fit under ``max_streams``.

        Raises:
            ProviderError: No connection, or the key is refused.
        """
        self._refuse_when_closed()
        languages = (language,)
        self._targets[languages] = max(count, self._targets.get(languages, 0))
        missing = min(
            count - len(self._ready.get(languages, ())), self._config.max_streams - self.live
        )
        openings = [self._open_ready(languages) for _ in range(missing)]
        results = await asyncio.gather(*openings, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def open(self, request: RecogniseRequest, sink: Sink) -> RecogniserStream:
        """Start a stream; see ``voice.ports.Recogniser``.

        Does not wait for a connection: when there is none ready, audio is kept until there is, and
        a failure comes through ``sink``.

        Raises:
            ProviderBusy: ``max_streams`` are in use.
            ProviderError: The SDK is missing or cannot start.
        """
        self._refuse_when_closed()
        languages = self._languages_of(request)
        line = self._take_ready(languages)
        try:
            if line is None:
                await self._make_place()
                line = await self._make_line(languages)
            line.attach(sink)
            await self._in_thread(line.session.start, request.phrases)
        except BaseException:
            if line is not None:
                self._spawn(self._release(line))
            raise
        self._refill(languages)
        return LineStream(line, self._release)

    async def aclose(self) -> None:
        """Stop every recogniser and wait for the threads."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ready.clear()
        await asyncio.gather(*(self._release(line) for line in list(self._lines)))
        self._threads.shutdown(wait=False)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)

    def _languages_of(self, request: RecogniseRequest) -> Tags:
        languages = (request.language, *request.others)
        if not self._config.identifies_languages or len(locales_of(languages)) == 1:
            return (request.language,)
        # As many of them are kept ready from now on as of the language by itself.
        wanted = self._targets.get((request.language,), 0)
        self._targets[languages] = max(wanted, self._targets.get(languages, 0))
        return languages

    def _take_ready(self, languages: Tags) -> Line | None:
        ready = self._ready.get(languages)
        return ready.popleft() if ready else None

    async def _make_place(self) -> None:
        """Give up an idle recogniser of another language if every place is taken."""
        while self.live >= self._config.max_streams:
            idle = next((line for lines in self._ready.values() for line in lines), None)
            if idle is None:
                return
            self._forget_ready(idle)
            await self._release(idle)

    async def _make_line(self, languages: Tags) -> Line:
        """Create a recogniser; its place is taken before the first ``await``."""
        if self.live >= self._config.max_streams:
            raise ProviderBusy("every recogniser is in use", PROVIDER, AZURE_STREAMS)
        line = Line(languages, self._config.connect_timeout_s, self._line_lost)
        self._lines.add(line)
        line.building = self._in_thread(self._build, self._config, languages, line.post)
        try:
            # Shielded: a thread cannot be called back, and what it builds has to be stopped.
            line.session = await asyncio.shield(line.building)
        except BaseException:
            self._spawn(self._release(line))
            raise
        return line

    async def _open_ready(self, languages: Tags) -> None:
        line = await self._make_line(languages)
        try:
            await self._in_thread(line.session.preopen)
            await line.wait_connected()
        except BaseException:
            self._spawn(self._release(line))
            raise
        self._ready.setdefault(languages, deque()).append(line)

    def _line_lost(self, line: Line) -> None:
        """A pre-opened connection is gone: replace it after a pause."""
        self._forget_ready(line)
        self._spawn(self._release(line))
        self._refill(line.languages, _REPLACE_PAUSE_S)

    def _forget_ready(self, line: Line) -> None:
        ready = self._ready.get(line.languages)
        if ready and line in ready:
            ready.remove(line)

    def _refill(self, languages: Tags, pause_s: float = 0.0) -> None:
        if (
            self._targets.get(languages, 0)
            and languages not in self._refilling
            and not self._closed
        ):
            self._refilling.add(languages)
            self._spawn(self._refill_now(languages, pause_s))

    async def _refill_now(self, languages: Tags, pause_s: float) -> None:
        try:
            await asyncio.sleep(max(pause_s, self._refill_pause_s.get(languages, 0.0)))
            while (
                len(self._ready.get(languages, ())) < self._targets[languages]
                and self.live < self._config.max_streams
            ):
                await self._open_ready(languages)
                self._refill_pause_s.pop(languages, None)
        except ProviderError as error:
            # Nobody waits for this one; the next stream meets the same error and reports it. Each
            # failure is followed by a longer pause: a service that is away must not cost a core.
            pause_s = self._refill_pause_s.get(languages, 0.0)
            self._refill_pause_s[languages] = min(
                max(2 * pause_s, _REPLACE_PAUSE_S), _LONGEST_PAUSE_S
            )
            _log.log(
                logging.DEBUG if pause_s else logging.WARNING, "no spare recogniser: %s", error
            )
        finally:
            self._refilling.discard(languages)

    async def _release(self, line: Line) -> None:
        """Stop a recogniser on a thread; its place is free when that is done."""
        line.detach()
        if line.releasing is None:
            line.releasing = asyncio.get_running_loop().create_task(self._stop(line))
        await asyncio.shield(line.releasing)

    async def _stop(self, line: Line) -> None:
        try:
            session = await line.building
            await self._in_thread(session.stop)
        except ProviderError as error:
            _log.debug("never built: %s", error)
        finally:
            self._lines.discard(line)
        self._refill(line.languages)

    def _in_thread(self, work: Callable[..., R], *args: Any) -> asyncio.Future[R]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
