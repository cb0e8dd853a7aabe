"""OpenAI's realtime transcription: speech-to-text over pooled sockets.

Rules:
1. A ready session is nobody's: language, hints and model are told to it when its stream begins, so
   that it serves any call.
2. Phrases are committed by us, at the caller's pauses, or by the service's own semantic detection.
   A committed phrase is an item; its words are complete when the service says so.
3. Items are told apart by their ids and told on in the order of the audio, whatever order they are
   completed in. Words of a later item wait for the one before it.
4. A completed item that was never committed here is not this caller's: the socket breaks.
5. An item that could not be written down is a break: the next socket is told its audio again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from providers import openai_transcription_wire as wire
from providers.errors import ProviderProtocolError
from providers.hearing import Hearing, Restart
from providers.openai_transcription_wire import PEER, PROVIDER, TranscriptionEvent
from providers.phrases import Phrases
from providers.recogniser_pool import SocketRecogniser
from providers.replayed_stream import StreamLimits
from providers.socket_settings import OPENAI_STT_STREAMS, OpenAITranscriptionConfig
from providers.websocket import Connection, MessageSocket, connect, open_socket
from voice.ports import RecogniseRequest, RecogniserEvent

_READY_S = 1_500.0  # sessions end after an hour
_MOST_ITEMS = 32
_MOST_CHARS = 100_000

Connect = Callable[[str, dict[str, str], float], Awaitable[Connection]]


async def _connect(url: str, headers: dict[str, str], timeout_s: float) -> Connection:
    return await connect(url, headers, timeout_s, PEER)


@dataclass(slots=True)
class _Item:
    text: str = ""
    language: str = ""
    is_committed: bool = False
    is_complete: bool = False


class TranscriptionHearing:
    """What is understood of one call; see ``providers.hearing.Hearing``."""

    def __init__(self, config: OpenAITranscriptionConfig, request: RecogniseRequest) -> None:
        self._makes_cuts = config.turns == "pauses"
        self._phrases = Phrases(config.pause_s, makes_cuts=self._makes_cuts)
        self._update = wire.update_session(config, request)
        self._items: dict[str, _Item] = {}  # in the order of the audio
        self._base_s = 0.0

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
        return self._phrases.owed

    def restart(self, oldest_s: float) -> Restart:
        """See ``Hearing``."""
        self._items.clear()
        restart = self._phrases.restart(oldest_s)
        self._base_s = restart.at_s
        return restart

    def opening(self) -> tuple[str, ...]:
        """See ``Hearing``."""
        return (self._update,)

    def packet(self, chunk: bytes, end_s: float) -> tuple[str | bytes, ...]:
        """See ``Hearing``."""
        message = wire.append_audio(chunk)
        if not self._phrases.sent(chunk, end_s):
            return (message,)
        self._phrases.cut(end_s)
        return (message, wire.COMMIT)

    def receive(self, message: TranscriptionEvent) -> tuple[RecogniserEvent, ...]:
        """See ``Hearing``."""
        match message:
            case wire.WordsArrived(item_id=item_id, text=text):
                item = self._item(item_id)
                if not item.is_complete:
                    item.text += text
                if len(item.text) > _MOST_CHARS:
                    raise ProviderProtocolError("words without an end", PROVIDER)
            case wire.SpeechStopped(item_id=item_id, audio_end_ms=audio_end_ms):
                self._item(item_id)
                if not self._makes_cuts:
                    self._phrases.cut(self._base_s + audio_end_ms / 1_000)
            case wire.AudioCommitted(item_id=item_id):
                self._item(item_id).is_committed = True
            case wire.WordsKnown(item_id=item_id, text=text, language=language):
                known = self._items.get(item_id)
                if known is None or not known.is_committed or known.is_complete:
                    raise ProviderProtocolError("words of another item", PROVIDER)
                known.text, known.language, known.is_complete = text, language, True
            case wire.NothingSaid():
                return self._phrases.ended("")
            case wire.SessionCreated():
                raise ProviderProtocolError("a second session on one socket", PROVIDER)
            case wire.Remark():
                return ()
        return self._told()

    def _item(self, item_id: str) -> _Item:
        if item_id not in self._items and len(self._items) >= _MOST_ITEMS:
            raise ProviderProtocolError("items without an end", PROVIDER)
        return self._items.setdefault(item_id, _Item())

    def _told(self) -> tuple[RecogniserEvent, ...]:
        """What is complete, as far as it is in order, and the words of what is not."""
        events: list[RecogniserEvent] = []
        while self._items:
            item_id, item = next(iter(self._items.items()))
            if not item.is_complete:
                events += self._phrases.words(item.text)
                break
            del self._items[item_id]
            events += self._phrases.ended(item.text, language=item.language)
        return tuple(events)


class _Service:
    """See ``providers.recogniser_pool.SocketService``."""

    def __init__(self, config: OpenAITranscriptionConfig, connect: Connect) -> None:
        wire.check_config(config)
        self._config = config
        self._connect = connect
        self.limits = StreamLimits(PROVIDER, config.stall_timeout_s, config.replay_s)
        self.max_streams = config.max_streams
        self.streams_setting = OPENAI_STT_STREAMS
        self.ready_s = _READY_S

    def url(self, request: RecogniseRequest) -> str:
        wire.language_code(request.language)
        return wire.socket_url(self._config)

    async def open(self, url: str) -> MessageSocket[TranscriptionEvent]:
        timeout_s, key = self._config.connect_timeout_s, self._config.api_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        connection = await self._connect(url, headers, timeout_s)
        socket = MessageSocket(connection, PEER, wire.parse)
        return await open_socket(
            socket,
            connection,
            lambda message: isinstance(message, wire.SessionCreated),
            timeout_s,
            PROVIDER,
        )

    def hearing(self, request: RecogniseRequest) -> Hearing[TranscriptionEvent]:
        return TranscriptionHearing(self._config, request)


class OpenAITranscriptionRecogniser(SocketRecogniser[TranscriptionEvent]):
    """Speech-to-text by OpenAI's realtime transcription.

    Args:
        config: Key, address, model, who ends phrases, limits.
        connect: Opens a connection: address, headers, seconds; to be replaced in tests.

    Raises:
        ProviderRefused: The key is missing.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: OpenAITranscriptionConfig, connect: Connect = _connect) -> None:
        super().__init__(_Service(config, connect))
