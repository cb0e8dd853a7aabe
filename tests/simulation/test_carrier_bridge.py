"""Two phones connected: each hears what the other says, when it was said."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

import pytest

from simulation.carrier_bridge import Bridge
from simulation.carrier_stream import HangUp, Press
from simulation.carrier_ticker import FRAME_S, Ticker
from simulation.playout_clock import Heard
from tests.support.virtual_time import run


class Counting:
    """Says its name and the number of the frame; does things at some of them."""

    speaking = True

    def __init__(self, name: str, acts: dict[int, Press | HangUp] | None = None) -> None:
        self.name = name
        self.acts = acts or {}
        self.said: list[tuple[float, str]] = []
        self.heard: list[tuple[float, str]] = []
        self.state: list[str] = []

    def stream_opened(self, *, now: float) -> None:
        self.state.append("opened")

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:
        self.state.append("closed")

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:
        raise AssertionError("nothing is queued between two phones")

    def tick(
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        self.heard += [(each.start_s, each.audio.decode()) for each in heard]
        text = f"{self.name}{len(self.said)}"
        act = self.acts.get(len(self.said))
        self.said.append((due_s, text))
        return base64.b64encode(text.encode()).decode(), [act] if act else []


def bridged(near: Counting, far: Counting, join_s: float, part_s: float) -> list[object]:
    log: list[object] = []

    async def scene() -> None:
        bridge = Bridge(
            Ticker(),
            near,
            lambda is_near: log.append(("hung up", is_near)),
            lambda is_near, digit: log.append((is_near, digit)),
        )
        bridge.open()
        bridge.open()
        await asyncio.sleep(join_s)
        bridge.join(far, now=asyncio.get_running_loop().time())
        await asyncio.sleep(part_s)
        bridge.part(now=asyncio.get_running_loop().time())
        bridge.part(now=asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        bridge.close()
        count = len(near.said)
        await asyncio.sleep(0.1)
        assert len(near.said) == count

    run(scene())
    return log


def test_each_hears_the_other_and_before_that_nothing() -> None:
    near, far = Counting("n"), Counting("f")
    bridged(near, far, join_s=0.2, part_s=0.3)
    assert far.state == ["opened", "closed"]
    assert near.state == []
    assert far.heard == near.said[10:25]
    assert len(far.said) == 15
    assert near.heard == far.said
    gaps = [round(b[0] - a[0], 6) for a, b in zip(near.said, near.said[1:], strict=False)]
    assert set(gaps) == {FRAME_S}


def test_keys_are_heard_by_the_other_side() -> None:
    near, far = Counting("n", {12: Press("5")}), Counting("f", {3: Press("#")})
    assert bridged(near, far, join_s=0.2, part_s=0.3) == [(False, "5"), (True, "#")]


@pytest.mark.parametrize("is_near", [True, False])
def test_who_hangs_up_is_told(is_near: bool) -> None:
    acts: dict[int, Press | HangUp] = {3: HangUp()}
    near = Counting("n", {13: HangUp()} if is_near else {})
    far = Counting("f", {} if is_near else acts)
    assert bridged(near, far, join_s=0.2, part_s=0.3) == [("hung up", is_near)]
