"""The product as a user deploys it: HAProxy in front, three ingress replicas, two CallActors."""

from __future__ import annotations

import asyncio

import pytest

from cluster import ports
from tests.support.ray_phone import telephones
from tests.support.ray_stage import ACTORS, GREETING, REPLICAS, Stage
from voice.words import normalise

pytestmark = pytest.mark.ray


def test_haproxy_is_what_listens(stage: Stage) -> None:
    listener = ports.listener_on(stage.premises.port)
    assert listener is not None
    assert listener.name == "haproxy"
    report = stage.readiness()
    assert report["ready"]
    assert report["haproxy"] is True
    assert report["warnings"] == []


def test_there_are_three_replicas_and_two_actors(stage: Stage) -> None:
    assert len({stage.readiness()["pid"] for _ in range(30)}) == REPLICAS
    assert len(stage.actor_names()) == ACTORS


def test_calls_are_answered_turn_by_turn_and_recorded(stage: Stage) -> None:
    async def run() -> None:
        async with telephones(stage) as phones:
            calls = [phones.call("card001", "goforward") for _ in range(4)]
            for call in calls:
                result = await call.result()
                assert result.leg.status == "completed"
                assert result.leg.streams == 1
                assert not result.leg.errors.counts
                assert not result.leg.violations.counts
                assert [turn.outcome for turn in result.turns] == ["answered", "answered"]
                await stage.until_recorded(result.leg.call_sid)
                turns = stage.turns(result.leg.call_sid)
                assert [(turn.turn_id, turn.kind, turn.outcome) for turn in turns] == [
                    (0, "greeting", "heard"),
                    (1, "caller", "heard"),
                    (2, "caller", "heard"),
                ]
                assert turns[0].heard_text == GREETING
                assert normalise(turns[1].caller_text) == normalise("Ten of clubs.")
                assert turns[1].heard_text == "That is a very fine card, and I have noted it."

    asyncio.run(run())


def test_webhook_and_socket_at_different_replicas_make_one_call(stage: Stage) -> None:
    """HAProxy sends each of them where it likes; the token carries what the socket must know."""

    async def run() -> None:
        async with telephones(stage) as phones:
            for _ in range(8):
                result = await phones.call().result()
                assert result.leg.streams == 1
                assert result.greeting_s is not None
                if any(
                    c["streams_started"] != c["calls_admitted"] for c in stage.counters().values()
                ):
                    return
        raise AssertionError("every webhook and its socket came to the same replica")

    asyncio.run(run())
