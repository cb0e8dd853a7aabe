"""The webhooks around a call that is handed over: right, repeated, late, forged; no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from actors.metrics_counts import EventCounts
from actors.wire import CloseCall, OpenCall, TurnEntry
from cluster.call_recall import RecalledCall
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.edge_parts import EdgeParts
from cluster.resume_routes import LOST, MAX_HAND_OVERS
from cluster.settings import Settings
from cluster.webhooks import build_app
from dialogue.agent import Agent
from dialogue.tools import Tool
from records.rows import CallRow
from telemetry.ledger import MetricsLedger
from telephony.stream_token import StreamClaims
from tests.support.local_mind_pool import LocalMindPool
from tests.support.virtual_time import run

AGENT = Agent(
    "default",
    "ann",
    "v1",
    "en-US",
    "You are Ann.",
    "Hello!",
    "voice",
    tools=(Tool("transfer", "sales", "To buy.", to="+14155550123"),),
)
DIAL = {"verb": "dial", "tool": "sales", "to": "+14155550123", "timeout_s": 25, "caller_id": ""}
KEYS = {"verb": "digits", "tool": "press", "digits": "12#"}
OURS = "+14155550199"


class Desk:
    """An edge, the CallActors, and one call whose stream has ended with ``action``."""

    def __init__(self, action: dict[str, Any], **parts: Any) -> None:
        self.pool = LocalMindPool({"ann": AGENT}, {}, names=("a", "b"))
        self.now_us = 1_760_000_000_000_000
        self.action = action
        self.edge = self._edge(**parts)
        self.app = build_app(self.edge, CallServices(self.edge))

    def _edge(self, **parts: Any) -> Edge:
        async def planned_end(_call_sid: str) -> bool:
            return False

        plain: dict[str, Any] = {
            "mode": "development",
            "default_agent": "ann",
            "token_secret": "the secret of this test",
        }
        edge = Edge(
            Settings(**{"_env_file": None, **plain}),
            EdgeParts(
                agents={(AGENT.tenant_id, "ann"): AGENT},
                call_parts={},
                pool=self.pool,
                wall_clock_us=self.tick,
                counts=EventCounts(MetricsLedger("door", 1)),
                cluster_view=lambda: None,
                **{"planned_end": planned_end, **parts},
            ),
        )
        edge.not_ready.clear()
        return edge

    def tick(self) -> int:
        self.now_us += 1
        return self.now_us

    async def begin(self) -> None:
        """The call was open, and its stream has ended with the action."""
        placement = self.edge.places.place("CA1", AGENT, "call-1")
        self.claims = self.edge.places.read(placement.action_token, "action")
        self.token = placement.action_token
        who = ("default", "ann", "v1", "call-1", "CA1")
        await self.pool.open_call(self.claims.actor, OpenCall(*who, epoch=self.claims.epoch))
        end = CloseCall("default", "call-1", self.claims.epoch, True, "over")
        if self.action:
            await self.pool.close_call(self.claims.actor, replace(end, hand_over=self.action))

    async def post(self, path: str, token: str, **fields: str) -> httpx.Response:
        form = {"CallSid": "CA1", "CallStatus": "in-progress", "To": OURS, **fields}
        way = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=way, base_url="http://edge") as client:
            return await client.post(f"/twilio/{path}?s={token}", data=form)

    async def resume(self, **fields: str) -> str:
        return (await self.post("resume", self.token, **fields)).text

    async def dial_token(self) -> str:
        """The state of the ``action`` URL of the ``<Dial>``."""
        dial = ElementTree.fromstring(await self.resume()).find("Dial")
        assert dial is not None
        return dial.attrib["action"].partition("?s=")[2]

    async def dialled(self, token: str, status: str = "busy", **fields: str) -> str:
        return (await self.post("dial", token, DialCallStatus=status, **fields)).text

    def stream(self, document: str) -> StreamClaims:
        """What the token of the new stream says."""
        (found,) = [
            element.attrib["value"]
            for element in ElementTree.fromstring(document).iter("Parameter")
            if element.attrib["name"] == "token"
        ]
        return self.edge.places.read(found, "stream")

    @property
    def ends(self) -> list[tuple[str, bool, str]]:
        return [end for home in self.pool.homes.values() for end in home.recorder.closed]


def with_desk(
    scene: Callable[[Desk], Awaitable[None]], action: dict[str, Any] = DIAL, **parts: Any
) -> None:
    async def play() -> None:
        desk = Desk(action, **parts)
        await desk.begin()
        await scene(desk)
        await desk.pool.aclose()

    run(play())


HANG_UP = "<Hangup"
STREAM = "<Stream"


# --- what the carrier is told ---------------------------------------------------------------------


def test_a_transfer_rings_who_stands_in_the_file() -> None:
    async def scene(desk: Desk) -> None:
        root = ElementTree.fromstring(await desk.resume())
        (dial,) = root
        assert (dial.tag, dial.attrib["timeout"], dial.attrib["callerId"]) == ("Dial", "25", OURS)
        assert [noun.text for noun in dial] == ["+14155550123"]
        assert desk.edge.parts.counters["calls_handed_over_dial"] == 1

    with_desk(scene)


@pytest.mark.parametrize(
    ("action", "form", "shown"),
    [
        ({"caller_id": "+14155550111"}, {}, "+14155550111"),
        ({}, {"Direction": "outbound-api", "From": OURS, "To": "+14155550100"}, OURS),
        ({}, {"To": "sip:front@desk.example"}, None),  # nothing that a telephone could show
    ],
)
def test_which_number_the_person_sees(
    action: dict[str, Any], form: dict[str, str], shown: str | None
) -> None:
    async def scene(desk: Desk) -> None:
        dial = ElementTree.fromstring(await desk.resume(**form)).find("Dial")
        assert dial is not None
        assert dial.attrib.get("callerId") == shown

    with_desk(scene, {**DIAL, **action})


def test_keys_are_pressed_before_the_new_stream() -> None:
    async def scene(desk: Desk) -> None:
        document = await desk.resume()
        root = ElementTree.fromstring(document)
        assert [element.tag for element in root] == ["Play", "Connect"]
        assert root[0].attrib == {"digits": "12#"}
        claims = desk.stream(document)
        assert (claims.resume, claims.hand_overs, claims.after) == (1, 1, "digits:press")
        assert claims.actor == desk.claims.actor

    with_desk(scene, KEYS)


@pytest.mark.parametrize(
    ("status", "call_status", "told", "end", "counted"),
    [
        ("completed", "in-progress", HANG_UP, "transferred", "transfers_answered"),
        ("answered", "in-progress", HANG_UP, "transferred", "transfers_answered"),
        ("completed", "completed", "<Response", "transferred", "transfers_answered"),
        ("no-answer", "completed", "<Response", "caller_hung_up", "transfers_left"),
        ("canceled", "completed", "<Response", "caller_hung_up", "transfers_left"),
        ("busy", "in-progress", STREAM, "", "transfers_unanswered"),
        ("no-answer", "in-progress", STREAM, "", "transfers_unanswered"),
        ("canceled", "in-progress", STREAM, "", "transfers_unanswered"),
        # A number that the account may not call, or that does not exist.
        ("failed", "in-progress", STREAM, "", "transfers_unanswered"),
        ("of-a-later-year", "in-progress", STREAM, "", "transfers_unanswered"),
    ],
)
def test_what_becomes_of_a_transfer(
    status: str, call_status: str, told: str, end: str, counted: str
) -> None:
    async def scene(desk: Desk) -> None:
        document = await desk.dialled(await desk.dial_token(), status, CallStatus=call_status)
        assert told in document
        assert desk.ends == ([("call-1", True, end)] if end else [])
        assert desk.edge.parts.counters[counted] == 1
        if told == STREAM:
            claims = desk.stream(document)
            assert (claims.resume, claims.hand_overs) == (1, 1)
            assert claims.after == f"dial:sales:{status}"

    with_desk(scene)


def test_what_cannot_be_dialled_comes_back_as_failed() -> None:
    """An action that another version wrote, with a number that this one does not take."""

    async def scene(desk: Desk) -> None:
        claims = desk.stream(await desk.resume())
        assert claims.after == "dial:sales:failed"

    with_desk(scene, {**DIAL, "to": "112"})


def test_keys_that_are_none_are_left_out() -> None:
    async def scene(desk: Desk) -> None:
        document = await desk.resume()
        assert "<Play" not in document
        assert desk.stream(document).after == "digits:press"

    with_desk(scene, {**KEYS, "digits": "call me"})


# --- again, late, too often -----------------------------------------------------------------------


def test_asking_twice_tells_the_same() -> None:
    async def scene(desk: Desk) -> None:
        first, second = await desk.resume(), await desk.resume()
        for document in (first, second):
            assert document.count("<Dial") == 1
            assert STREAM not in document

    with_desk(scene)


def test_of_two_answers_to_a_repeated_result_the_newest_stream_has_the_call() -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        older = desk.stream(await desk.dialled(token))
        newer = desk.stream(await desk.dialled(token))
        assert newer.epoch > older.epoch
        assert newer.token_id != older.token_id
        assert (newer.resume, newer.hand_overs) == (older.resume, older.hand_overs) == (1, 1)

    with_desk(scene)


@pytest.mark.parametrize("late", ["busy", "completed"])
def test_a_result_that_comes_after_the_end_changes_nothing(late: str) -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        await desk.dialled(token, "completed")
        assert HANG_UP in await desk.dialled(token, late)
        assert desk.ends == [("call-1", True, "transferred")]

    with_desk(scene)


def test_a_caller_who_is_gone_is_told_nothing() -> None:
    async def scene(desk: Desk) -> None:
        await desk.dialled(await desk.dial_token(), "completed")
        assert not list(ElementTree.fromstring(await desk.resume(CallStatus="completed")))
        assert desk.ends == [("call-1", True, "transferred")]

    with_desk(scene)


def test_handing_over_without_end_ends() -> None:
    async def scene(desk: Desk) -> None:
        claims = replace(desk.claims, hand_overs=MAX_HAND_OVERS)
        token = desk.edge.places.action_token(claims, "dial:sales")
        document = await desk.dialled(token)
        assert HANG_UP in document
        assert STREAM not in document
        assert desk.ends == [("call-1", True, "transfers_exhausted")]

    with_desk(scene)


# --- strangers ------------------------------------------------------------------------------------


def test_a_state_that_is_not_ours_opens_nothing() -> None:
    async def scene(desk: Desk) -> None:
        dial = await desk.dial_token()
        stream = desk.edge.places.place("CA1", AGENT, "call-1").stream_token
        for token in ("", "x.y", dial[:-2] + "AA", stream):
            for path in ("resume", "dial"):
                answer = await desk.post(path, token, DialCallStatus="busy")
                assert HANG_UP in answer.text
                assert STREAM not in answer.text
        assert desk.ends == []

    with_desk(scene)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"CallSid": "CA2"}, "made for another call"),
        ({"DialCallStatus": ""}, "DialCallStatus is missing"),
        ({"DialCallStatus": "<busy>"}, "DialCallStatus is one lower-case word"),
        ({"CallStatus": ""}, "CallStatus is missing"),
    ],
)
def test_forms_that_make_no_sense_are_refused(fields: dict[str, str], why: str) -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        answer = await desk.post("dial", token, **{"DialCallStatus": "busy", **fields})
        assert answer.status_code == 400
        assert why in answer.json()["error"]
        assert STREAM in await desk.dialled(token), "the call is none the worse"

    with_desk(scene)


def test_the_state_of_a_stream_is_not_that_of_a_transfer() -> None:
    async def scene(desk: Desk) -> None:
        answer = await desk.post("dial", desk.token, DialCallStatus="completed")
        assert answer.status_code == 400
        assert "not of a transfer" in answer.json()["error"]
        assert desk.ends == []

    with_desk(scene)


# --- when somebody has died -----------------------------------------------------------------------


def test_a_call_whose_actor_died_while_it_rang_comes_back_to_another() -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        desk.pool.kill(desk.claims.actor)
        claims = desk.stream(await desk.dialled(token))
        assert claims.actor != desk.claims.actor
        assert claims.after == "dial:sales:busy"

    with_desk(scene)


TURNS = (
    TurnEntry(0, "greeting", "", "Hello!", "Hello!"),
    TurnEntry(1, "caller", "Sales", "", "Yes"),
)


async def recalled(_tenant_id: str, _call_id: str) -> RecalledCall:
    row = CallRow("default", "ann", "v1", "call-1", "CA1", caller="+14155550100", started_at_us=5)
    return RecalledCall(row, TURNS)


def test_the_other_actor_knows_what_was_said() -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        desk.pool.kill(desk.claims.actor)
        claims = desk.stream(await desk.dialled(token))
        state = await desk.pool.call_state(claims.actor, "call-1")
        assert state.turn_log == TURNS
        assert state.epoch < claims.epoch, "the stream takes the call over"

    with_desk(scene, recall=recalled)


@pytest.mark.parametrize(
    ("status", "call_status", "end"),
    [
        ("completed", "in-progress", "transferred"),
        ("no-answer", "completed", "caller_hung_up"),
    ],
)
def test_the_end_is_written_down_though_the_actor_died_while_it_rang(
    status: str, call_status: str, end: str
) -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        desk.pool.kill(desk.claims.actor)
        await desk.dialled(token, status, CallStatus=call_status)
        (other,) = [home for name, home in desk.pool.homes.items() if name != desk.claims.actor]
        assert other.recorder.closed == [("call-1", True, end)]
        assert [turn for _, turn in other.recorder.settled] == list(TURNS)
        assert other.driver.status()["free"] == other.driver.status()["capacity"]

    with_desk(scene, recall=recalled)


def test_a_hang_up_before_anything_was_rung_is_written_down_likewise() -> None:
    async def scene(desk: Desk) -> None:
        desk.pool.kill(desk.claims.actor)
        await desk.resume(CallStatus="completed")
        assert desk.ends == [("call-1", True, "carrier_completed")]

    with_desk(scene, recall=recalled)


def test_a_call_that_has_moved_is_found_where_it_is() -> None:
    """Its token was minted before: the actor it names is gone, and another one has the call."""
    owner = {"actor": "", "minted_us": 0}

    async def stored(_claims: StreamClaims) -> dict[str, Any]:
        return {**DIAL, **owner}

    async def scene(desk: Desk) -> None:
        (other,) = {"a", "b"} - {desk.claims.actor}
        desk.pool.kill(desk.claims.actor)
        epoch = (0, desk.tick())
        who = ("default", "ann", "v1", "call-1", "CA1")
        await desk.pool.open_call(other, OpenCall(*who, epoch=epoch, turn_log=TURNS))
        end = CloseCall("default", "call-1", epoch, True, "over", hand_over=DIAL)
        await desk.pool.close_call(other, end)
        owner.update(actor=other, minted_us=epoch[1])
        token = await desk.dial_token()
        back = desk.stream(await desk.dialled(token))
        assert (back.actor, back.after) == (other, "dial:sales:busy")
        await desk.dialled(token, "completed")
        assert desk.ends == [("call-1", True, "transferred")]

    with_desk(scene, handed_over=stored)


def test_a_call_waits_for_the_slot_that_comes() -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        for name in ("a", "b"):
            desk.pool.kill(name)
            desk.pool.stock.void(name)
        asyncio.get_running_loop().call_later(2.0, desk.pool.start, "c")
        assert desk.stream(await desk.dialled(token)).actor == "c"

    with_desk(scene)


def test_where_no_actor_is_left_the_caller_is_told() -> None:
    async def scene(desk: Desk) -> None:
        token = await desk.dial_token()
        for name in ("a", "b"):
            desk.pool.kill(name)
            desk.pool.stock.void(name)
        assert LOST in await desk.dialled(token)

    with_desk(scene)


def test_a_replica_that_never_saw_the_call_reads_the_record() -> None:
    async def stored(claims: StreamClaims) -> dict[str, Any]:
        return DIAL if claims.resume == 0 else {}

    async def scene(desk: Desk) -> None:
        desk.pool.kill(desk.claims.actor)
        assert "<Dial" in await desk.resume()

    with_desk(scene, handed_over=stored)


def test_without_any_word_of_it_the_call_goes_on_as_after_a_loss() -> None:
    async def scene(desk: Desk) -> None:
        desk.pool.kill(desk.claims.actor)
        claims = desk.stream(await desk.resume())
        assert (claims.resume, claims.hand_overs, claims.after) == (1, 0, "")

    with_desk(scene)
