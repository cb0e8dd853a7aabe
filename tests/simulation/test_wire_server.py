"""One connection of an emulator, without a socket."""

from __future__ import annotations

import asyncio

from simulation.control import Control
from simulation.faults import FaultBoard
from simulation.openai_chat import OpenAIChat, OpenAIConfig
from simulation.wire_server import Connection


class Line(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_gone = False

    def is_closing(self) -> bool:
        return self.is_gone

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.is_gone = True


def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    """Or asyncio says of each piece of an answer that it could not be sent."""
    board = FaultBoard()
    line = Line()
    connection = Connection(OpenAIChat(OpenAIConfig(), board), Control(board), set())
    connection.connection_made(line)
    connection.data_received(b"no HTTP\r\n\r\n")
    assert line.written
    assert line.written[0].startswith(b"HTTP/1.1 400")
    other = Line()
    connection = Connection(OpenAIChat(OpenAIConfig(), board), Control(board), set())
    connection.connection_made(other)
    other.is_gone = True
    connection.data_received(b"no HTTP\r\n\r\n")
    assert other.written == []
