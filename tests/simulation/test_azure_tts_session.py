"""Sockets of the emulated text-to-speech, on virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.azure_messages import parse_binary, parse_text
from simulation.azure_synthesis import Wanted
from simulation.azure_tts_session import AzureTtsConfig, SynthesisSession
from simulation.faults import NO_FAULTS, Faults
from simulation.voice_sound import HummingVoice, Speech
from simulation.wire_socket import Socket
from tests.support import virtual_time

QUICK = AzureTtsConfig(first_byte_s=0.1, piece_s=0.1, speed_ratio=5.0)
VOICE = "en-US-JennyNeural"


class PaperMouth:
    def __init__(self, config: AzureTtsConfig = QUICK) -> None:
        self.config = config
        self.speaking = 0
        self.faults = NO_FAULTS
        self.asked: list[Wanted] = []

    async def speak(self, wanted: Wanted) -> Speech:
        self.asked.append(wanted)
        return HummingVoice().speak(wanted.text, wanted.language, wanted.voice)


class PaperSocket:
    def __init__(self) -> None:
        self.sent: list[tuple[float, str, str, bytes]] = []
        self.closed: tuple[int, str] | None = None

    def send_text(self, message: str) -> None:
        parsed = parse_text(message)
        self._keep(parsed.path, parsed.request_id, parsed.body)

    def send_binary(self, message: bytes) -> None:
        parsed = parse_binary(message)
        self._keep(parsed.path, parsed.request_id, parsed.body)

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def _keep(self, path: str, request_id: str, body: bytes) -> None:
        self.sent.append((asyncio.get_running_loop().time(), path, request_id, body))

    def of(self, path: str, request_id: str = "r1") -> list[bytes]:
        return [body for _, p, r, body in self.sent if (p, r) == (path, request_id)]


def message(path: str, body: str, request_id: str = "r1") -> str:
    return f"X-RequestId:{request_id}\r\nPath:{path}\r\n\r\n{body}"


def context(voice: str = "", audio_format: str = "raw-8khz-8bit-mono-mulaw", **more: Any) -> str:
    synthesis: dict[str, Any] = {"audio": {"outputFormat": audio_format}, **more}
    if voice:
        synthesis["input"] = {"bidirectionalStreamingMode": True, "voiceName": voice}
    return json.dumps({"synthesis": synthesis})


def ssml(text: str, voice: str = VOICE) -> str:
    return f"<speak version='1.0'><voice name='{voice}'>{text}</voice></speak>"


def scene(
    test: Callable[[SynthesisSession, PaperSocket, PaperMouth], Awaitable[None]],
    *,
    takes_pieces: bool = True,
    config: AzureTtsConfig = QUICK,
) -> None:
    async def body() -> None:
        mouth, socket = PaperMouth(config), PaperSocket()
        session = SynthesisSession(mouth, cast(Socket, socket), takes_pieces=takes_pieces)
        await test(session, socket, mouth)
        session.closed()

    virtual_time.run(body())


def test_a_turn_of_ssml_from_its_start_to_its_end() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        session.receive_text(message("synthesis.context", context()))
        session.receive_text(message("ssml", ssml("Hello you.")))
        await asyncio.sleep(5)
        paths = [path for _, path, _, _ in socket.sent]
        assert paths[:3] == ["turn.start", "response", "audio.metadata"]
        assert paths[-3:] == ["audio", "audio.metadata", "turn.end"]
        audio = socket.of("audio")
        assert audio[-1] == b""
        assert b"".join(audio) == HummingVoice().speak("Hello you.", "en-US", VOICE).ulaw
        ended = json.loads(socket.of("audio.metadata")[-1])["Metadata"][0]
        assert ended == {
            "Type": "SessionEnd",
            "Data": {"Offset": len(b"".join(audio)) * 1_250},
        }

    scene(test, takes_pieces=False)


def test_text_in_pieces_is_spoken_before_it_has_ended() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        session.receive_text(message("synthesis.context", context(VOICE)))
        session.receive_text(message("text.piece", "Hello you. And"))
        await asyncio.sleep(2)
        assert [wanted.text for wanted in mouth.asked] == ["Hello you. "]
        assert socket.of("audio")
        session.receive_text(message("text.piece", " then."))
        session.receive_text(message("text.end", ""))
        await asyncio.sleep(5)
        assert [wanted.text for wanted in mouth.asked] == ["Hello you. ", "And then."]
        assert len(socket.of("turn.end")) == 1
        words = [
            entry["Data"]["Offset"]
            for body in socket.of("audio.metadata")
            for entry in json.loads(body)["Metadata"]
        ]
        assert words == sorted(words)

    scene(test)


def test_audio_follows_the_pace_of_the_service() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        began_s = asyncio.get_running_loop().time()
        session.receive_text(message("synthesis.context", context()))
        session.receive_text(message("ssml", ssml("One two three four five.")))
        await asyncio.sleep(10)
        times = [at - began_s for at, path, _, body in socket.sent if path == "audio" and body]
        assert times[:3] == pytest.approx([0.1, 0.12, 0.14])

    scene(test)


def test_turns_of_one_socket_come_one_after_the_other() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        for request_id in ("r1", "r2"):
            session.receive_text(message("synthesis.context", context(), request_id))
            session.receive_text(message("ssml", ssml("Hello."), request_id))
        await asyncio.sleep(5)
        order = [request_id for _, _, request_id, _ in socket.sent]
        assert order == sorted(order)
        assert socket.of("turn.end", "r1")
        assert socket.of("turn.end", "r2")

    scene(test)


def test_a_closed_socket_ends_the_synthesis() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        session.receive_text(message("synthesis.context", context()))
        session.receive_text(message("ssml", ssml("One two three four five six.")))
        await asyncio.sleep(0.15)
        assert mouth.speaking == 1
        session.closed()
        await asyncio.sleep(0)
        sent = len(socket.sent)
        await asyncio.sleep(5)
        assert len(socket.sent) == sent
        assert mouth.speaking == 0

    scene(test)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([("synthesis.context", context()), ("ssml", ssml("a", "en-US-MissingNeural"))], "voice"),
        ([("synthesis.context", context("Rachel")), ("text.end", "")], "Unsupported voice Rachel."),
        ([("synthesis.context", context()), ("ssml", "<speak>")], "SSML"),
        ([("synthesis.context", context(audio_format="mp3"))], "format"),
        ([("synthesis.context", "{")], "synthesis.context"),
        ([("synthesis.context", '{"synthesis": {"audio": {"outputFormat": []}}}')], "format"),
        ([("synthesis.context", context()), ("ssml", ssml("a" * 70_000))], "65536"),
    ],
)
def test_what_cannot_be_spoken_closes_the_socket_with_the_reason(
    messages: list[tuple[str, str]], said: str
) -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        for path, body in messages:
            session.receive_text(message(path, body))
        await asyncio.sleep(1)
        assert socket.closed is not None
        assert socket.closed[0] == 1007
        assert said in socket.closed[1]

    scene(test)


def test_the_first_version_takes_no_pieces() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        session.receive_text(message("synthesis.context", context(VOICE)))
        assert socket.closed is not None

    scene(test, takes_pieces=False)


def test_too_many_at_once_are_throttled() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        mouth.speaking = mouth.config.most_concurrent
        session.receive_text(message("synthesis.context", context()))
        session.receive_text(message("ssml", ssml("Hello.")))
        await asyncio.sleep(1)
        assert socket.closed == (4429, "The request is throttled")

    scene(test)


def test_a_silent_socket_is_closed_and_a_used_one_is_not() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        for _ in range(3):
            await asyncio.sleep(200)
            session.receive_text(message("synthesis.context", context()))
            session.receive_text(message("ssml", ssml("Hello.")))
        await asyncio.sleep(295)
        assert socket.closed is None
        await asyncio.sleep(10)
        assert socket.closed is not None
        assert socket.closed[0] == 1000

    scene(test)


def test_faults_take_away_the_end_and_change_the_id() -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        mouth.faults = Faults(never_end=True, wrong_request_id=True)
        session.receive_text(message("synthesis.context", context()))
        session.receive_text(message("ssml", ssml("Hello.")))
        await asyncio.sleep(5)
        paths = {path for _, path, _, _ in socket.sent}
        assert "turn.end" not in paths
        assert "r1" not in {request_id for _, _, request_id, _ in socket.sent}

    scene(test)


PATHS = st.sampled_from(["synthesis.context", "ssml", "text.piece", "text.end", "telemetry", ""])
BODIES = st.one_of(
    st.text(max_size=20),
    st.sampled_from([context(), context(VOICE), context("x"), ssml("a"), "[]", '{"synthesis": 1}']),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(PATHS, BODIES), max_size=8))
def test_no_message_breaks_it(messages: list[tuple[str, str]]) -> None:
    async def test(session: SynthesisSession, socket: PaperSocket, mouth: PaperMouth) -> None:
        for path, body in messages:
            session.receive_text(message(path, body))
            session.receive_binary(b"\x00")
        await asyncio.sleep(3)

    scene(test)
