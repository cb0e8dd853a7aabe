"""The room of a machine, with the system's own sockets and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from actors import node_room
from actors.node_board_link import Pipe
from actors.node_room import MOST_BYTES, NodeRoom

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="abstract sockets are Linux'"),
]

LISTENER = """
import asyncio, sys
from actors.node_room import NodeRoom
async def main():
    room = NodeRoom(lambda: sys.argv[1])
    assert await room.enter(lambda pipe: pipe.send({"n": 1})) is not None
    print("in", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def a_room() -> NodeRoom:
    name = uuid.uuid4().hex
    return NodeRoom(lambda: name)


def test_one_is_in_and_the_others_join() -> None:
    async def scene() -> None:
        room = a_room()
        joined: list[Pipe] = []
        assert await room.join() is None
        leave = await room.enter(joined.append)
        assert leave is not None
        assert await room.enter(joined.append) is None
        pipe = await room.join()
        assert pipe is not None
        pipe.send({"said": "到 é"})
        while not joined:
            await asyncio.sleep(0)
        assert await joined[0].receive() == {"said": "到 é"}
        joined[0].send({"n": 2})
        joined[0].close()
        assert await pipe.receive() == {"n": 2}
        assert await pipe.receive() is None
        leave()
        again = await room.enter(joined.append)
        assert again is not None
        again()

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_a_process_of_no_node_meets_nobody() -> None:
    async def scene() -> None:
        room = NodeRoom(lambda: "")
        assert await room.enter(lambda _pipe: None) is None
        assert await room.join() is None

    asyncio.run(scene())


def test_the_room_is_free_the_moment_that_its_listener_is_killed() -> None:
    async def scene() -> None:
        name = uuid.uuid4().hex
        listener = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LISTENER, name, stdout=asyncio.subprocess.PIPE
        )
        assert listener.stdout is not None
        assert await listener.stdout.readline() == b"in\n"
        room = NodeRoom(lambda: name)
        pipe = await room.join()
        assert pipe is not None
        assert await pipe.receive() == {"n": 1}
        assert await room.enter(lambda _pipe: None) is None
        os.kill(listener.pid, signal.SIGKILL)
        assert await pipe.receive() is None
        await listener.wait()  # its sockets are closed one after another, in whatever order
        leave = await room.enter(lambda _pipe: None)
        assert leave is not None
        leave()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_who_does_not_read_is_cut_off_and_nobody_waits_for_it() -> None:
    async def scene() -> None:
        room = a_room()
        joined: list[Pipe] = []
        leave = await room.enter(joined.append)
        assert leave is not None
        deaf = await room.join()
        assert deaf is not None
        while not joined:
            await asyncio.sleep(0)
        text = "x" * (MOST_BYTES // 4)
        for _ in range(20):
            joined[0].send({"text": text})
        assert await joined[0].receive() is None
        leave()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_processes_of_other_users_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        room = a_room()
        joined: list[Mapping[str, Any]] = []
        leave = await room.enter(joined.append)  # type: ignore[arg-type]
        assert leave is not None
        monkeypatch.setattr(node_room, "is_ours", lambda _socket: False)
        assert await room.join() is None
        await asyncio.sleep(0)
        assert joined == []
        leave()

    asyncio.run(asyncio.wait_for(scene(), 10))
