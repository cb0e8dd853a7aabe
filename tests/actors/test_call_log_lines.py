"""Whatever breaks under a call, no line of the log holds what its caller said."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.fake_thinker import FakeThinker
from tests.support.scripted_call import Phone, Stage, play
from voice import events as voice

WORDS = "my number is five five five nine"
KEY = "sk-secret"


def quoting(*_: object, **__: object) -> Any:
    raise ValueError(f"cannot read {WORDS!r} with {KEY}")


async def machine_breaks(_stage: Stage, phone: Phone) -> None:
    session = phone.driver._session
    receive = session.receive

    def broken(event: voice.Input, *, now: float) -> None:
        if isinstance(event, voice.FinalHeard):
            quoting()
        receive(event, now=now)

    session.receive = broken  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="five"):
        await phone.say(WORDS)
    phone.driver.broken(ValueError(WORDS))


async def last_turn_breaks(_stage: Stage, phone: Phone) -> None:
    phone.driver._session.close = quoting  # type: ignore[method-assign]
    phone.lose_socket()
    await phone.ended()


async def a_frame_breaks(_stage: Stage, phone: Phone) -> None:
    phone.driver.frame_scored = quoting  # type: ignore[method-assign]
    await phone.ended()


async def the_call_breaks(_stage: Stage, phone: Phone) -> None:
    phone.driver._ended.set_exception(ValueError(WORDS))
    await phone.ended()


async def the_mind_breaks(stage: Stage, phone: Phone) -> None:
    stage.pool.take_turn = quoting  # type: ignore[method-assign]
    await phone.say(WORDS)
    await phone.until_heard("Pardon?")


async def the_voice_breaks(stage: Stage, phone: Phone) -> None:
    stage.speaker.error, stage.speaker.fail_after_chunks = ValueError(WORDS), 0
    await phone.say(WORDS)
    await phone.until_heard("Pardon?")


async def the_model_breaks(stage: Stage, phone: Phone) -> None:
    await phone.say(WORDS)
    await phone.until_heard("Pardon?")


BREAKAGES = (
    machine_breaks,
    last_turn_breaks,
    a_frame_breaks,
    the_call_breaks,
    the_mind_breaks,
    the_voice_breaks,
    the_model_breaks,
)


@pytest.mark.parametrize("breaks", BREAKAGES, ids=lambda breaks: breaks.__name__)
def test_no_line_quotes_the_caller(
    breaks: Callable[[Stage, Phone], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await breaks(stage, phone)

    def staged() -> Stage:
        if breaks is the_model_breaks:
            return Stage({"fake": FakeThinker([ValueError(f"{WORDS} {KEY}")])})
        return Stage()

    caplog.set_level(logging.DEBUG)
    play(scene, staged)
    for record in caplog.records:
        # As any formatter would show it, also one that is not ours.
        shown = logging.Formatter().format(record)
        assert "five" not in shown, shown
        assert KEY not in shown, shown
    if breaks is not machine_breaks:
        assert "ValueError" in caplog.text, "and where it broke is told"
