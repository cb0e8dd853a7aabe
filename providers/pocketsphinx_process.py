"""The process in which pocketsphinx listens, from outside: one phrase at a time.

Whatever goes wrong in there (it dies, it hangs, it talks nonsense) is one typed error here, after
which the process is not used again and the next phrase has a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import struct
import sys
from pathlib import Path
from typing import Final

from providers import pocketsphinx_worker
from providers.errors import ProviderProtocolError, ProviderTimeout, ProviderUnavailable

PROVIDER: Final = "pocketsphinx"
INSTALL_HINT: Final = "pocketsphinx is not installed: pip install 'callcluster[offline]'"

_LENGTH: Final = struct.Struct(">I")
_GRAMMAR: Final = Path(__file__).with_name("pocketsphinx_en_jsgf.txt")
_MOST_ANSWER_BYTES: Final = 4_096


def is_installed() -> bool:
    """Whether the library is there, without loading it."""
    return importlib.util.find_spec("pocketsphinx") is not None


def worker_command() -> tuple[str, ...]:
    """How the process is started."""
    return (sys.executable, "-I", str(pocketsphinx_worker.__file__), str(_GRAMMAR))


class PocketsphinxProcess:
    """A worker and whoever waits for it.

    Args:
        start_timeout_s: To load the library and the model.
        answer_timeout_s: For one phrase.
        command: Its command line; to be replaced in tests.
    """

    def __init__(
        self,
        start_timeout_s: float,
        answer_timeout_s: float,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self._start_timeout_s = start_timeout_s
        self._answer_timeout_s = answer_timeout_s
        self._command = command or worker_command()
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._asking: set[asyncio.Task[str]] = set()
        self._closed = False

    async def start(self) -> None:
        """Have it ready. Raises ``ProviderError``."""
        async with self._lock:
            await self._ready()

    async def words_of(self, ulaw: bytes) -> str:
        """The words of one phrase of mu-law; empty when none are understood.

        Raises:
            ProviderError: It ended, hangs, or sends what is no answer.
        """
        # Whoever hangs up meanwhile must not leave half an answer in the pipe for the next.
        asking = asyncio.get_running_loop().create_task(self._ask(ulaw))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def _ask(self, ulaw: bytes) -> str:
        async with self._lock:
            process = await self._ready()
            assert process.stdin is not None  # noqa: S101 - it was opened with a pipe
            try:
                process.stdin.write(_LENGTH.pack(len(ulaw)) + ulaw)
                return await self._answer(process, self._answer_timeout_s)
            except BaseException:
                await self._end()
                raise

    async def aclose(self) -> None:
        """End it; whoever waits for words gets an error."""
        self._closed = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.gather(*self._asking, return_exceptions=True)
        async with self._lock:
            await self._end()

    async def _ready(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        if self._process is None:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                )
            except OSError as error:
                message = f"its process does not start: {type(error).__name__}"
                raise ProviderUnavailable(message, PROVIDER) from None
            try:
                if await self._answer(self._process, self._start_timeout_s) != "ready":
                    raise ProviderProtocolError("its process is something else", PROVIDER)
            except BaseException:
                await self._end()
                raise
        return self._process

    async def _answer(self, process: asyncio.subprocess.Process, timeout_s: float) -> str:
        assert process.stdout is not None  # noqa: S101 - it was opened with a pipe
        try:
            async with asyncio.timeout(timeout_s):
                (size,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                if size > _MOST_ANSWER_BYTES:
                    raise ProviderProtocolError("its process sent too much", PROVIDER)
                return (await process.stdout.readexactly(size)).decode("ascii")
        except TimeoutError:
            raise ProviderTimeout("its process hangs", PROVIDER) from None
        except (asyncio.IncompleteReadError, OSError):
            raise ProviderUnavailable("its process ended", PROVIDER) from None
        except UnicodeDecodeError:
            raise ProviderProtocolError("its process sent no words", PROVIDER) from None

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
