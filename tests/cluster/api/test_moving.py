"""``POST /v1/calls/{id}/mode``: whoever has the call is told, or why nobody is."""

from __future__ import annotations

import pytest

from tests.cluster.api.test_looking import call_row
from tests.cluster.conftest import OnApi
from tests.support.api_stage import ApiStage, error_of

pytestmark = pytest.mark.e2e

SID = "CA" + "1" * 32
RELAY = {"mode": "relay"}


async def call_of_max(api: ApiStage, call_id: str = "in-1") -> str:
    await api.stores.calls.write([call_row(call_id, call_sid=SID, agent_id="max")])
    return f"/v1/calls/{call_id}/mode"


def test_the_replica_that_has_the_call_is_told(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.ask("POST", await call_of_max(api), json=RELAY)
        assert (answer.status_code, answer.json()["call_id"]) == (202, "in-1")
        assert api.switched == [("in-1", "relay")]

    on_api(scene)


def test_a_call_that_nobody_has_is_not_moved(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        api.has_call = False
        answer = await api.ask("POST", await call_of_max(api), json=RELAY)
        assert error_of(answer) == (409, "call_not_in_progress", "call_id")

    on_api(scene)


def test_a_back_office_that_is_away_is_said(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        api.office_error = TimeoutError()
        answer = await api.ask("POST", await call_of_max(api), json=RELAY)
        assert error_of(answer) == (503, "carrier_unavailable", "")

    on_api(scene)


def test_a_way_that_the_file_does_not_name_is_refused_with_what_to_change(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.ask("POST", await call_of_max(api), json={"mode": "realtime"})
        assert error_of(answer) == (422, "mode_not_configured", "mode")
        message = answer.json()["error"]["message"]
        assert "max are carried as pipeline, relay; add realtime to mode" in message
        assert api.switched == []

    on_api(scene)


def test_a_call_that_is_over_is_not_moved(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed(agent_id="max", variables={"name": "Ann", "day": "Monday"})
        await api.set(call_id, status="completed", call_sid=SID)
        answer = await api.ask("POST", f"/v1/calls/{call_id}/mode", json=RELAY)
        assert error_of(answer) == (409, "call_not_in_progress", "call_id")
        assert api.switched == []

    on_api(scene)


def test_calls_of_other_tenants_and_unknown_ways_are_refused(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        path = await call_of_max(api)
        assert error_of(await api.ask("POST", path, tenant="acme", json=RELAY))[0] == 404
        assert error_of(await api.ask("POST", path, json={"mode": "telex"}))[0] == 422
        assert error_of(await api.ask("POST", path, json={}))[:2] == (422, "invalid_request")
        assert api.switched == []

    on_api(scene)
