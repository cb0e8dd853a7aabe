"""Google's Speech-to-Text, version 2, so far as a client of ``StreamingRecognize`` can tell.

Sources: the comments of ``google/cloud/speech/v2/cloud_speech.proto``; the texts of its refusals as
people report them ("Max duration of 5 minutes reached for stream.", "Stream timed out after
receiving no more client requests.", "Audio chunk can be of a maximum of 25600 bytes.").
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from simulation.faults import SILENT_S, FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint
from simulation.google_server import GoogleRefusal, GoogleServer
from simulation.google_turn import (
    ActivityBegan,
    ActivityEnded,
    GoogleTurn,
    GoogleTurnSettings,
    PartHeard,
    Result,
)

_SERVICE = "google.cloud.speech.v2.Speech"
_RECOGNISER = re.compile(r"projects/[\w.:-]+/locations/[a-z0-9-]+/recognizers/[\w-]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
BAD_MODEL = "missing-model"
MOST_AUDIO_BYTES = 25_600
_MULAW = 2  # ExplicitDecodingConfig.AudioEncoding.MULAW
_RATE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class GoogleSttConfig:
    """How quick the recogniser is, and what it allows.

    Attributes:
        interim_lag_s: From the arrival of a word's last byte to its interim result.
        final_lag_s: From the end of the silence behind a phrase to its final result.
        final_silence_s: Silence that ends a phrase.
        longest_s: Life of a stream.
        idle_s: Without a message from the client a stream is ended.
    """

    interim_lag_s: float = 0.15
    final_lag_s: float = 0.1
    final_silence_s: float = 0.5
    longest_s: float = 300.0
    idle_s: float = 10.0


class GoogleSpeechToText:
    """The service behind one port.

    Args:
        config: Lags and limits.
        index: The clips it recognises.
        board: Its faults.

    Attributes:
        streams: Open ones.
        opened: All that ever were.
    """

    name = "google"

    def __init__(self, config: GoogleSttConfig, index: ClipIndex, board: FaultBoard) -> None:
        self.config = config
        self.index = index
        self.board = board
        self.streams = 0
        self.opened = 0

    def methods(self, server: GoogleServer) -> Any:
        """See ``GrpcService``."""
        import grpc
        from google.cloud.speech_v2.types import cloud_speech

        async def recognise(_requests: Any, context: Any) -> None:
            await server.admit(context)
            self.streams += 1
            self.opened += 1
            stream = _Stream(self, server, context, cloud_speech.StreamingRecognizeResponse.pb())
            try:
                await stream.run()
            except GoogleRefusal as refusal:
                await server.refuse(context, refusal)
            finally:
                self.streams -= 1
                await stream.close()

        request = cloud_speech.StreamingRecognizeRequest.pb()
        return grpc.method_handlers_generic_handler(
            _SERVICE,
            {
                "StreamingRecognize": grpc.stream_stream_rpc_method_handler(
                    recognise, request_deserializer=request.FromString
                )
            },
        )


class _Stream:
    """One request: a task reads, a task writes, and whichever limit is reached ends it."""

    def __init__(
        self, service: GoogleSpeechToText, server: GoogleServer, context: Any, response: Any
    ) -> None:
        self._service = service
        self._context = context
        self._response = response
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._outbound = server.outbound(context, self._waiting.put_nowait)
        self._turn: GoogleTurn | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self._tasks: list[asyncio.Task[None]] = []
        self._first_s = 0.0

    async def run(self) -> None:
        """Serve until the end of the audio. Raises ``GoogleRefusal``."""
        self._tasks = [
            self._loop.create_task(work)
            for work in (self._read(), self._write(), self._keep_time())
        ]
        reading = self._tasks[0]
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in self._tasks:
            if task.done():
                task.result()
        if reading.done():
            await self._finish()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _finish(self) -> None:
        """The client has half-closed: say what is left, then end."""
        if self._turn is not None:
            self._turn.finish(now=self._loop.time())
            while (due := self._turn.next_deadline()) is not None:
                self._drain()
                await asyncio.sleep(max(0.0, due + self._first_s - self._loop.time()))
        await self._waiting.join()
        if self._service.board.of(self._service.name).never_end:
            await self._loop.create_future()  # until the client gives up

    async def _read(self) -> None:
        import grpc.aio

        while (message := await self._context.read()) is not grpc.aio.EOF:
            self._heard_at = self._loop.time()
            self._outbound.received(message.ByteSize())
            if self._turn is None:
                self._turn = GoogleTurn(self._settings(message), self._fingerprint())
                self._first_s = self._service.board.of(self._service.name).first_delay_s()
            elif message.WhichOneof("streaming_request") != "audio":
                raise GoogleRefusal("INVALID_ARGUMENT", "Only the first message has a config.")
            if len(message.audio) > MOST_AUDIO_BYTES:
                raise GoogleRefusal(
                    "INVALID_ARGUMENT",
                    f"Audio chunk can be of a maximum of {MOST_AUDIO_BYTES} bytes. "
                    f"Received audio of {len(message.audio)} bytes instead.",
                )
            self._turn.receive_audio(message.audio, now=self._loop.time())
            self._drain()
        if self._turn is None:
            raise GoogleRefusal("INVALID_ARGUMENT", "The first message has no config.")

    async def _write(self) -> None:
        while True:
            message = await self._waiting.get()
            await self._context.write(message)
            self._waiting.task_done()

    async def _keep_time(self) -> None:
        config, began_at = self._service.config, self._loop.time()
        while True:
            now = self._loop.time()
            due = min(began_at + config.longest_s, self._heard_at + config.idle_s)
            if now >= began_at + config.longest_s:
                raise GoogleRefusal("ABORTED", "Max duration of 5 minutes reached for stream.")
            if now >= due:
                message = "Stream timed out after receiving no more client requests."
                raise GoogleRefusal("ABORTED", message)
            await asyncio.sleep(due - now)

    def _fingerprint(self) -> Fingerprint:
        return Fingerprint(self._service.index)

    def _settings(self, message: Any) -> GoogleTurnSettings:
        """What the first message asks for. Raises ``GoogleRefusal``."""
        if message.WhichOneof("streaming_request") != "streaming_config":
            raise GoogleRefusal("INVALID_ARGUMENT", "The first message has no config.")
        if not _RECOGNISER.fullmatch(message.recognizer):
            raise GoogleRefusal("INVALID_ARGUMENT", "Invalid resource field value.")
        wanted, features = (
            message.streaming_config.config,
            message.streaming_config.streaming_features,
        )
        decoding = wanted.explicit_decoding_config
        if (decoding.encoding, decoding.sample_rate_hertz) != (_MULAW, _RATE_HZ):
            raise GoogleRefusal(
                "INVALID_ARGUMENT", "This emulator listens to MULAW at 8000 Hz only."
            )
        if not wanted.model or wanted.model == BAD_MODEL:
            raise GoogleRefusal(
                "INVALID_ARGUMENT", f'The model "{wanted.model}" does not exist in this location.'
            )
        languages = tuple(wanted.language_codes)
        if not languages or not all(_LANGUAGE.fullmatch(tag) for tag in languages):
            raise GoogleRefusal(
                "INVALID_ARGUMENT", f'The language "{"".join(languages)}" is not supported.'
            )
        config = self._service.config
        return GoogleTurnSettings(
            languages=languages,
            has_interims=features.interim_results,
            has_events=features.enable_voice_activity_events,
            has_word_times=wanted.features.enable_word_time_offsets,
            final_silence_s=config.final_silence_s,
            interim_lag_s=config.interim_lag_s,
            final_lag_s=config.final_lag_s,
        )

    def _drain(self) -> None:
        """Send what is due, and arm one timer for the rest."""
        if self._turn is None or self._first_s >= SILENT_S:
            return
        now = self._loop.time() - self._first_s
        while (result := self._turn.next_output(now=now)) is not None:
            self._outbound.send(self._serialized(result))
        due = self._turn.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            self._timer = self._loop.call_at(due + self._first_s + 1e-4, self._drain)

    def _serialized(self, result: Result) -> bytes:
        response = self._response()
        match result:
            case ActivityBegan(at_s):
                response.speech_event_type = response.SPEECH_ACTIVITY_BEGIN
                _set(response.speech_event_offset, at_s)
            case ActivityEnded(at_s):
                response.speech_event_type = response.SPEECH_ACTIVITY_END
                _set(response.speech_event_offset, at_s)
            case _:
                for part in result.parts:
                    _fill(response.results.add(), part)
        whole: bytes = response.SerializeToString()
        return whole


def _fill(result: Any, part: PartHeard) -> None:
    best = result.alternatives.add()
    best.transcript = part.text
    if part.is_final:
        best.confidence = 0.93
    for text, start_s, end_s in part.words:
        word = best.words.add()
        word.word = text
        _set(word.start_offset, start_s)
        _set(word.end_offset, end_s)
    result.is_final = part.is_final
    result.stability = part.stability
    _set(result.result_end_offset, part.end_s)


def _set(duration: Any, seconds: float) -> None:
    duration.FromNanoseconds(round(seconds * 1e9))
