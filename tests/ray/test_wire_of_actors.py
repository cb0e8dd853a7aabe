"""A CallActor answers messages of a newer release, whose fields it does not know."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from actors.wire import CallOpened, CallState, CloseCall, OpenCall, TakeTurn, TurnItem
from tests.support.ray_stage import GREETING, Stage

pytestmark = pytest.mark.ray

CALL = ("default", "call-of-a-newer-release")


def newer(plain: dict[str, Any]) -> dict[str, Any]:
    return {**plain, "v": 2, "mood": "cheerful", "weights": [1, {"nested": None}]}


def test_unknown_fields_are_ignored_all_through_a_call(stage: Stage) -> None:
    epoch = (0, time.time_ns() // 1_000)

    async def run() -> None:
        actor = stage.actor(stage.actor_names()[0])
        tenant, call = CALL
        opening = OpenCall(tenant, "reception", "next", call, "CA" + "9" * 32, epoch)
        opened = CallOpened.from_plain(await actor.open_call.remote(newer(opening.to_plain())))
        assert (opened.refusal, opened.greeting) == ("", GREETING)
        question = TakeTurn(tenant, call, epoch, 1, 1, "caller", "Ten of clubs.")
        stream = actor.take_turn.options(num_returns="streaming")
        items = [
            TurnItem.from_plain(await reference)
            async for reference in stream.remote(newer(question.to_plain()))
        ]
        assert [items[0].type, items[-1].type] == ["accepted", "finished"]
        said = " ".join(item.text for item in items if item.type == "segment")
        assert said == "That is a very fine card, and I have noted it."
        closing = CloseCall(tenant, call, epoch, True, reason="caller_hung_up")
        await actor.close_call.remote(newer(closing.to_plain()))
        state = CallState.from_plain(await actor.call_state.remote(call))
        assert state.planned_end

    asyncio.run(run())
