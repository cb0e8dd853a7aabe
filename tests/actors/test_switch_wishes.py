"""Calls that are to be carried in another way: who is told, and until when."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.stream_beats import StreamBeats
from actors.stream_watch import ReplicaPlace, StreamWatch, WatchedCall
from actors.stream_watch_driver import StreamWatchDriver
from actors.switch_wishes import KEPT_S, SwitchWishes
from tests.support.virtual_time import run as run_virtual

HERE, THERE = ReplicaPlace("node-1", 11), ReplicaPlace("node-2", 12)


def call(call_id: str, resume: int = 0) -> WatchedCall:
    return WatchedCall(call_id, f"CA-{call_id}", (resume, 1_000 + resume), {})


def known() -> tuple[StreamWatch, SwitchWishes]:
    watch = StreamWatch()
    watch.beat("a", HERE, [call("1"), call("2")], now=0.0)
    watch.beat("b", THERE, [call("3")], now=0.0)
    return watch, SwitchWishes(watch)


def test_whoever_has_the_call_is_told_until_it_is_on_another_stream() -> None:
    watch, wishes = known()
    assert wishes.ask("1", "relay", now=0.0)
    for now in (0.5, 1.0):
        assert wishes.of_replica("a", now=now) == {"1": "relay"}
        assert wishes.of_replica("b", now=now) == {}
    watch.beat("b", THERE, [call("3"), call("1", resume=1)], now=1.5)
    assert wishes.of_replica("b", now=1.6) == {}
    assert wishes.of_replica("a", now=1.6) == {}


def test_a_call_that_changed_hands_meanwhile_is_told_to_its_new_replica() -> None:
    """The replica was lost, and another one took the call up on the stream that was asked of."""
    watch, wishes = known()
    wishes.ask("1", "relay", now=0.0)
    watch.beat("b", THERE, [call("3"), call("1")], now=0.5)
    assert wishes.of_replica("b", now=0.6) == {"1": "relay"}


def test_the_newest_wish_counts_and_none_counts_for_ever() -> None:
    _, wishes = known()
    wishes.ask("1", "relay", now=0.0)
    wishes.ask("1", "realtime", now=1.0)
    assert wishes.of_replica("a", now=2.0) == {"1": "realtime"}
    assert wishes.of_replica("a", now=1.0 + KEPT_S + 0.1) == {}


def test_of_a_call_that_nobody_has_nobody_is_told() -> None:
    watch, wishes = known()
    assert not wishes.ask("9", "relay", now=0.0)
    wishes.ask("3", "relay", now=0.0)
    watch.goodbye("b")
    assert not wishes.ask("3", "relay", now=1.0)
    assert wishes.of_replica("b", now=1.0) == {}


def test_a_wish_reaches_the_replica_with_its_beats() -> None:
    async def run() -> None:
        async def never(_: object) -> Any:
            raise AssertionError("nobody hangs here")

        driver = StreamWatchDriver(never, never)
        told: list[tuple[str, str]] = []
        plain = {"call_id": "1", "call_sid": "CA1", "epoch": [0, 1], "claims": {}}

        async def send(beat: dict[str, Any]) -> dict[str, Any]:
            return driver.beat(beat)

        def switch(call_id: str, mode: str) -> None:
            told.append((call_id, mode))

        beats = StreamBeats("a", "node", send, lambda: [plain], lambda _: None, on_switch=switch)
        beats.start()
        await asyncio.sleep(1.0)
        assert not driver.switch("2", "relay")
        assert driver.switch("1", "relay")
        assert told == []
        await asyncio.sleep(1.2)
        assert set(told) == {("1", "relay")}
        await beats.aclose()
        await driver.aclose()

    run_virtual(run())
