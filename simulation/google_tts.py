"""Google's Text-to-Speech, so far as the unmodified client can tell, spoken by the emulated voice.

Methods: ``StreamingSynthesize`` (voices of the Chirp HD family only), ``SynthesizeSpeech`` and
``ListVoices``. Sources: the comments of ``google/cloud/texttospeech/v1/cloud_tts.proto``, one of
which is that MULAW of ``SynthesizeSpeech`` comes with a WAV header.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from simulation.faults import FaultBoard
from simulation.google_server import GoogleRefusal, GoogleServer
from simulation.tongue import language_of
from simulation.voice_sound import SAMPLE_RATE_HZ, SpokenVoice

_SERVICE = "google.cloud.texttospeech.v1.TextToSpeech"
_VOICE = re.compile(
    r"([a-z]{2,3}-[A-Z]{2})-"
    r"(Chirp3-HD|Chirp-HD|Standard|Wavenet|Neural2|News|Studio|Polyglot|Casual)-(\w+)"
)
_MISSING = "Missing"  # as a voice's last name: Google does not have it
_MOST_BYTES = 5_000
_MULAW = 5  # AudioEncoding.MULAW
_WITHIN_S = 5.0
VOICES = (
    "en-US-Chirp3-HD-Aoede",
    "en-US-Chirp3-HD-Charon",
    "en-US-Neural2-C",
    "en-US-Standard-C",
    "de-DE-Chirp3-HD-Kore",
    "es-ES-Chirp3-HD-Kore",
    "cmn-CN-Chirp3-HD-Kore",
    "cmn-CN-Wavenet-A",
    "yue-HK-Standard-A",
    "ms-MY-Wavenet-A",
)


@dataclass(frozen=True, slots=True)
class GoogleTtsConfig:
    """How quick the voice is.

    Attributes:
        first_byte_s: From the text to its first audio.
        piece_s: Audio in one message.
        speed_ratio: How much faster than real time the rest follows; 0 for all at once.
    """

    first_byte_s: float = 0.2
    piece_s: float = 0.2
    speed_ratio: float = 4.0


class GoogleTextToSpeech:
    """The service behind one port.

    Args:
        config: Pace.
        voice: Makes the sound.
        board: Its faults.

    Attributes:
        speaking: Texts that are being spoken.
    """

    name = "google_tts"

    def __init__(self, config: GoogleTtsConfig, voice: SpokenVoice, board: FaultBoard) -> None:
        self._config = config
        self._voice = voice
        self._board = board
        self.speaking = 0
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="google-voice")

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def methods(self, server: GoogleServer) -> Any:
        """See ``GrpcService``."""
        import grpc
        from google.cloud.texttospeech_v1.types import cloud_tts

        async def stream(_requests: Any, context: Any) -> None:
            await server.admit(context)
            try:
                await self._stream(server, context, cloud_tts.StreamingSynthesizeResponse.pb())
            except GoogleRefusal as refusal:
                await server.refuse(context, refusal)

        async def whole(request: Any, context: Any) -> bytes:
            await server.admit(context)
            try:
                return await self._whole(
                    server, request, context, cloud_tts.SynthesizeSpeechResponse.pb()
                )
            except GoogleRefusal as refusal:
                await server.refuse(context, refusal)

        async def voices(_request: Any, context: Any) -> bytes:
            await server.admit(context)
            return _listed(cloud_tts.ListVoicesResponse.pb())

        streamed, asked, listed = (
            getattr(cloud_tts, name).pb().FromString
            for name in (
                "StreamingSynthesizeRequest",
                "SynthesizeSpeechRequest",
                "ListVoicesRequest",
            )
        )
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            _SERVICE,
            {
                "StreamingSynthesize": grpc.stream_stream_rpc_method_handler(
                    stream, request_deserializer=streamed
                ),
                "SynthesizeSpeech": unary(whole, request_deserializer=asked),
                "ListVoices": unary(voices, request_deserializer=listed),
            },
        )

    async def _stream(self, server: GoogleServer, context: Any, response: Any) -> None:
        import grpc.aio

        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        outbound = server.outbound(context, waiting.put_nowait)
        voice = ""
        while (request := await self._next(context)) is not grpc.aio.EOF:
            outbound.received(request.ByteSize())
            kind = request.WhichOneof("streaming_request")
            if not voice:
                if kind != "streaming_config":
                    raise GoogleRefusal("INVALID_ARGUMENT", "The first request has no config.")
                voice = _streaming_voice(request.streaming_config)
                continue
            if kind != "input":
                raise GoogleRefusal("INVALID_ARGUMENT", "Only the first request has a config.")
            async for piece in self._speak(request.input.text, voice):
                outbound.send(response(audio_content=piece).SerializeToString())
                await _write_all(waiting, context)
        # Whoever is delayed or stalled by a fault still has something to say.
        faults = self._board.of(self.name)
        if faults.never_end or faults.stall_after_messages is not None:
            await asyncio.get_running_loop().create_future()  # until the client gives up
        if faults.chunk_delay_s or faults.chunk_jitter_s:
            await asyncio.sleep(faults.chunk_delay_s + faults.chunk_jitter_s)
            await _write_all(waiting, context)

    async def _next(self, context: Any) -> Any:
        try:
            async with asyncio.timeout(_WITHIN_S):
                return await context.read()
        except TimeoutError:
            raise GoogleRefusal(
                "ABORTED",
                "Stream aborted due to long duration elapsed without input sent. Input must be "
                "sent continuously, at least every 5s seconds.",
            ) from None

    async def _whole(
        self, server: GoogleServer, request: Any, context: Any, response: Any
    ) -> bytes:
        form = request.audio_config
        if (form.audio_encoding, form.sample_rate_hertz) != (_MULAW, SAMPLE_RATE_HZ):
            raise GoogleRefusal("INVALID_ARGUMENT", "This emulator speaks MULAW at 8000 Hz only.")
        voice = _checked(request.voice)
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        outbound = server.outbound(context, waiting.put_nowait)
        outbound.received(request.ByteSize())
        audio = b"".join([piece async for piece in self._speak(request.input.text, voice)])
        outbound.send(response(audio_content=_wav_head(len(audio)) + audio).SerializeToString())
        if self._board.of(self.name).never_end:
            await asyncio.get_running_loop().create_future()  # until the client gives up
        return await waiting.get()

    async def _speak(self, text: str, voice: str) -> AsyncGenerator[bytes, None]:
        """Mu-law at the service's pace."""
        if len(text.encode()) > _MOST_BYTES:
            message = f"Input must be no longer than {_MOST_BYTES} bytes."
            raise GoogleRefusal("INVALID_ARGUMENT", message)
        loop = asyncio.get_running_loop()
        due = loop.time() + self._config.first_byte_s + self._board.of(self.name).first_delay_s()
        self.speaking += 1
        try:
            speech = await loop.run_in_executor(
                self._executor, self._voice.speak, text, language_of(text), voice
            )
            step = max(1, round(self._config.piece_s * SAMPLE_RATE_HZ))
            for at in range(0, len(speech.ulaw), step):
                if (wait_s := due - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                yield speech.ulaw[at : at + step]
                if self._config.speed_ratio > 0:
                    due += self._config.piece_s / self._config.speed_ratio
        finally:
            self.speaking -= 1


async def _write_all(waiting: asyncio.Queue[bytes], context: Any) -> None:
    while not waiting.empty():
        await context.write(waiting.get_nowait())


def _streaming_voice(config: Any) -> str:
    """Raises ``GoogleRefusal`` for what Google refuses."""
    form = config.streaming_audio_config
    if (form.audio_encoding, form.sample_rate_hertz) != (_MULAW, SAMPLE_RATE_HZ):
        raise GoogleRefusal("INVALID_ARGUMENT", "This emulator speaks MULAW at 8000 Hz only.")
    voice = _checked(config.voice)
    if "-Chirp" not in voice:
        message = "Currently, only Chirp 3: HD voices are supported for streaming synthesis."
        raise GoogleRefusal("INVALID_ARGUMENT", message)
    return voice


def _checked(voice: Any) -> str:
    """The name of a voice that exists. Raises ``GoogleRefusal``."""
    name = str(voice.name)
    match = _VOICE.fullmatch(name)
    if match is None or match[3] == _MISSING:
        raise GoogleRefusal("INVALID_ARGUMENT", f"Voice '{name}' does not exist. Is it misspelled?")
    if voice.language_code.lower() != match[1].lower():
        raise GoogleRefusal(
            "INVALID_ARGUMENT",
            f"Requested language code '{voice.language_code}' doesn't match the voice '{name}'.",
        )
    return name


def _listed(response: Any) -> bytes:
    answer = response()
    for name in VOICES:
        voice = answer.voices.add()
        voice.name = name
        voice.language_codes.append("-".join(name.split("-")[:2]))
        voice.natural_sample_rate_hertz = 24_000
    whole: bytes = answer.SerializeToString()
    return whole


def _wav_head(size: int) -> bytes:
    form = struct.pack("<IHHIIHH", 18, 7, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, 1, 8) + b"\0\0"
    fact = b"fact" + struct.pack("<II", 4, size)
    rest = b"WAVEfmt " + form + fact + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(rest) + size) + rest
