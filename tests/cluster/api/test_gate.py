"""Nothing below ``/v1`` answers without a key; a tenant sees its own calls only."""

from __future__ import annotations

import pytest

from cluster.api.app import MAX_BODY_BYTES
from tests.cluster.conftest import OnApi
from tests.support.api_stage import ApiStage, error_of

pytestmark = pytest.mark.e2e

PATHS = [
    ("GET", "/v1/calls"),
    ("POST", "/v1/calls"),
    ("GET", "/v1/calls/some-call"),
    ("DELETE", "/v1/calls/some-call"),
    ("POST", "/v1/calls/some-call/mode"),
    ("POST", "/v1/calls/some-call/erase"),
    ("GET", "/v1/agents"),
    ("GET", "/v1"),
    ("GET", "/v1/nothing-here"),
    ("PATCH", "/v1/calls"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_key_nothing_is_told(on_api: OnApi, method: str, path: str) -> None:
    async def scene(api: ApiStage) -> None:
        for headers in ({}, {"Authorization": "Bearer cck_00_wrong"}):
            answer = await api.ask(method, path, tenant="", headers=headers)
            assert error_of(answer) == (401, "unauthorized", "")
            assert answer.headers["www-authenticate"] == "Bearer"

    on_api(scene)


def test_not_even_the_body_is_looked_at(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        for body in (b"{", b"x" * (MAX_BODY_BYTES + 1)):
            answer = await api.ask("POST", "/v1/calls", tenant="", content=body)
            assert error_of(answer)[0] == 401

    on_api(scene)


def test_a_key_that_comes_twice_opens_nothing(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        header = ("Authorization", f"Bearer {api.keys['default']}")
        answer = await api.http.request("GET", "/v1/calls", headers=[header, header])
        assert answer.status_code == 401

    on_api(scene)


def test_a_revoked_key_opens_nothing(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        (row,) = await api.stores.keys.list("acme")
        assert await api.stores.keys.revoke("acme", row.key_id, at_us=2)
        assert (await api.ask("GET", "/v1/calls", tenant="acme")).status_code == 401

    on_api(scene)


def test_in_development_mode_no_key_is_the_default_tenant(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        mine = await api.placed()
        await api.placed(tenant="acme")
        listed = (await api.ask("GET", "/v1/calls", tenant="")).json()["calls"]
        assert [call["call_id"] for call in listed] == [mine]

    on_api(scene, mode="development")


def test_the_calls_of_another_tenant_are_no_calls(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = await api.placed()
        unknown = await api.ask("GET", "/v1/calls/nobody-knows", tenant="acme")
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/erase")):
            answer = await api.ask(method, f"/v1/calls/{call_id}{path}", tenant="acme")
            assert error_of(answer) == (404, "not_found", "call_id")
            assert answer.content == unknown.content
        assert (await api.ask("GET", "/v1/calls", tenant="acme")).json()["calls"] == []
        assert (await api.request(call_id)).status == "queued"

    on_api(scene)


def test_a_tenant_sees_its_own_agents(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        def shown(answer: dict[str, object]) -> object:
            agents = answer["agents"]
            assert isinstance(agents, list)
            return [(a["agent_id"], a["variables"], a["numbers"]) for a in agents]

        mine = (await api.ask("GET", "/v1/agents")).json()
        assert shown(mine) == [("ann", [], []), ("max", ["day", "name"], [])]
        others = (await api.ask("GET", "/v1/agents", tenant="acme")).json()
        assert shown(others) == [("bob", [], ["+14155550177"])]

    on_api(scene)


def test_the_description_of_the_api_is_open(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        document = (await api.ask("GET", "/openapi.json", tenant="")).json()
        assert set(document["paths"]) == {
            "/v1/calls",
            "/v1/calls/{call_id}",
            "/v1/calls/{call_id}/mode",
            "/v1/calls/{call_id}/erase",
            "/v1/agents",
        }
        for operations in document["paths"].values():
            for operation in operations.values():
                assert operation["security"] == [{"HTTPBearer": []}]
                assert operation["summary"]
        assert (await api.ask("GET", "/docs", tenant="")).status_code == 200

    on_api(scene)


def test_unknown_paths_and_methods_are_refused_in_the_same_shape(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        assert error_of(await api.ask("GET", "/v1/nothing")) == (404, "not_found", "")
        assert error_of(await api.ask("GET", "/v1/calls/")) == (404, "not_found", "")
        answer = await api.ask("PATCH", "/v1/calls")
        assert error_of(answer) == (405, "method_not_allowed", "")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}

    on_api(scene)
