"""The client of our own API, against answers on paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cluster.api_client import ApiCall, ApiClient, NewCall
from cluster.errors import ApiRefusedError, ApiUnreachableError
from tests.support.virtual_time import run

CALL = NewCall(to="+14155550123", agent_id="reception")


class PaperApi:
    """Answers with what it was given; keeps what was asked."""

    def __init__(self, status: int = 200, body: Any = None) -> None:
        self.status = status
        self.body = body
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.body, str):
            return httpx.Response(self.status, text=self.body)
        return httpx.Response(self.status, json=self.body or {})


def ask(api: Callable[[httpx.Request], httpx.Response], call_id: str = "") -> ApiCall:
    async def body() -> ApiCall:
        transport = httpx.MockTransport(api)
        async with ApiClient("http://127.0.0.1:8000/", "cck_1_x", transport) as client:
            return await (client.call(call_id) if call_id else client.place_call(CALL, "once"))

    result: ApiCall = run(body())
    return result


def test_a_call_is_asked_for_with_a_key_of_its_own() -> None:
    api = PaperApi(201, {"call_id": "c1", "state": "queued"})
    assert ask(api) == ApiCall("c1", "queued", plain={"call_id": "c1", "state": "queued"})
    (request,) = api.asked
    assert (request.method, str(request.url)) == ("POST", "http://127.0.0.1:8000/v1/calls")
    assert request.headers["authorization"] == "Bearer cck_1_x"
    assert request.headers["idempotency-key"] == "once"
    assert json.loads(request.content) == {"to": "+14155550123", "agent_id": "reception"}


def test_only_what_was_given_is_sent() -> None:
    whole = NewCall(
        to="+14155550123",
        agent_id="a",
        from_number="+14155550100",
        variables={"name": "Ann"},
        when_machine="leave_message",
        message="Please call us.",
        record=True,
        timeout_s=20,
    )
    assert whole.as_json() == {
        "to": "+14155550123",
        "agent_id": "a",
        "from": "+14155550100",
        "variables": {"name": "Ann"},
        "machine_detection": {"mode": "leave_message", "message": "Please call us."},
        "record": True,
        "timeout_s": 20,
    }
    hang_up = NewCall(to="+1", agent_id="a", when_machine="hang_up")
    assert hang_up.as_json()["machine_detection"] == {"mode": "hang_up"}


def test_a_call_is_read_with_what_is_known_of_it() -> None:
    turn = {"turn_id": 1, "caller_text": "Hi", "agent_text": "Hello.", "later": 1, "kind": None}
    call = ask(
        PaperApi(200, {"call_id": "c1", "state": "completed", "turns": [turn, 7], "cost_usd": 1}),
        "c1",
    )
    assert call.is_over
    assert call.cost_usd == 1.0
    assert [(t.turn_id, t.caller_text, t.agent_text, t.kind) for t in call.turns] == [
        (1, "Hi", "Hello.", "")
    ]
    odd = ask(PaperApi(200, {"turns": "none", "cost_usd": "much", "error": {"message": "no"}}), "c")
    assert (odd.turns, odd.cost_usd, odd.error) == ((), None, "no")


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (
            422,
            {"error": {"code": "unknown_agent", "message": "no agent 'x'"}},
            ApiRefusedError,
            "no agent 'x'",
        ),
        (401, {"error": {"code": "unauthorized"}}, ApiRefusedError, "callcluster keys create"),
        (401, "nginx", ApiRefusedError, "CALLCLUSTER_API_KEY"),
        (404, "<html>", ApiUnreachableError, "HTTP 404"),
        (200, "<html>", ApiUnreachableError, "no answer of the product's API"),
        (502, {"detail": "x"}, ApiUnreachableError, "HTTP 502"),
    ],
)
def test_a_no_is_said_in_the_apis_words(
    status: int, body: Any, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        ask(PaperApi(status, body))


def test_a_refusal_keeps_its_code() -> None:
    body = {"error": {"code": "unknown_agent", "message": "no agent"}}
    with pytest.raises(ApiRefusedError) as refused:
        ask(PaperApi(422, body))
    assert (refused.value.code, refused.value.status) == ("unknown_agent", 422)


def test_nobody_there_names_the_option() -> None:
    def gone(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ApiUnreachableError, match="CALLCLUSTER_URL"):
        ask(gone)


def test_a_call_is_moved_and_a_number_of_a_mode_is_found() -> None:
    agents = [
        {"agent_id": "a", "numbers": [], "modes": ["relay"]},
        {"agent_id": "b", "numbers": ["+1"], "modes": ["pipeline", "relay"]},
        {"agent_id": "c", "numbers": ["+2", "+3"], "modes": ["relay", "pipeline"]},
        {"agent_id": "d", "numbers": ["+4"]},  # of an older product
    ]
    move, listed = PaperApi(202, {"call_id": "c1"}), PaperApi(200, {"agents": agents})

    async def scene() -> tuple[ApiCall, list[str]]:
        async with ApiClient("http://h", "", httpx.MockTransport(move)) as api:
            moved = await api.move("c1", "relay")
        async with ApiClient("http://h", "", httpx.MockTransport(listed)) as api:
            modes = ("pipeline", "relay", "realtime")
            return moved, [await api.number_of_mode(mode) for mode in modes]

    moved, numbers = run(scene())
    assert (moved.call_id, numbers) == ("c1", ["+1", "+2", ""])
    (request,) = move.asked
    assert (request.method, request.url.path) == ("POST", "/v1/calls/c1/mode")
    assert json.loads(request.content) == {"mode": "relay"}


def test_a_list_is_asked_for_page_by_page_up_to_the_limit() -> None:
    asked: list[dict[str, str]] = []

    def api(request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        asked.append(query)
        first = int(query.get("cursor", "0"))
        rows = range(first, min(first + int(query["limit"]), 450))
        calls = [{"call_id": f"c{n}", "state": "answered"} for n in rows]
        more = str(rows.stop) if rows.stop < 450 else None
        return httpx.Response(200, json={"calls": calls, "next_cursor": more})

    async def listed(state: str, limit: int) -> list[ApiCall]:
        async with ApiClient("http://x", transport=httpx.MockTransport(api)) as client:
            return await client.calls(state, limit)

    assert [call.call_id for call in run(listed("answered", 230))] == [f"c{n}" for n in range(230)]
    assert asked == [
        {"state": "answered", "limit": "200"},
        {"state": "answered", "limit": "30", "cursor": "200"},
    ]
    assert len(run(listed("", 1_000))) == 450
    assert "state" not in asked[-1]


@pytest.mark.parametrize("body", [{}, {"calls": None}, {"calls": [], "next_cursor": "again"}])
def test_a_list_that_says_nothing_is_empty_and_ends(body: dict[str, Any]) -> None:
    async def listed() -> list[ApiCall]:
        transport = httpx.MockTransport(PaperApi(200, body))
        async with ApiClient("http://x", transport=transport) as client:
            return await client.calls()

    assert run(listed()) == []


def test_a_call_id_stays_one_part_of_the_path() -> None:
    api = PaperApi(404, {"error": {"code": "not_found", "message": "there is no such call"}})
    with pytest.raises(ApiRefusedError, match="no such call"):
        ask(api, "../agents")
    assert api.asked[0].url.raw_path == b"/v1/calls/..%2Fagents"
