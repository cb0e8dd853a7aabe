"""espeak-ng: a voice without key, network or model, for keyless use and for when all else is down.

It speaks in a process of its own (``espeak_worker``), which is started at the first segment and
again after anything went wrong with it. One thread talks to that process, one segment after the
other (a sentence takes 2 to 5 ms), and brings its audio to 8 kHz mu-law; the event loop is only
handed what is done.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.espeak_process import EspeakProcess, worker_command
from providers.espeak_voices import LANGUAGES, PROVIDER, VOICES, espeak_voice
from providers.settings import EspeakConfig
from providers.telephone_audio import TelephoneAudio
from voice.ports import SAMPLE_RATE_HZ, SpeakRequest, SpeechChunk, TextMark

# In UTF-8 less than the 64 KiB that a pipe holds: handing a segment over never waits.
_MOST_CHARS = 10_000


@dataclass(eq=False, slots=True)
class _Segment:
    """One segment between the thread that makes it and the loop that hands it out."""

    line: bytes
    text: str
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[SpeechChunk | ProviderError | None] = field(default_factory=asyncio.Queue)
    abandoned: bool = False

    def post(self, item: SpeechChunk | ProviderError | None) -> None:
        """Hand over from the thread; a loop that is closed has nobody who waits."""
        if self.abandoned:
            return
        try:
            self.loop.call_soon_threadsafe(self.queue.put_nowait, item)
        except RuntimeError:
            self.abandoned = True


class EspeakSpeaker:
    """Text-to-speech by espeak-ng on this machine.

    Args:
        config: Pace and deadlines.
        command: Gives the command line of the worker; to be replaced in tests.

    Raises:
        ProviderRefused: The library is not installed.
    """

    def __init__(
        self, config: EspeakConfig, command: Callable[[], list[str]] = worker_command
    ) -> None:
        self._config = config
        self._command = command()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="espeak")
        self._lock = threading.Lock()  # over `_process` and `_closed`
        self._process: EspeakProcess | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``espeak``."""
        return PROVIDER

    async def warm(self, voice: str, language: str) -> None:
        """Start the process and speak one word for nobody.

        Raises:
            ProviderError: The voice or the language does not exist, or the library does not work.
        """
        async for _ in self.speak(SpeakRequest("", "a", voice, language)):
            pass

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        if not request.text.strip():
            return
        loop = asyncio.get_running_loop()
        segment = _Segment(self._line(request), request.text, loop)
        self._thread.submit(self._make, segment)
        wait_s: float | None = self._config.first_byte_timeout_s
        try:
            while True:
                try:
                    async with asyncio.timeout(wait_s):
                        item = await segment.queue.get()
                except TimeoutError:
                    raise ProviderTimeout("too many segments wait for it", PROVIDER) from None
                if isinstance(item, ProviderError):
                    raise item
                if item is None:
                    return
                wait_s = None  # from here on the thread keeps time
                yield item
        finally:
            segment.abandoned = True

    async def aclose(self) -> None:
        """End the process; segments still running fail as unavailable."""
        with self._lock:
            was_closed, self._closed = self._closed, True
            process = self._process
        if was_closed:
            return
        if process is not None:
            process.kill()
        self._thread.submit(self._drop)
        self._thread.shutdown(wait=False)

    def _line(self, request: SpeakRequest) -> bytes:
        """The segment as the worker takes it."""
        voice, language = request.voice, request.language
        if voice not in VOICES:
            known = ", ".join(VOICES)
            raise ProviderRejected(f"no such voice; there are: {known}", PROVIDER, "voice")
        if language.lower().split("-", 1)[0] not in LANGUAGES:
            raise ProviderRejected(f"it does not speak {language}", PROVIDER, "language")
        if len(request.text) > _MOST_CHARS:
            raise ProviderRejected(f"a segment of more than {_MOST_CHARS} characters", PROVIDER)
        wire = {
            "voice": espeak_voice(language, voice),
            "text": request.text,
            "words_per_minute": self._config.words_per_minute,
        }
        return json.dumps(wire, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    # -- on the thread ------------------------------------------------------------------------

    def _make(self, segment: _Segment) -> None:
        """Have one segment spoken, from its text to its last sample."""
        if segment.abandoned:
            return
        try:
            process = self._running()
            heard = False
            for chunk in _chunks(process.speak(segment.line), process.rate_hz, segment.text):
                heard = heard or bool(chunk.ulaw)
                segment.post(chunk)
            segment.post(None if heard else ProviderUnavailable("it said nothing", PROVIDER))
        except ProviderError as error:
            if error.retryable:  # what is on its way in the pipe is not known: start anew
                self._drop()
            segment.post(ProviderUnavailable("closed", PROVIDER) if self._closed else error)

    def _running(self) -> EspeakProcess:
        """The process, started if there is none."""
        if self._process is not None and self._process.is_alive():
            return self._process
        self._drop()
        process = EspeakProcess(self._command, self._config.stall_timeout_s)
        with self._lock:
            if not self._closed:
                self._process = process
                return process
        process.close()
        raise ProviderUnavailable("closed", PROVIDER)

    def _drop(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()


def _chunks(
    frames: Iterator[tuple[bytes, bytes]], rate_hz: int, text: str
) -> Iterator[SpeechChunk]:
    """The audio of one segment, and a mark where a word begins: all before it has been spoken."""
    audio = TelephoneAudio(rate_hz)
    samples = chars = 0
    at_s = 0.0
    marks: list[TextMark] = []
    for kind, payload in frames:
        match kind:
            case b"A":
                ulaw = audio.push(payload)
                samples += len(ulaw)
                yield SpeechChunk(ulaw, tuple(marks))
                marks.clear()
            case b"W":
                position, start_ms = _word(payload)
                at_s = max(at_s, start_ms / 1_000)
                if chars < position < len(text):
                    chars = position
                    marks.append(TextMark(chars, at_s))
            case b"E":
                ulaw = audio.finish()
                end_s = max(at_s, (samples + len(ulaw)) / SAMPLE_RATE_HZ)
                yield SpeechChunk(ulaw, (*marks, TextMark(len(text), end_s)))
                return
            case b"X" if payload == b"voice":
                raise ProviderRejected("the library has no such voice", PROVIDER, "language")
            case _:
                raise ProviderProtocolError("its process answered out of turn", PROVIDER)


def _word(payload: bytes) -> tuple[int, int]:
    try:
        position, start_ms = map(int, payload.split())
    except ValueError:
        raise ProviderProtocolError("its process sent a word without its place", PROVIDER) from None
    return position, start_ms
