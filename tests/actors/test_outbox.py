"""One socket's queue, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from actors.outbox import MAX_WAITING, SEND_TIMEOUT_S, Outbox, Sender
from tests.support.virtual_time import run


class Peer:
    def __init__(self, *, at_once: bool = False) -> None:
        self.got: list[str] = []
        self.lost: list[str] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.error: Exception | None = None
        send = Sender(self.send, self._now) if at_once else self.send
        self.outbox = Outbox(send, self.lost.append)

    def _now(self, text: str) -> bool:
        if self.reading.is_set():
            self.got.append(f"{text}!")
        return self.reading.is_set()

    async def send(self, text: str) -> None:
        await self.reading.wait()
        if self.error is not None:
            raise self.error
        self.got.append(text)


def play(scene: Callable[[Peer], Awaitable[None]], *, at_once: bool = False) -> None:
    async def whole() -> None:
        before = asyncio.all_tasks()
        peer = Peer(at_once=at_once)
        await scene(peer)
        await peer.outbox.close()
        assert not asyncio.all_tasks() - before

    run(whole())


def test_sends_in_order_and_drains_at_the_end() -> None:
    async def scene(peer: Peer) -> None:
        for number in range(5):
            peer.outbox.put(str(number))
        await peer.outbox.close()
        assert peer.got == ["0", "1", "2", "3", "4"]
        peer.outbox.put("late")
        await peer.outbox.close()
        assert "late" not in peer.got

    play(scene)


def test_who_wants_to_know_is_told_when_a_message_was_sent_and_never_before() -> None:
    async def scene(peer: Peer) -> None:
        told: list[str] = []
        peer.reading.clear()
        peer.outbox.put("audio", lambda: told.append("audio"))
        await asyncio.sleep(0.1)
        assert told == []
        peer.reading.set()
        await asyncio.sleep(0.1)
        assert (peer.got, told) == (["audio"], ["audio"])
        peer.error = ConnectionError()
        peer.outbox.put("lost", lambda: told.append("lost"))
        await asyncio.sleep(0.1)
        assert told == ["audio"]

    play(scene)


def test_who_wants_to_know_waits_for_no_task_where_a_message_goes_at_once() -> None:
    async def scene(peer: Peer) -> None:
        told: list[str] = []
        await asyncio.sleep(0.1)
        peer.outbox.put("first frame", lambda: told.append("first frame"))
        assert (peer.got, told) == (["first frame!"], ["first frame"])
        peer.reading.clear()
        peer.outbox.put("waits", lambda: told.append("waits"))
        assert told == ["first frame"]
        peer.reading.set()
        await asyncio.sleep(0.1)
        assert (peer.got[1:], told[1:]) == (["waits"], ["waits"])

    play(scene, at_once=True)


def test_what_waits_can_be_dropped_before_a_clear() -> None:
    async def scene(peer: Peer) -> None:
        peer.reading.clear()
        peer.outbox.put("audio 1")
        await asyncio.sleep(0.1)
        peer.outbox.put("audio 2")
        peer.outbox.drop_waiting()
        peer.outbox.put("clear")
        peer.reading.set()
        await asyncio.sleep(0.1)
        assert peer.got == ["audio 1", "clear"]

    play(scene)


def test_a_peer_that_does_not_read_is_lost_after_five_seconds() -> None:
    async def scene(peer: Peer) -> None:
        peer.reading.clear()
        peer.outbox.put("audio")
        await asyncio.sleep(SEND_TIMEOUT_S - 0.1)
        assert peer.lost == []
        await asyncio.sleep(0.2)
        assert peer.lost == ["the carrier did not read for 5 s"]
        peer.outbox.put("more")
        await asyncio.sleep(60)
        assert len(peer.lost) == 1

    play(scene)


def test_a_queue_that_only_grows_is_lost_at_its_limit() -> None:
    async def scene(peer: Peer) -> None:
        peer.reading.clear()
        for number in range(MAX_WAITING + 2):
            peer.outbox.put(str(number))
        assert peer.lost == ["the carrier reads too slowly"]

    play(scene)


@pytest.mark.parametrize("error", [OSError(), RuntimeError(), ValueError("a server's own")])
def test_whatever_the_socket_raises_loses_the_peer_once(error: Exception) -> None:
    async def scene(peer: Peer) -> None:
        peer.error = error
        peer.outbox.put("audio")
        peer.outbox.put("audio")
        await asyncio.sleep(0.1)
        assert peer.lost == [f"the socket is gone: {type(error).__name__}"]

    play(scene)


def test_closing_does_not_wait_for_a_peer_that_does_not_read() -> None:
    async def scene(peer: Peer) -> None:
        peer.reading.clear()
        peer.outbox.put("audio")
        began = asyncio.get_running_loop().time()
        await peer.outbox.close()
        assert asyncio.get_running_loop().time() - began <= 1.0
        assert peer.lost == []

    play(scene)


def test_what_can_be_sent_at_once_is_and_nothing_overtakes_what_waits() -> None:
    async def scene(peer: Peer) -> None:
        peer.outbox.put("1")
        assert peer.got == ["1!"]
        peer.reading.clear()
        peer.outbox.put("2")
        await asyncio.sleep(0.1)  # it is under way now, and nothing waits behind it
        peer.reading.set()
        peer.outbox.put("3")
        assert peer.got == ["1!"]
        await asyncio.sleep(0.1)
        peer.outbox.put("4")
        assert peer.got == ["1!", "2", "3", "4!"]

    play(scene, at_once=True)
