"""``POST /v1/calls``: what is accepted is kept, once; what is not is said, and nothing is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.wire import Grants
from cluster.api.app import MAX_BODY_BYTES
from cluster.tenant_limits import TenantLimits
from records.edge_rows import NumberRow
from records.erasure import erase
from records.errors import (
    RecordsError,
    SchemaNewer,
    SchemaOlder,
    StoreAccessDenied,
    StoreNotWritable,
)
from tests.cluster.conftest import OnApi
from tests.support.api_stage import OTHERS, OURS, THEIRS, ApiStage, error_of

pytestmark = pytest.mark.e2e


async def nothing_was_kept(api: ApiStage) -> bool:
    return not await api.stores.requests.list(None) and not api.nudges


def test_an_accepted_call_is_kept_before_it_is_answered(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        body = {
            "agent_id": "max",
            "variables": {"name": "Ann", "day": "Monday"},
            "machine_detection": {"mode": "leave_message", "message": "Call us."},
            "record": True,
            "timeout_s": 20,
        }
        answer = await api.place(**body)
        assert answer.status_code == 201
        shown = answer.json()
        assert answer.headers["location"] == f"/v1/calls/{shown['call_id']}"
        row = await api.request(shown["call_id"])
        assert (row.to_number, row.from_number, row.agent_id) == (THEIRS, OURS, "max")
        assert row.variables == body["variables"]
        assert row.options == {
            "timeout_s": 20,
            "record": True,
            "machine_detection": {
                "mode": "leave_message",
                "message": "Call us.",
                "language": "en-US",
            },
        }
        assert (row.status, row.not_before_us) == ("queued", api.now_us)
        assert api.nudges == 1
        # What was answered at once is what is read later.
        detail = (await api.ask("GET", f"/v1/calls/{shown['call_id']}")).json()
        assert {name: detail[name] for name in shown} == shown

    on_api(scene)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"agent_id": "sale"}, (422, "unknown_agent", "agent_id")),
        ({"agent_id": "bob"}, (422, "unknown_agent", "agent_id")),  # of another tenant
        ({"agent_id": "max"}, (422, "missing_variables", "variables")),
        ({"to": "0123"}, (422, "invalid_request", "to")),
        ({"to": None}, (422, "invalid_request", "to")),
        ({"from": "0123"}, (422, "invalid_request", "from")),
        ({"to": OURS}, (422, "invalid_request", "to")),  # it would talk to itself
        ({"to": OURS, "from": OURS}, (422, "invalid_request", "to")),
        ({"from": OTHERS}, (403, "number_not_yours", "from")),
        ({"from": "+14155550000"}, (403, "number_not_yours", "from")),
        ({"tenant_id": "acme"}, (422, "invalid_request", "tenant_id")),
        ({"machine_detection": {"mode": "x"}}, (422, "invalid_request", "machine_detection.mode")),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    on_api: OnApi, body: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.place(**body)
        assert error_of(answer) == refusal
        assert await nothing_was_kept(api)

    on_api(scene)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", (422, "invalid_request", "body")),
        (b"{", (422, "invalid_request", "body")),
        (b"[]", (422, "invalid_request", "body")),
        (b'"\xff"', (400, "unreadable_body", "")),
        (b"[" * 60_000, (400, "unreadable_body", "")),
        (b" " * (MAX_BODY_BYTES + 1), (413, "too_large", "")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    on_api: OnApi, content: bytes, refusal: tuple[int, str, str]
) -> None:
    async def scene(api: ApiStage) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await api.ask("POST", "/v1/calls", content=content, headers=headers)
        assert error_of(answer) == refusal
        assert await nothing_was_kept(api)

    on_api(scene)


def test_no_refusal_repeats_what_was_sent(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        for body in ({"to": "secret-number"}, {"variables": {"x": "secret\x00"}}):
            assert "secret" not in (await api.place(**body)).text

    on_api(scene)


def test_without_a_carrier_no_call_is_accepted(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        answer = await api.place()
        assert error_of(answer) == (503, "carrier_not_configured", "")
        assert "TWILIO_ACCOUNT_SID" in answer.json()["error"]["message"]
        assert await nothing_was_kept(api)

    on_api(scene, with_carrier=False)


# --- numbers --------------------------------------------------------------------------------------


def test_a_call_comes_from_the_agent_s_number_if_it_has_one(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        own, of_max = "+14155550188", "+14155550166"
        await api.stores.numbers.put(NumberRow(own, "default", "ann"))
        await api.stores.numbers.put(NumberRow(of_max, "default", "max"))
        await api.services.routes.refresh()
        by_ann = await api.request(await api.placed())
        ready = {"name": "Ann", "day": "Monday"}
        by_max = await api.request(await api.placed(agent_id="max", variables=ready))
        wanted = await api.request(await api.placed(**{"from": of_max}))
        assert [row.from_number for row in (by_ann, by_max, wanted)] == [own, of_max, of_max]

    on_api(scene)


def test_a_number_that_was_given_just_now_can_be_used(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await api.stores.numbers.put(NumberRow("+14155550188", "default", "ann"))
        row = await api.request(await api.placed(**{"from": "+14155550188"}))
        assert row.from_number == "+14155550188"

    on_api(scene)


def test_the_number_of_the_settings_is_the_default_tenant_s(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        assert (await api.place(**{"from": OURS})).status_code == 201
        answer = await api.place(tenant="acme", **{"from": OURS})
        assert error_of(answer) == (403, "number_not_yours", "from")
        assert (await api.place(tenant="acme", **{"from": OTHERS})).status_code == 201

    on_api(scene)


def test_the_number_of_the_settings_that_another_tenant_has_is_not_ours(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await api.stores.numbers.put(NumberRow(OURS, "acme", "bob"))
        await api.services.routes.refresh()
        answer = await api.place(**{"from": OURS})
        assert error_of(answer) == (403, "number_not_yours", "from")

    on_api(scene)


def test_without_a_number_nobody_is_called(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        assert error_of(await api.place()) == (422, "no_number", "from")
        assert await nothing_was_kept(api)

    on_api(scene, twilio_phone_number="")


# --- idempotency ----------------------------------------------------------------------------------


def test_the_same_key_and_request_is_the_same_call(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        first, *others = await asyncio.gather(*(api.place(key="k1") for _ in range(4)))
        ids = {answer.json()["call_id"] for answer in (first, *others)}
        assert len(ids) == len(await api.stores.requests.list(None)) == 1
        assert sorted(answer.status_code for answer in (first, *others)) == [200, 200, 200, 201]
        # However it is written, and however far the call is.
        await api.set(ids.pop(), status="completed")
        again = await api.place(key="k1", **{"from": None, "variables": {}})
        assert (again.status_code, again.json()["state"]) == (200, "completed")
        assert again.headers["idempotent-replayed"] == "true"

    on_api(scene)


def test_a_request_is_the_same_in_whatever_order_it_is_written(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        variables = {"name": "Ann", "day": "Monday"}
        turned = dict(reversed(variables.items()))
        first = await api.place(key="k1", agent_id="max", variables=variables)
        again = await api.place(key="k1", variables=turned, agent_id="max")
        assert (first.status_code, again.status_code) == (201, 200)

    on_api(scene)


def test_the_same_key_for_another_request_is_a_conflict(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        await api.place(key="k1")
        other = await api.place(key="k1", to="+14155550124")
        assert error_of(other) == (409, "idempotency_conflict", "Idempotency-Key")
        assert len(await api.stores.requests.list(None)) == 1

    on_api(scene)


def test_the_key_of_another_tenant_is_another_key(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        mine, theirs = await api.place(key="k1"), await api.place(key="k1", tenant="acme")
        assert (mine.status_code, theirs.status_code) == (201, 201)

    on_api(scene)


def test_without_a_key_every_request_is_a_call(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        assert await api.placed() != await api.placed()

    on_api(scene)


def test_the_key_of_an_erased_call_is_still_that_call(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        call_id = (await api.place(key="k1")).json()["call_id"]
        await erase(api.database, "default", call_id, at_us=9)
        again = await api.place(key="k1")
        assert (again.status_code, again.json()["call_id"]) == (200, call_id)
        assert again.json()["to"] == ""

    on_api(scene)


@pytest.mark.parametrize("key", ["k" * 201, "two words", "\x7f", "é"])
def test_a_key_that_cannot_be_kept_is_refused(on_api: OnApi, key: str) -> None:
    async def scene(api: ApiStage) -> None:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answer = await api.ask("POST", "/v1/calls", json={"to": THEIRS}, headers=headers)
        assert error_of(answer) == (422, "invalid_request", "idempotency-key")

    on_api(scene)


# --- while the database is away -------------------------------------------------------------------


def test_while_the_database_is_away_a_call_is_refused_and_can_be_asked_for_again(
    on_api: OnApi,
) -> None:
    async def scene(api: ApiStage) -> None:
        assert (await api.ask("GET", "/v1/agents")).status_code == 200  # the key is known now
        api.database.works_for = 0
        refused = await api.place(key="k1")
        assert error_of(refused) == (503, "store_unavailable", "")
        for method, path in (("GET", ""), ("GET", "/x"), ("DELETE", "/x"), ("POST", "/x/erase")):
            answer = await api.ask(method, f"/v1/calls{path}")
            assert error_of(answer) == (503, "store_unavailable", "")
        api.database.works_for = None
        assert (await api.place(key="k1")).status_code == 201
        assert (await api.place(key="k1")).status_code == 200

    on_api(scene)


@pytest.mark.parametrize(
    "failure",
    [
        StoreNotWritable("cannot write the call store: Read-only file system"),
        SchemaOlder("run callcluster records migrate"),
        SchemaNewer("upgrade callcluster"),
        StoreAccessDenied("the password is wrong"),
    ],
)
def test_what_is_wrong_with_the_database_is_said(on_api: OnApi, failure: RecordsError) -> None:
    async def scene(api: ApiStage) -> None:
        await api.ask("GET", "/v1/agents")
        api.database.works_for, api.database.failure = 0, failure
        answer = await api.place()
        assert error_of(answer) == (503, "store_unavailable", "")
        assert failure.message in answer.json()["error"]["message"]
        assert api.nudges == 0

    on_api(scene)


def test_a_database_that_goes_away_once_the_call_is_kept_hides_it_from_nobody(
    on_api: OnApi,
) -> None:
    async def scene(api: ApiStage) -> None:
        await api.ask("GET", "/v1/agents")
        api.database.works_for = 1  # the one that keeps it
        answer = await api.place()
        assert answer.status_code == 201
        assert api.nudges == 1
        api.database.works_for = None
        assert (await api.request(answer.json()["call_id"])).status == "queued"

    on_api(scene)


def test_a_tenant_at_its_limit_is_told_so_and_nothing_is_kept(on_api: OnApi) -> None:
    async def scene(api: ApiStage) -> None:
        api.edge.tenant_limits = TenantLimits(0, "default=2")
        stock = api.edge.parts.pool.stock
        kept = await api.place("key-1")
        assert kept.status_code == 201
        stock.granted(Grants(counts_tenants=True, tenant_calls={"default": 2}))
        refused = await api.place("key-2")
        assert error_of(refused) == (429, "tenant_full", "")
        assert "2 calls are in progress" in refused.text
        again = await api.place("key-1")
        assert again.json()["call_id"] == kept.json()["call_id"], "it was accepted before"
        assert len(await api.stores.requests.list(None)) == 1
        stock.granted(Grants(counts_tenants=True, tenant_calls={"default": 1}))
        assert (await api.place("key-2")).status_code == 201

    on_api(scene)
