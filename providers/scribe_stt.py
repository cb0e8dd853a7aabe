"""ElevenLabs Scribe: realtime speech-to-text over pooled sockets.

Rules:
1. Languages and hints stand in the address of a socket: a call with hints has a socket of its own,
   which is opened while its first audio waits; calls without any share those that are kept ready.
2. Segments are committed by us, at the caller's pauses, or by the service's own detection of
   silence; what is committed is final. The message with the times of words is waited for, since it
   follows the one without at once.
3. The service's session ends by itself after a time that it does not tell; that is a break like
   any other.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from providers import scribe_wire as wire
from providers.errors import ProviderProtocolError
from providers.hearing import Hearing, Restart
from providers.phrases import Phrases
from providers.recogniser_pool import SocketRecogniser
from providers.replayed_stream import StreamLimits
from providers.scribe_wire import PEER, PROVIDER, ScribeMessage
from providers.socket_settings import SCRIBE_STREAMS, ScribeConfig
from providers.websocket import Connection, MessageSocket, connect, open_socket
from voice.ports import FinalTranscript, RecogniseRequest, RecogniserEvent

_log = logging.getLogger(__name__)

_READY_S = 240.0

Connect = Callable[[str, dict[str, str], float], Awaitable[Connection]]


async def _connect(url: str, headers: dict[str, str], timeout_s: float) -> Connection:
    return await connect(url, headers, timeout_s, PEER)


class ScribeHearing:
    """What is understood of one call; see ``providers.hearing.Hearing``."""

    def __init__(self, config: ScribeConfig, *, names_language: bool = False) -> None:
        # Without others to choose from the service repeats what it was told: no opinion.
        self._names_language = names_language
        self._makes_cuts = config.commit == "manual"
        self._phrases = Phrases(config.pause_s, makes_cuts=self._makes_cuts)
        self._base_s = 0.0
        self._pending: str | None = None  # committed, and its times are yet to come

    @property
    def progress_s(self) -> float:
        """See ``Hearing``."""
        return self._phrases.progress_s

    @property
    def final_s(self) -> float:
        """See ``Hearing``."""
        return self._phrases.final_s

    @property
    def owed(self) -> str:
        """See ``Hearing``."""
        return "times" if self._pending is not None else self._phrases.owed

    def restart(self, oldest_s: float) -> Restart:
        """See ``Hearing``."""
        released = self._release()
        restart = self._phrases.restart(oldest_s)
        self._base_s = restart.at_s
        last = released[-1] if released else None
        return Restart(restart.at_s, last) if isinstance(last, FinalTranscript) else restart

    def opening(self) -> tuple[str, ...]:
        """See ``Hearing``; the address has said all."""
        return ()

    def packet(self, chunk: bytes, end_s: float) -> tuple[str | bytes, ...]:
        """See ``Hearing``."""
        message = wire.audio_chunk(chunk)
        if not self._phrases.sent(chunk, end_s):
            return (message,)
        self._phrases.cut(end_s)
        return (message, wire.commit())

    def receive(self, message: ScribeMessage) -> tuple[RecogniserEvent, ...]:
        """See ``Hearing``."""
        match message:
            case wire.PartialWords(text=text):
                return (*self._release(), *self._phrases.words(text))
            case wire.CommittedWords(text=text, has_times=False):
                released = self._release()
                self._pending = text
                return released
            case wire.CommittedWords(text=text, end_s=end_s, language=language):
                return self._end(text, end_s, language if self._names_language else "")
            case wire.NothingSaid(code=code):
                _log.info("%s: %s", PROVIDER, code)
                return (*self._release(), *self._phrases.ended(""))
            case wire.SessionStarted():
                raise ProviderProtocolError("a second session on one socket", PROVIDER)
            case wire.Remark():
                return ()

    def _release(self) -> tuple[RecogniserEvent, ...]:
        """A segment whose times do not come is final without them."""
        return () if self._pending is None else self._end(self._pending, None)

    def _end(
        self, text: str, end_s: float | None, language: str = ""
    ) -> tuple[RecogniserEvent, ...]:
        self._pending = None
        if not self._makes_cuts and not text.strip():
            return ()
        at_s = None if end_s is None else self._base_s + end_s
        return self._phrases.ended(text, end_s=at_s, at_s=at_s, language=language)


class _Service:
    """See ``providers.recogniser_pool.SocketService``."""

    def __init__(self, config: ScribeConfig, connect: Connect) -> None:
        wire.check_config(config)
        self._config = config
        self._connect = connect
        self.limits = StreamLimits(PROVIDER, config.stall_timeout_s, config.replay_s)
        self.max_streams = config.max_streams
        self.streams_setting = SCRIBE_STREAMS
        self.ready_s = _READY_S

    def url(self, request: RecogniseRequest) -> str:
        return wire.socket_url(self._config, request)

    async def open(self, url: str) -> MessageSocket[ScribeMessage]:
        timeout_s = self._config.connect_timeout_s
        connection = await self._connect(url, {"xi-api-key": self._config.api_key}, timeout_s)
        socket = MessageSocket(connection, PEER, wire.parse)
        return await open_socket(
            socket,
            connection,
            lambda message: isinstance(message, wire.SessionStarted),
            timeout_s,
            PROVIDER,
        )

    def hearing(self, request: RecogniseRequest) -> Hearing[ScribeMessage]:
        dropped = len(request.phrases) - len(wire.usable_keyterms(request.phrases))
        if dropped:
            _log.warning("call %s: %d hints are not taken by Scribe", request.call_id, dropped)
        return ScribeHearing(self._config, names_language=bool(wire.other_codes(request)))


class ScribeRecogniser(SocketRecogniser[ScribeMessage]):
    """Speech-to-text by ElevenLabs Scribe.

    Args:
        config: Key, address, how segments are committed, limits.
        connect: Opens a connection: address, headers, seconds; to be replaced in tests.

    Raises:
        ProviderRefused: The key is missing.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: ScribeConfig, connect: Connect = _connect) -> None:
        super().__init__(_Service(config, connect))
