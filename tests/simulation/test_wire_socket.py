from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Close, Opcode
from websockets.uri import parse_uri

from simulation.wire_socket import Socket, serialize


class Noted:
    """A session that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []

    def receive_text(self, message: str) -> None:
        self.heard.append(message)

    def receive_binary(self, message: bytes) -> None:
        self.heard.append(message)

    def closed(self) -> None:
        self.heard.append("closed")


def connected() -> tuple[ClientProtocol, Socket, Noted, list[bytes]]:
    """A client and a socket that shook hands, and what the socket writes from there on."""
    client = ClientProtocol(parse_uri("ws://host/path"))
    client.send_request(client.connect())
    written: list[bytes] = []
    socket = Socket(written.append, lambda: written.append(b"FIN"))
    session = Noted()
    socket.session = session
    assert socket.accept(b"".join(client.data_to_send()))
    client.receive_data(b"".join(written))
    client.events_received()
    written.clear()
    return client, socket, session, written


def test_messages_and_their_fragments_arrive_whole() -> None:
    client, socket, session, _ = connected()
    client.send_text(b"one")
    client.send_binary(b"tw", fin=False)
    client.send_ping(b"between")
    client.send_continuation(b"o", fin=True)
    data = b"".join(client.data_to_send())
    for at in range(0, len(data), 3):
        socket.receive_data(data[at : at + 3])
    assert session.heard == ["one", b"two"]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_every_length_are_read_by_the_library(size: int) -> None:
    client, _, _, _ = connected()
    client.receive_data(serialize(Opcode.BINARY, b"x" * size))
    (frame,) = client.events_received()
    assert bytes(frame.data) == b"x" * size


def test_closing_shakes_hands_and_ends_the_connection() -> None:
    client, socket, _, written = connected()
    socket.close(1008, "why")
    client.receive_data(b"".join(written))
    (frame,) = client.events_received()
    assert Close.parse(bytes(frame.data)) == Close(1008, "why")
    socket.receive_data(b"".join(client.data_to_send()))
    assert written[-1] == b"FIN"
    written.clear()
    socket.send_text("too late")
    assert written == []


def test_a_lost_connection_tells_the_session_once() -> None:
    _, socket, session, _ = connected()
    socket.lost()
    socket.lost()
    assert session.heard == ["closed"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("tbp"), st.binary(max_size=300)), max_size=8),
    st.integers(1, 700),
)
def test_any_mix_of_frames_in_any_pieces_arrives_in_order(
    frames: list[tuple[str, bytes]], step: int
) -> None:
    client, socket, session, _ = connected()
    for kind, data in frames:
        if kind == "t":
            client.send_text(data)
        elif kind == "b":
            client.send_binary(data)
        else:
            client.send_ping(data[:125])
    stream = b"".join(client.data_to_send())
    for at in range(0, len(stream), step):
        socket.receive_data(stream[at : at + step])
    expected = [d.decode("utf-8", "replace") if k == "t" else d for k, d in frames if k != "p"]
    assert session.heard == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_frames_or_a_closing(chunks: list[bytes]) -> None:
    _, socket, _, _ = connected()
    for chunk in chunks:
        socket.receive_data(chunk)


def test_a_message_that_is_too_long_is_refused_before_it_is_read() -> None:
    client, socket, _, written = connected()
    socket.receive_data(b"\x82\xff" + (5_000_000).to_bytes(8, "big") + b"mask")
    client.receive_data(b"".join(data for data in written if data != b"FIN"))
    (frame,) = client.events_received()
    assert Close.parse(bytes(frame.data)).code == 1009


def test_an_unmasked_frame_is_a_protocol_error() -> None:
    client, socket, session, written = connected()
    socket.receive_data(serialize(Opcode.TEXT, b"bare"))
    client.receive_data(b"".join(data for data in written if data != b"FIN"))
    (frame,) = client.events_received()
    assert Close.parse(bytes(frame.data)).code == 1002
    assert session.heard == []
