"""``GET /v1/calls`` and ``/v1/calls/{id}``: every call once, whoever knows of it."""

from __future__ import annotations

from typing import Any

import pytest

from records.edge_rows import RecordingRow
from records.rows import CallRow, JournalRow, TurnRow
from tests.cluster.conftest import OnApi
from tests.support.api_stage import OURS, THEIRS, ApiStage, error_of

pytestmark = pytest.mark.e2e


def call_row(call_id: str, **changes: Any) -> CallRow:
    """A call as the records have it."""
    given: dict[str, Any] = {
        "tenant_id": "default",
        "agent_id": "ann",
        "agent_version": "v1",
        "call_id": call_id,
        "call_sid": "CA1",
        "direction": "inbound",
        "caller": THEIRS,
        "called": OURS,
        "language": "en-US",
        "started_at_us": 1_000_000,
        **changes,
    }
    return CallRow(**given)


async def listed(api: ApiStage, **query: Any) -> list[str]:
    answer = await api.ask("GET", "/v1/calls", params=query)
    assert answer.status_code == 200, answer.text
    return [call["call_id"] for call in answer.json()["calls"]]


def test_calls_that_came_in_and_calls_that_were_asked_for_are_one_list(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        api.now_us = 5_000_000
        asked = await api.placed()
        api.now_us = 9_000_000
        waiting = await api.placed()
        # The first one was answered: the records have it as well, and it is listed once.
        await api.stores.calls.write(
            [
                call_row("in-1"),
                call_row("in-2", started_at_us=7_000_000),
                call_row(asked, direction="outbound", started_at_us=8_000_000),
                call_row("foreign", tenant_id="acme"),
            ]
        )
        assert await listed(api) == [waiting, "in-2", asked, "in-1"]
        assert await listed(api, direction="inbound") == ["in-2", "in-1"]
        assert await listed(api, direction="outbound") == [waiting, asked]
        assert await listed(api, since="1970-01-01T00:00:05Z", until="1970-01-01T00:00:09Z") == [
            "in-2",
            asked,
        ]
        assert await listed(api, to=OURS) == ["in-2", "in-1"]
        assert await listed(api, to=THEIRS) == [waiting, asked]
        assert await listed(api, **{"from": THEIRS}, agent_id="ann") == ["in-2", "in-1"]
        assert await listed(api, agent_id="max") == []

    on_api(scene)


def test_pages_hold_every_call_once_even_those_of_one_instant(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        made = {await api.placed() for _ in range(7)}
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = (await api.ask("GET", "/v1/calls", params=query)).json()
            seen += [call["call_id"] for call in page["calls"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            api.now_us += 1
            await api.placed(to="+14155550124")  # newer ones do not shift the pages
        assert set(seen) == made
        assert len(seen) == 7
        assert await listed(api, limit=7, cursor="WzAsIiJd") == []  # before all of them

    on_api(scene)


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": "many"}, {"page": "2"}])
def test_a_wrong_query_is_named(on_api: OnApi, query: dict[str, str]) -> None:
    async def scene(api: ApiStage) -> None:
        (name,) = query
        answer = await api.ask("GET", "/v1/calls", params=query)
        assert error_of(answer) == (422, "invalid_request", name)

    on_api(scene)


@pytest.mark.parametrize(
    ("asked", "recorded", "state"),
    [
        ("queued", "", "queued"),
        ("dialing", "active", "answered"),
        ("placed", "", "placed"),
        ("placed", "active", "answered"),
        ("answered", "ended", "completed"),  # its last callback was lost
        ("answered", "lost", "answered"),  # the carrier has not given it up
        ("busy", "", "busy"),
        ("failed", "ended", "failed"),
        ("", "active", "answered"),
        ("", "ended", "completed"),
        ("", "lost", "failed"),
    ],
)
def test_the_state_is_what_both_tables_say(
    on_api: OnApi, asked: str, recorded: str, state: str
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = "in-1"
        if asked:
            call_id = await api.placed()
            await api.set(call_id, status=asked)
        if recorded:
            await api.stores.calls.write([call_row(call_id, status=recorded)])
        assert (await api.ask("GET", f"/v1/calls/{call_id}")).json()["state"] == state
        assert await listed(api, state=state) == [call_id]

    on_api(scene)


def test_a_call_shows_all_that_is_known_of_it(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        name, day = "Ann", "Monday"
        call_id = await api.placed(agent_id="max", variables={"name": name, "day": day})
        await api.set(call_id, status="completed", answered_by="human", attempts=2)
        whose = {
            "tenant_id": "default",
            "agent_id": "max",
            "agent_version": "v1",
            "call_id": call_id,
            "call_sid": "CA1",
        }
        turn = TurnRow(
            **whose,
            turn_id=1,
            kind="caller",
            caller_text="Hi.",
            agent_text="Good day to you.",
            heard_text="Good day",
            outcome="interrupted",
            at_us=2_000_000,
            timeline={"first_audio": 0.4},
            usage={"llm.input_tokens": 9},
            cache={"outcome": "hit", "tier": "exact", "entry_id": 7},
        )
        entry = JournalRow(
            **whose, entry_id="e1", kind="carrier_status", at_us=3, data={"status": "ringing"}
        )
        call = call_row(
            call_id,
            agent_id="max",
            direction="outbound",
            ended_at_us=3_500_000,
            status="ended",
            end_reason="caller_hung_up",
            planned_end=True,
            usage={"stt_s": 2.0},
            cost={"llm": 0.25},
            cost_usd=0.25,
        )
        await api.stores.calls.write([call, turn, entry])
        await api.stores.recordings.put(
            RecordingRow("RE1", "default", call_id, "CA1", "completed", "https://x/RE1", 2.5, 2)
        )
        shown = (await api.ask("GET", f"/v1/calls/{call_id}")).json()
        assert shown["variables"] == {"name": "Ann", "day": "Monday"}
        assert (shown["attempts"], shown["answered_by"], shown["cost_usd"]) == (2, "human", 0.25)
        assert (shown["cost"], shown["usage"], shown["duration_s"]) == (
            {"llm": 0.25},
            {"stt_s": 2.0},
            2.5,
        )
        (shown_turn,) = shown["turns"]
        assert shown_turn["heard_text"] == "Good day"
        assert shown_turn["timeline_s"] == {"first_audio": 0.4}
        assert shown_turn["cache"] == {"outcome": "hit", "tier": "exact", "entry_id": 7}
        assert shown_turn["at"] == "1970-01-01T00:00:02.000000Z"
        assert [(e["kind"], e["data"]) for e in shown["events"]] == [
            ("carrier_status", {"status": "ringing"})
        ]
        assert [(r["recording_sid"], r["channels"]) for r in shown["recordings"]] == [("RE1", 2)]

    on_api(scene)


@pytest.mark.parametrize("call_id", ["nobody", "a" * 64, "a.b_c-d"])
def test_an_unknown_call_is_not_found(on_api: OnApi, call_id: str) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.ask("GET", f"/v1/calls/{call_id}")
        assert error_of(answer) == (404, "not_found", "call_id")

    on_api(scene)


@pytest.mark.parametrize("call_id", ["%00", "a" * 65, "-a", "a%20b", "%F0%9F%98%80", "%FF"])
def test_what_is_no_id_is_refused(on_api: OnApi, call_id: str) -> None:
    async def scene(api: ApiStage) -> None:
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/erase")):
            answer = await api.ask(method, f"/v1/calls/{call_id}{path}")
            assert error_of(answer) == (422, "invalid_request", "call_id")

    on_api(scene)
