"""A node with a wrong clock: its tokens are good up to their life, and it is said whose clock."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import cast

import pytest

from actors.metrics_counts import EventCounts
from actors.wire import Grants
from cluster.call_places import SKEW_S, STREAM_TOKEN_LIFE_US, CallPlaces
from cluster.call_services import CallServices
from cluster.edge_parts import EdgeParts
from cluster.resume_routes import ResumeWebhook
from dialogue.agent import Agent
from telemetry.ledger import MetricsLedger
from telephony.errors import TokenExpired
from telephony.stream_token import StreamClaims
from tests.support.local_mind_pool import LocalMindPool

SECRET = b"the secret of this test"
AGENT = Agent("default", "ann", "v1", "en-US", "You are Ann.", "Hello!", "voice")
NOW_US = 1_760_000_000_000_000


async def _nothing_planned(_call_sid: str) -> bool:
    return False


def a_node(ahead_s: float) -> CallPlaces:
    pool = LocalMindPool({}, {}, names=())
    pool.stock.granted(Grants({"a": 9}, ("a",), active_calls=0, capacity=9))
    parts = EdgeParts(
        agents={},
        call_parts={},
        pool=pool,
        wall_clock_us=lambda: NOW_US + round(ahead_s * 1e6),
        counts=EventCounts(MetricsLedger("door", 1)),
        cluster_view=lambda: None,
        planned_end=_nothing_planned,
    )
    return CallPlaces(parts, SECRET)


def a_token_of(node: CallPlaces) -> str:
    async def scene() -> str:
        return node.place("CA1", AGENT, "0" * 32).stream_token

    return asyncio.run(scene())


@pytest.mark.parametrize(
    ("ahead_s", "is_said"),
    [(0.0, False), (SKEW_S, False), (SKEW_S + 0.1, True), (50.0, True), (-50.0, False)],
)
def test_a_token_of_the_future_is_taken_and_said_once(
    ahead_s: float, is_said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = a_node(0.0), a_node(ahead_s)
    token = a_token_of(there)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            assert here.read(token, "stream").call_sid == "CA1"
    said = [line for line in caplog.messages if "clock" in line]
    assert len(said) == is_said
    assert here._parts.counts.by_name["tokens_from_the_future"] == 5 * is_said


def test_a_node_that_is_a_tokens_life_behind_is_refused_and_the_reason_says_how_late() -> None:
    behind_s = STREAM_TOKEN_LIFE_US / 1e6 + 5
    token = a_token_of(a_node(-behind_s))
    with pytest.raises(TokenExpired, match=r"expired 5\.0"):
        a_node(0.0).read(token, "stream")


@pytest.mark.parametrize("ahead_s", [-86_400.0, -3_600.0, 3_600.0, 86_400.0])
def test_a_call_that_goes_on_is_not_hung_up_on_because_a_clock_is_wrong(
    ahead_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    token = an_action_token_of(a_node(ahead_s))
    with caplog.at_level(logging.WARNING):
        assert resumed_at(a_node(0.0), token) is not None
    # An hour behind is within the life of the token.
    assert sum("clock of this node" in line for line in caplog.messages) == (ahead_s != -3_600.0)


def test_an_action_that_is_replayed_days_later_is_refused() -> None:
    token = an_action_token_of(a_node(-2 * 86_400.0))
    assert resumed_at(a_node(0.0), token) is None


def test_a_clock_is_no_excuse_for_the_token_of_a_socket() -> None:
    with pytest.raises(TokenExpired):
        a_node(0.0).read(an_action_token_of(a_node(-86_400.0)), "action")


def an_action_token_of(node: CallPlaces) -> str:
    async def scene() -> str:
        return node.place("CA1", AGENT, "0" * 32).action_token

    return asyncio.run(scene())


def resumed_at(node: CallPlaces, token: str) -> StreamClaims | None:
    """Whose call it is, as the ``action`` webhook reads it."""
    services = SimpleNamespace(edge=SimpleNamespace(places=node))
    return ResumeWebhook(cast(CallServices, services)).claims_of({"CallSid": "CA1"}, token)
