"""``DELETE /v1/calls/{id}`` and ``POST .../erase``: in every state, twice, the carrier away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.errors import CacheAwayError
from actors.request_marks import HANG_UP
from cluster import patient_work
from records.edge_rows import RecordingRow
from records.erasure import erase
from records.rows import TurnRow
from telephony.errors import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    InvalidCall,
    TelephonyError,
)
from tests.cluster.api.test_looking import call_row
from tests.cluster.conftest import OnApi
from tests.support.api_stage import THEIRS, ApiStage, error_of

pytestmark = pytest.mark.e2e

SID = "CA" + "1" * 32


def test_a_queued_call_is_taken_out_of_the_queue(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        for _ in range(2):
            answer = await api.ask("DELETE", f"/v1/calls/{call_id}")
            assert (answer.status_code, answer.json()["state"]) == (200, "canceled")
        assert (await api.request(call_id)).status == "canceled"
        assert api.carrier.ended == []

    on_api(scene)


def test_a_call_that_is_being_dialled_is_ended_by_whoever_dials_it(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed(timeout_s=9)
        await api.set(call_id, status="dialing")
        answer = await api.ask("DELETE", f"/v1/calls/{call_id}")
        assert (answer.status_code, answer.json()["state"]) == (202, "dialing")
        options = (await api.request(call_id)).options
        assert (options[HANG_UP], options["timeout_s"]) == (True, 9)

    on_api(scene)


@pytest.mark.parametrize("status", ["placed", "answered"])
def test_a_call_at_the_carrier_is_ended_there(on_api: OnApi, status: str) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        await api.set(call_id, status=status, call_sid=SID)
        assert (await api.ask("DELETE", f"/v1/calls/{call_id}")).status_code == 202
        assert api.carrier.ended == [SID]

    on_api(scene)


def test_a_call_that_came_in_is_ended_too(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await api.stores.calls.write([call_row("in-1", call_sid=SID)])
        assert (await api.ask("DELETE", "/v1/calls/in-1")).status_code == 202
        assert api.carrier.ended == [SID]

    on_api(scene)


@pytest.mark.parametrize("status", ["completed", "busy", "no-answer", "failed", "canceled"])
def test_a_call_that_is_over_is_left_alone(on_api: OnApi, status: str) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        await api.set(call_id, status=status, call_sid=SID)
        answer = await api.ask("DELETE", f"/v1/calls/{call_id}")
        assert (answer.status_code, answer.json()["state"]) == (200, status)
        assert api.carrier.ended == []

    on_api(scene)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CarrierRefused("over", CarrierRefused.CALL_OVER, 400), 202, ""),
        (CarrierRefused("unknown", CarrierRefused.NOT_FOUND, 404), 202, ""),
        (CarrierRefused("no", 21218, 400), 502, "carrier_refused"),
        (InvalidCall("sid: no sid", "sid"), 502, "carrier_refused"),
        (CarrierThrottled("429", 2.0), 503, "carrier_unavailable"),
        (CarrierUnreachable("no connection", False), 503, "carrier_unavailable"),
        (CarrierUnreachable("no answer", True), 503, "carrier_unavailable"),
    ],
)
def test_a_carrier_that_does_not_end_it_is_said(
    on_api: OnApi, error: TelephonyError, status: int, code: str
) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        await api.set(call_id, status="answered", call_sid=SID)
        api.carrier.ending = [error]
        answer = await api.ask("DELETE", f"/v1/calls/{call_id}")
        assert answer.status_code == status
        if code:
            assert error_of(answer)[1] == code
        # Nothing was lost: the same request again ends it.
        assert (await api.ask("DELETE", f"/v1/calls/{call_id}")).status_code == 202
        assert api.carrier.ended == [SID]

    on_api(scene)


def test_a_call_that_has_no_sid_yet_is_asked_for_again(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        await api.set(call_id, status="answered")
        answer = await api.ask("DELETE", f"/v1/calls/{call_id}")
        assert error_of(answer) == (409, "call_is_being_placed", "")

    on_api(scene)


def test_without_a_carrier_a_call_elsewhere_cannot_be_ended(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await api.stores.calls.write([call_row("in-1", call_sid=SID)])
        answer = await api.ask("DELETE", "/v1/calls/in-1")
        assert error_of(answer) == (503, "carrier_not_configured", "")

    on_api(scene, with_carrier=False)


# --- erase ----------------------------------------------------------------------------------------


def test_what_was_said_is_gone_and_counts_stay(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        await api.set(call_id, status="completed", call_sid=SID)
        turn = TurnRow("default", "ann", "v1", call_id, SID, turn_id=1, caller_text="a secret")
        await api.stores.calls.write(
            [call_row(call_id, call_sid=SID, direction="outbound", cost_usd=0.5), turn]
        )
        await api.stores.recordings.put(
            RecordingRow("RE" + "1" * 32, "default", call_id, SID, "completed")
        )
        first = await api.ask("POST", f"/v1/calls/{call_id}/erase")
        assert first.status_code == 200
        assert (first.json()["turns"], first.json()["recordings"]) == (1, 1)
        await api.services.work.settle(1.0)
        assert api.carrier.deleted == ["RE" + "1" * 32]
        assert await api.stores.recordings.deleting() == []
        shown = await api.ask("GET", f"/v1/calls/{call_id}")
        assert "secret" not in shown.text
        assert THEIRS not in shown.text
        assert shown.json()["erased_at"] == first.json()["erased_at"]
        again = await api.ask("POST", f"/v1/calls/{call_id}/erase")
        assert again.json()["erased_at"] == first.json()["erased_at"]
        assert again.json()["recordings"] == 0

    on_api(scene)


def test_a_recording_that_the_carrier_does_not_delete_now_is_not_forgotten(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        sid = "RE" + "1" * 32
        await api.stores.calls.write([call_row("in-1", call_sid=SID)])
        await api.stores.recordings.put(RecordingRow(sid, "default", "in-1", SID, "completed"))
        api.carrier.deleting[sid] = CarrierRefused("no", 20003, 401)
        assert (await api.ask("POST", "/v1/calls/in-1/erase")).status_code == 200
        await api.services.work.settle(1.0)
        assert [row.recording_sid for row in await api.stores.recordings.deleting()] == [sid]
        assert api.nudges == 1  # the back office goes on trying

    on_api(scene)


def test_the_response_cache_forgets_what_a_call_has_taught_it(
    on_api: OnApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is away; and again when it is asked again."""
    monkeypatch.setattr(patient_work, "FIRST_PAUSE_S", 0.0)

    async def scene(api: ApiStage) -> None:
        await api.stores.calls.write([call_row("in-1", call_sid=SID)])
        api.cache_errors = [CacheAwayError("none")] * 3
        for times in (1, 2):
            assert (await api.ask("POST", "/v1/calls/in-1/erase")).status_code == 200
            await api.services.work.settle(5.0)
            assert api.forgotten == [("default", "in-1")] * times
        assert (api.cache_errors, api.services.work.given_up) == ([], 0)
        assert (await api.ask("POST", "/v1/calls/in-2/erase")).status_code == 404
        assert (await api.ask("POST", "/v1/calls/in-1/erase", tenant="acme")).status_code == 404
        await api.services.work.settle(5.0)
        assert len(api.forgotten) == 2, "nobody has others' calls forgotten"

    on_api(scene)


def test_a_queued_call_that_is_erased_is_not_dialled(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        assert (await api.ask("POST", f"/v1/calls/{call_id}/erase")).status_code == 200
        assert (await api.request(call_id)).status == "canceled"
        assert await api.stores.requests.due(1 << 60, 10) == []

    on_api(scene)


def test_hanging_up_while_it_is_erased_brings_no_message_back(
    on_api: OnApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(api: ApiStage) -> None:
        detection = {"mode": "leave_message", "message": "a secret"}
        call_id = await api.placed(machine_detection=detection)
        await api.set(call_id, status="dialing")
        change = api.stores.requests.change

        async def erased_before(*key: Any, **changes: Any) -> bool:
            if "options" in changes:
                await erase(api.database, "default", call_id, at_us=9)
            return await change(*key, **changes)

        monkeypatch.setattr(api.stores.requests, "change", erased_before)
        assert (await api.ask("DELETE", f"/v1/calls/{call_id}")).status_code == 202
        options = (await api.request(call_id)).options
        assert options[HANG_UP] is True
        assert "secret" not in json.dumps(options)

    on_api(scene)
