from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.elevenlabs_socket import SpeechSocket, StreamSettings
from simulation.elevenlabs_wire import AudioPiece
from simulation.faults import FaultBoard, Faults
from tests.support import virtual_time

SEVERAL = StreamSettings(several=True, auto_mode=True)


class HeardSocket:
    """Stands for the WebSocket: notes messages and the closing code."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.code: int | None = None

    def send_text(self, message: str) -> None:
        self.messages.append(json.loads(message))

    def close(self, code: int, _reason: str) -> None:
        self.code = self.code or code


async def speak(text: str) -> AsyncIterator[AudioPiece]:
    for letter in text.strip():
        await asyncio.sleep(0.1)
        yield AudioPiece(letter.encode(), None)


Scene = Callable[[SpeechSocket], Awaitable[None]]


def play(
    scene: Scene, settings_: StreamSettings = SEVERAL, faults: Faults | None = None
) -> HeardSocket:
    socket = HeardSocket()

    async def run() -> None:
        board = FaultBoard()
        board.set("elevenlabs", faults or Faults())
        session = SpeechSocket(settings_, socket, speak, board)  # type: ignore[arg-type]
        await scene(session)
        session.closed()

    virtual_time.run(run())
    return socket


def sending(*bodies: dict[str, Any], after_s: float = 5.0) -> Scene:
    async def scene(session: SpeechSocket) -> None:
        for body in bodies:
            session.receive_text(json.dumps(body))
        await asyncio.sleep(after_s)

    return scene


def test_a_closed_context_speaks_what_came_before_and_ends() -> None:
    heard = play(
        sending(
            {"text": " ", "context_id": "c", "voice_settings": {"stability": 0.5}},
            {"text": "ab ", "context_id": "c"},
            {"context_id": "c", "close_context": True},
        )
    )
    assert [message.get("contextId") for message in heard.messages] == ["c"] * 3
    assert heard.messages[-1] == {"isFinal": True, "contextId": "c"}
    assert heard.code is None


def test_without_auto_mode_text_waits_for_a_flush() -> None:
    settings_ = StreamSettings(several=True)
    waiting = play(sending({"text": "ab ", "context_id": "c"}), settings_)
    assert waiting.messages == []
    flushed = play(
        sending({"text": "ab ", "context_id": "c"}, {"context_id": "c", "flush": True}), settings_
    )
    assert len(flushed.messages) == 2


def test_the_sixth_context_ends_the_socket() -> None:
    heard = play(sending(*({"text": " ", "context_id": str(i)} for i in range(6))))
    assert heard.messages[-1]["error"] == "max_active_conversations"
    assert heard.code == 1008


def test_a_context_that_is_closing_still_counts() -> None:
    closing = [{"text": "ab", "context_id": str(i), "close_context": True} for i in range(5)]
    assert play(sending(*closing, {"text": " ", "context_id": "new"})).code == 1008


def test_a_context_that_ended_makes_room() -> None:
    async def scene(session: SpeechSocket) -> None:
        for i in range(5):
            await sending({"text": "a", "context_id": str(i), "close_context": True})(session)
        await sending({"text": "a", "context_id": "new"})(session)

    assert play(scene).code is None


def test_settings_belong_into_the_first_message() -> None:
    heard = play(
        sending(
            {"text": "", "context_id": "c"},
            {"text": " ", "context_id": "c", "voice_settings": {"speed": 1}},
        )
    )
    assert heard.code == 1008


def test_silence_of_a_client_ends_the_socket() -> None:
    heard = play(sending({"text": " ", "context_id": "c"}, after_s=20.5))
    assert heard.messages[-1]["error"] == "input_timeout_exceeded"
    assert heard.code == 1008


def test_an_idle_context_ends_while_another_is_kept_alive() -> None:
    async def scene(session: SpeechSocket) -> None:
        await sending({"text": " ", "context_id": "idle"}, after_s=10)(session)
        for _ in range(3):
            await sending({"text": "", "context_id": "kept"}, after_s=10)(session)

    heard = play(scene)
    assert heard.messages == [{"isFinal": True, "contextId": "idle"}]
    assert heard.code is None


def test_a_single_stream_ends_with_empty_text() -> None:
    heard = play(
        sending({"text": " "}, {"text": "ab "}, {"text": ""}), StreamSettings(several=False)
    )
    assert heard.messages[-1] == {"audio": None, "isFinal": True}
    assert len(heard.messages) == 3
    assert heard.code == 1000


def test_a_flush_with_empty_text_does_not_end_a_single_stream() -> None:
    heard = play(
        sending({"text": "ab "}, {"text": "", "flush": True}), StreamSettings(several=False)
    )
    assert (len(heard.messages), heard.code) == (2, None)


def test_close_socket_waits_for_what_is_being_spoken() -> None:
    heard = play(sending({"text": "abc ", "context_id": "c"}, {"close_socket": True}))
    assert [message.get("isFinal") for message in heard.messages] == [None, None, None, True]
    assert heard.code == 1000


def test_a_socket_without_a_key_needs_one_in_its_first_message() -> None:
    settings_ = StreamSettings(several=True, needs_key=True)
    assert play(sending({"text": " ", "context_id": "c"}), settings_).code == 1008
    with_key = {"text": " ", "context_id": "c", "xi_api_key": "k"}
    assert play(sending(with_key), settings_).code is None


def test_faults_leave_out_the_end_or_change_the_name() -> None:
    bodies = {"text": "a", "context_id": "c", "close_context": True}
    assert len(play(sending(bodies), faults=Faults(never_end=True)).messages) == 1
    strange = play(sending(bodies), faults=Faults(wrong_request_id=True)).messages
    assert all(message["contextId"] != "c" for message in strange)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(max_size=8)
        | st.dictionaries(
            st.sampled_from(["text", "context_id", "flush", "close_context", "close_socket"]),
            st.none() | st.booleans() | st.integers() | st.text(max_size=3),
            max_size=4,
        ).map(json.dumps),
        max_size=8,
    )
)
def test_any_messages_are_taken_or_refused(messages: list[str]) -> None:
    async def scene(session: SpeechSocket) -> None:
        for message in messages:
            session.receive_text(message)
        await asyncio.sleep(1)

    assert play(scene).code in (None, 1000, 1008)
