"""Deepgram Flux speech-to-text over pooled sockets.

Rules:
1. Keyterms are told to a socket when its stream begins, so that a ready one serves any call. All
   English is one kind of socket; the multilingual model has one kind for each set of languages.
2. The service reports on every quarter of a second of audio, silence included: its silence is a
   fault, and is noticed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from providers.deepgram_errors import PROVIDER
from providers.deepgram_messages import Connected, FluxMessage, TurnInfo
from providers.deepgram_socket import FluxReader, connect
from providers.deepgram_turns import TurnReader
from providers.deepgram_wire import (
    CLOSE_STREAM,
    PEER,
    check_config,
    configure_keyterms,
    socket_url,
    usable_keyterms,
)
from providers.hearing import Hearing, Restart
from providers.recogniser_pool import SocketRecogniser
from providers.replayed_stream import StreamLimits
from providers.settings import DEEPGRAM_STREAMS, DeepgramConfig
from providers.websocket import Connection, MessageSocket, open_socket
from voice.ports import RecogniseRequest, RecogniserEvent

_log = logging.getLogger(__name__)

Connect = Callable[[str, str, float], Awaitable[Connection]]


class FluxHearing:
    """What is understood of one call; see ``providers.hearing.Hearing``.

    Args:
        keyterms: Of the call.

    Attributes:
        owed: See ``Hearing``: a report, as soon as audio was sent.
    """

    def __init__(self, keyterms: tuple[str, ...]) -> None:
        self.owed = ""
        self._opening = (configure_keyterms(keyterms),) if keyterms else ()
        self._turns = TurnReader()
        self._sent_s = 0.0
        self._reports = 0

    @property
    def progress_s(self) -> float:
        """See ``Hearing``."""
        return self._turns.progress_s

    @property
    def final_s(self) -> float:
        """See ``Hearing``."""
        return self._turns.final_s

    def restart(self, oldest_s: float) -> Restart:
        """See ``Hearing``."""
        restart = self._turns.restart(oldest_s)
        self._sent_s = restart.at_s
        self.owed = ""
        return restart

    def opening(self) -> tuple[str, ...]:
        """See ``Hearing``."""
        return self._opening

    def packet(self, chunk: bytes, end_s: float) -> tuple[str | bytes, ...]:
        """See ``Hearing``."""
        self._sent_s = end_s
        self.owed = self.owed or f"report {self._reports}"
        return (chunk,)

    def receive(self, message: FluxMessage) -> tuple[RecogniserEvent, ...]:
        """See ``Hearing``."""
        if not isinstance(message, TurnInfo):
            return ()
        self._reports += 1
        self.owed = ""
        return self._turns.receive(message, sent_s=self._sent_s)


class _Service:
    """See ``providers.recogniser_pool.SocketService``."""

    def __init__(self, config: DeepgramConfig, connect: Connect) -> None:
        check_config(config)
        self._config = config
        self._connect = connect
        self.limits = StreamLimits(
            PROVIDER, config.stall_timeout_s, config.replay_s, reports_silence=True
        )
        self.max_streams = config.max_streams
        self.streams_setting = DEEPGRAM_STREAMS
        self.ready_s = None

    def url(self, request: RecogniseRequest) -> str:
        return socket_url(self._config, request.language, request.others)

    async def open(self, url: str) -> MessageSocket[FluxMessage]:
        timeout_s = self._config.connect_timeout_s
        connection = await self._connect(url, self._config.api_key, timeout_s)
        socket = MessageSocket(connection, PEER, FluxReader().read, CLOSE_STREAM)
        return await open_socket(
            socket,
            connection,
            lambda message: isinstance(message, Connected),
            timeout_s,
            PROVIDER,
        )

    def hearing(self, request: RecogniseRequest) -> Hearing[FluxMessage]:
        keyterms = usable_keyterms(request.phrases)
        if len(keyterms) < len(request.phrases):
            dropped = len(request.phrases) - len(keyterms)
            _log.warning("call %s: %d hints are not taken by Deepgram", request.call_id, dropped)
        return FluxHearing(keyterms)


class DeepgramRecogniser(SocketRecogniser[FluxMessage]):
    """Speech-to-text by Deepgram Flux.

    Args:
        config: Key, address, thresholds, limits.
        connect: Opens a connection: address, key, seconds; to be replaced in tests.

    Raises:
        ProviderRefused: The key is missing.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: DeepgramConfig, connect: Connect = connect) -> None:
        super().__init__(_Service(config, connect))
