"""A recogniser without any service, for demonstrations: yes, no and digits, in English.

It understands the sentences of ``pocketsphinx_en_jsgf.txt`` and takes whatever else it hears for
one of them or for nothing; of digits said one by one over a telephone it gets about four in five.
Do not let it hear real callers.

Rules:
1. A phrase is found by its sound (``pocketsphinx_phrases``) and understood as a whole, so there are
   no interims: a final, or an empty one for what was not understood.
2. Phrases of all calls are decoded one after the other in one process (``pocketsphinx_process``). A
   phrase takes a few hundredths of its length; the event loop waits for nothing.
3. A phrase that fails because the process died or hangs is tried once more in a new one; then the
   stream has failed.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from providers.errors import (
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.pocketsphinx_phrases import PhraseBegan, PhraseEnded, PhraseFinder
from providers.pocketsphinx_process import (
    INSTALL_HINT,
    PROVIDER,
    PocketsphinxProcess,
    is_installed,
)
from providers.pocketsphinx_settings import PocketsphinxConfig
from providers.traces import trace_of
from voice.ports import (
    FinalTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserStream,
    SpeechNoticed,
)

_log = logging.getLogger(__name__)

Sink = Callable[[RecogniserEvent], None]


class Decoder(Protocol):
    """What is needed of ``PocketsphinxProcess``."""

    async def start(self) -> None:
        """Have it ready. Raises ``ProviderError``."""

    async def words_of(self, ulaw: bytes) -> str:
        """The words of one phrase. Raises ``ProviderError``."""

    async def aclose(self) -> None:
        """End it."""


class PocketsphinxRecogniser:
    """Speech-to-text by pocketsphinx, in a process beside this one.

    Args:
        config: Pause and deadlines.
        decoder: Understands phrases; to be replaced in tests.

    Raises:
        ProviderRefused: The library is not installed.
    """

    def __init__(self, config: PocketsphinxConfig, decoder: Decoder | None = None) -> None:
        if decoder is None and not is_installed():
            raise ProviderRefused(INSTALL_HINT, PROVIDER, "recogniser")
        self._config = config
        self._decoder = decoder or PocketsphinxProcess(
            config.start_timeout_s, config.answer_timeout_s
        )
        self._streams: set[PocketsphinxStream] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``pocketsphinx``."""
        return PROVIDER

    async def warm(self, language: str, count: int) -> None:
        """Start the process. Raises ``ProviderError``."""
        self._check(language)
        await self._decoder.start()

    async def open(self, request: RecogniseRequest, sink: Sink) -> RecogniserStream:
        """Start a stream; see ``voice.ports.Recogniser``. Phrases that are hinted at do nothing.

        Raises:
            ProviderRejected: The language is not English.
        """
        self._check(request.language)
        stream = PocketsphinxStream(self._config, self._decoder, sink, self._streams.discard)
        self._streams.add(stream)
        return stream

    async def aclose(self) -> None:
        """Close every stream and end the process."""
        self._closed = True
        await asyncio.gather(*(stream.close() for stream in list(self._streams)))
        await self._decoder.aclose()

    def _check(self, language: str) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        if language.lower().split("-", 1)[0] != "en":
            raise ProviderRejected(f"does not hear {language}", PROVIDER, "language")


class PocketsphinxStream:
    """A ``RecogniserStream``: finds phrases, and tells their words in order."""

    def __init__(
        self,
        config: PocketsphinxConfig,
        decoder: Decoder,
        sink: Sink,
        ended: Callable[[PocketsphinxStream], None],
    ) -> None:
        self._finder = PhraseFinder(config.pause_s)
        self._decoder = decoder
        self._sink: Sink | None = sink
        self._found: asyncio.Queue[PhraseBegan | PhraseEnded] = asyncio.Queue()
        self._ended = ended
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._finished)

    def write(self, ulaw: bytes) -> None:
        """See ``voice.ports.RecogniserStream``; dropped after a failure or ``close``."""
        if self._sink is None:
            return
        for found in self._finder.hear(ulaw):
            self._found.put_nowait(found)

    async def close(self) -> None:
        """See ``voice.ports.RecogniserStream``."""
        self._sink = None
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            match await self._found.get():
                case PhraseBegan(at_s):
                    self._say(SpeechNoticed(at_s))
                case PhraseEnded(ulaw, end_s):
                    try:
                        words = await self._words_of(ulaw)
                    except ProviderError as error:
                        self._fail(error)
                        return
                    self._say(FinalTranscript(words, end_s))

    async def _words_of(self, ulaw: bytes) -> str:
        try:
            return await self._decoder.words_of(ulaw)
        except ProviderError as error:
            _log.warning("pocketsphinx is started anew: %s", error)
            return await self._decoder.words_of(ulaw)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            _log.error("a stream broke: %s", trace_of(bug))
            self._fail(ProviderUnavailable(f"broke: {type(bug).__name__}", PROVIDER))
        self._sink = None
        self._ended(self)

    def _say(self, event: RecogniserEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    def _fail(self, error: ProviderError) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink(RecogniserFailed(str(error), error.retryable, error))
