"""Questions that block keep nobody waiting, and nothing else from being done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from actors import named_watch
from actors.gcs_questions import ask_gcs
from actors.placement import DIRECTORY_NAME

NOT_LONG_S = 0.05


class Gcs:
    """One that is held; ``goes_on`` lets it answer."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        assert self.goes_on.wait(30.0)
        return "known"


def test_a_question_is_waited_for_as_long_as_said_and_asked_once_at_a_time() -> None:
    async def scene() -> None:
        gcs = Gcs()
        for _ in range(40):  # more than the loop has threads
            with pytest.raises(TimeoutError):
                await ask_gcs("of a test", gcs.ask, 0.001)
        assert gcs.asked == 1
        assert await asyncio.to_thread(lambda: "at once") == "at once"
        waiting = asyncio.create_task(ask_gcs("of a test", gcs.ask, 30.0))
        await asyncio.sleep(0)
        gcs.goes_on.set()
        assert await waiting == "known"
        assert await ask_gcs("of a test", gcs.ask, 30.0) == "known"
        assert gcs.asked == 2

    asyncio.run(scene())


def test_what_it_raises_reaches_who_asked() -> None:
    def refuse() -> str:
        raise ValueError("no such actor")

    async def scene() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="no such actor"):
                await ask_gcs("of a test", refuse)

    asyncio.run(scene())


def test_an_answer_that_comes_after_its_loop_has_gone_harms_nobody() -> None:
    gcs = Gcs()

    async def scene() -> None:
        with pytest.raises(TimeoutError):
            await ask_gcs("of a test", gcs.ask, 0.001)

    asyncio.run(scene())  # and does not wait for the thread
    gcs.goes_on.set()
    assert asyncio.run(ask_gcs("of another", lambda: 1)) == 1


def test_a_gcs_that_does_not_answer_is_no_silence_of_an_actor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gcs = Gcs()
    held: Callable[..., str] = lambda *_: gcs.ask()  # noqa: E731 - stands for Ray's question
    monkeypatch.setattr("ray.get_actor", held)
    monkeypatch.setattr(named_watch, "FIND_WITHIN_S", NOT_LONG_S)
    assert asyncio.run(named_watch.ask_actor(DIRECTORY_NAME)) == "absent"
    gcs.goes_on.set()
