"""Bodies that never end hold nobody up."""

from __future__ import annotations

import asyncio

import pytest

from cluster.request_body import BodyCutOff, BodyReader, BodyRefused, Message, Receive
from tests.support.virtual_time import run


class Sender:
    """Sends the pieces of a body, ``every_s`` one, and then says nothing more."""

    def __init__(self, *pieces: bytes, every_s: float = 0.0, is_whole: bool = False) -> None:
        self._pieces = list(pieces)
        self._every_s = every_s
        self._is_whole = is_whole

    async def __call__(self) -> Message:
        await asyncio.sleep(self._every_s)
        if not self._pieces:
            await asyncio.Event().wait()
        piece = self._pieces.pop(0)
        more = bool(self._pieces) or not self._is_whole
        return {"type": "http.request", "body": piece, "more_body": more}


async def outcome(reader: BodyReader, receive: Receive) -> str:
    try:
        return (await reader.read(receive)).decode()
    except BodyRefused as error:
        return f"{error.status} at {asyncio.get_running_loop().time() - 1_000:g}"


def test_a_body_in_time_is_read_whole() -> None:
    reader = BodyReader(100, within_s=3)
    assert run(outcome(reader, Sender(b"ab", b"c", every_s=1.0, is_whole=True))) == "abc"


@pytest.mark.parametrize(
    "sender", [Sender(), Sender(b"a"), Sender(*[b"a"] * 50, every_s=0.5, is_whole=True)]
)
def test_a_body_that_does_not_end_in_time_is_given_up(sender: Sender) -> None:
    # However often a piece comes: all of it has the time, not each.
    assert run(outcome(BodyReader(100, within_s=3), sender)) == "408 at 3"


def test_whoever_begins_too_many_bodies_loses_the_oldest_and_holds_nobody_up() -> None:
    async def scene() -> list[str]:
        reader = BodyReader(100, within_s=3, at_once=4)
        found = []
        for _ in range(9):
            found.append(asyncio.create_task(outcome(reader, Sender(b"a"))))
            await asyncio.sleep(0.1)
        found.append(asyncio.create_task(outcome(reader, Sender(b"good", is_whole=True))))
        return [await task for task in found]

    *slow, good = run(scene())
    assert good == "good"
    # One goes for each that comes after the fourth, and for the good one; the rest have their time.
    assert slow[:6] == [f"408 at {0.4 + 0.1 * n:g}" for n in range(6)]
    assert slow[6:] == ["408 at 3.6", "408 at 3.7", "408 at 3.8"]


def test_bodies_that_are_given_up_just_now_are_in_nobodys_way() -> None:
    async def scene() -> list[str]:
        reader = BodyReader(100, within_s=3, at_once=2)
        slow = [asyncio.create_task(outcome(reader, Sender(b"a"))) for _ in range(2)]
        late = []
        # In the very round of the loop in which their time is up.
        asyncio.get_running_loop().call_at(
            1_003.0,
            lambda: late.append(
                asyncio.create_task(outcome(reader, Sender(b"good", is_whole=True)))
            ),
        )
        found = [await task for task in slow]
        return [*found, await late[0]]

    assert run(scene()) == ["408 at 3", "408 at 3", "good"]


def test_a_sender_who_has_gone_is_told_nothing() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(BodyCutOff):
        run(BodyReader(100).read(receive))


def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    assert run(outcome(BodyReader(3), Sender(b"ab", b"cd", every_s=0.5))) == "413 at 1"


def test_a_refusal_survives_pickling() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(BodyRefused("too slow", 408)))
    assert (str(error), error.status) == ("too slow", 408)
