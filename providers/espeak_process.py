"""The process in which espeak-ng speaks, from outside: its start, its frames, its end.

One thread talks to it; ``kill`` may come from any. Whatever goes wrong in there (it dies, it hangs,
it talks nonsense) is one typed error here, after which the process is not used again: what would
still come out of its pipe belongs to nobody.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from providers import espeak_worker
from providers.errors import (
    ProviderProtocolError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.espeak_voices import PROVIDER

INSTALL_HINT: Final = "espeak-ng is not installed: pip install 'callcluster[voice]'"

_MOST_FRAME_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_HEAD = struct.Struct(">cI")


def is_installed() -> bool:
    """Whether the library is there, without loading it."""
    return importlib.util.find_spec("espeakng_loader") is not None


def worker_command() -> list[str]:
    """How the process is started.

    Raises:
        ProviderRefused: The library is not installed.
    """
    try:
        import espeakng_loader
    except (ImportError, OSError):
        raise ProviderRefused(INSTALL_HINT, PROVIDER, "speaker") from None
    script = str(Path(espeak_worker.__file__))
    paths = (espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    return [sys.executable, "-I", "-S", script, *map(str, paths)]


class EspeakProcess:
    """A running worker.

    Args:
        command: Its command line.
        stall_timeout_s: Longest silence of a process that has something to say; its start counts.

    Attributes:
        rate_hz: Sample rate of its audio.

    Raises:
        ProviderError: It does not start, or finds no library or data.
    """

    def __init__(self, command: list[str], stall_timeout_s: float) -> None:
        self._stall_timeout_s = stall_timeout_s
        self._buffer = bytearray()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise ProviderUnavailable(
                f"its process does not start: {type(error).__name__}", PROVIDER
            ) from None
        # Not ``select``: it cannot wait for descriptors above 1,023, and a busy ingress has them.
        self._readable = select.poll()
        self._readable.register(self._stdout(), select.POLLIN)
        try:
            kind, payload = self._frame()
            if kind != b"R" or not payload.isdigit() or not 8_000 <= int(payload) <= 48_000:
                raise ProviderUnavailable("espeak-ng found no data: " + INSTALL_HINT, PROVIDER)
            self.rate_hz = int(payload)
        except BaseException:
            self.close()
            raise

    def speak(self, request: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Hand over one line of JSON; yields frames ``(kind, payload)`` without end.

        Raises:
            ProviderError: It ended, hangs, or sends what is no frame.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was opened with a pipe
        try:
            stdin.write(request)
        except (OSError, ValueError):
            raise ProviderUnavailable("its process ended", PROVIDER) from None
        while True:
            yield self._frame()

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it; whoever waits for a frame gets an error. Any thread, any number of times."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and give its pipes back; only the thread that talks to it."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _frame(self) -> tuple[bytes, bytes]:
        deadline_s = time.monotonic() + self._stall_timeout_s
        self._fill(_HEAD.size, deadline_s)
        kind, length = _HEAD.unpack_from(self._buffer)
        if length > _MOST_FRAME_BYTES:
            raise ProviderProtocolError("its process sent a frame that is too long", PROVIDER)
        end = _HEAD.size + length
        self._fill(end, deadline_s)
        payload = bytes(self._buffer[_HEAD.size : end])
        del self._buffer[:end]
        return kind, payload

    def _fill(self, size: int, deadline_s: float) -> None:
        """Read until the buffer holds ``size`` bytes."""
        while len(self._buffer) < size:
            if not self._readable.poll(max(0.0, deadline_s - time.monotonic()) * 1_000):
                raise ProviderTimeout("its process hangs", PROVIDER)
            data = os.read(self._stdout(), _READ_BYTES)
            if not data:
                raise ProviderUnavailable("its process ended", PROVIDER)
            self._buffer += data

    def _stdout(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - it was opened with a pipe
        return self._process.stdout.fileno()
