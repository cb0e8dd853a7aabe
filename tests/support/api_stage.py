"""The API and the webhooks over a database of their own, asked without sockets; a fake carrier."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
from sqlalchemy.ext.asyncio import AsyncConnection

from actors.metrics_counts import EventCounts
from actors.wire import Grants
from cluster.api.app import build_api
from cluster.call_services import CallServices, OutsideWorld
from cluster.call_stores import CallStores
from cluster.edge import Edge
from cluster.edge_parts import EdgeParts
from cluster.settings import Settings
from cluster.webhooks import build_app
from dialogue.agent import Agent
from records.database import Database
from records.edge_rows import CallRequestRow, NumberRow
from records.errors import RecordsError, StoreUnavailable
from records.rows import JournalRow
from records.schema import migrate
from simulation.carrier_signature import sign
from telemetry.ledger import MetricsLedger
from tests.support.local_mind_pool import LocalMindPool
from tests.support.phone_company import PhoneCompany

OURS = "+14155550199"
OTHERS = "+14155550177"
THEIRS = "+14155550123"
AUTH_TOKEN = "t" * 32
TENANTS = ("default", "acme")
PUBLIC = "https://voice.example.com"
NOW_US = 1_760_000_000_000_000

ANN = Agent("default", "ann", "v1", "en-US", "You are Ann.", "Hello!", "voice")
MAX = dataclasses.replace(
    ANN, agent_id="max", prompt="You call {name} about {day}.", then_modes=("relay",)
)
BOB = dataclasses.replace(ANN, tenant_id="acme", agent_id="bob")


class FragileDatabase(Database):
    """A database that can be away.

    Attributes:
        works_for: So many more connections are given out; None: any number.
        failure: What is raised then.
    """

    works_for: int | None = None
    failure: RecordsError = StoreUnavailable("the database does not answer")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        if self.works_for is not None:
            if self.works_for <= 0:
                raise self.failure
            self.works_for -= 1
        async with super()._connected() as connection:
            yield connection


async def furnish(file: Path) -> dict[str, str]:
    """Put into a SQLite file what every stage needs: tables, keys, a number of another tenant.

    Returns:
        The secret of a key, by tenant.
    """
    database = Database(f"sqlite:///{file}")
    await migrate(database)
    stores = CallStores(database)
    keys = {tenant: await stores.keys.create(tenant, "tests", at_us=1) for tenant in TENANTS}
    await stores.numbers.put(NumberRow(OTHERS, "acme", "bob"))
    await database.aclose()
    return keys


@cache
def _settings(**plain: Any) -> Settings:
    """Nobody changes settings, and reading them takes as long as a request."""
    return Settings(**{"_env_file": None, **plain})


class ApiStage:
    """Use as ``async with ApiStage(file, keys) as api``.

    Args:
        file: A SQLite file that ``furnish`` has been over.
        keys: What it answered.
        with_carrier: Whether Twilio is configured.
        settings: Of the deployment, beside those below.

    Attributes:
        keys: The secret of a key, by tenant.
        journal: What was put there.
        nudges: How often the back office was told.
        switched: Calls that it was to have carried in another way, and how.
        has_call: Whether some replica has them.
        office_error: Raised instead; None while it is there.
        forgotten: Calls (tenant, id) that the response cache was to forget.
        cache_errors: Raised instead, one after the other.
    """

    def __init__(
        self, file: Path, keys: Mapping[str, str], *, with_carrier: bool = True, **settings: Any
    ) -> None:
        plain: dict[str, Any] = {
            "twilio_auth_token": AUTH_TOKEN,
            "twilio_phone_number": OURS,
            "default_agent": "ann",
            "public_url": PUBLIC,
            **settings,
        }
        self.now_us = NOW_US
        self.database = FragileDatabase(f"sqlite:///{file}")
        self.stores = CallStores(self.database)
        self.carrier = PhoneCompany()
        self.keys = dict(keys)
        self.journal: list[JournalRow] = []
        self.nudges = 0
        self.switched: list[tuple[str, str]] = []
        self.has_call = True
        self.office_error: OSError | None = None
        self.forgotten: list[tuple[str, str]] = []
        self.cache_errors: list[Exception] = []
        pool = LocalMindPool({}, {}, names=())
        pool.stock.granted(Grants({"a": 4}, ("a",), active_calls=0, capacity=9))
        agents = {(agent.tenant_id, agent.agent_id): agent for agent in (ANN, MAX, BOB)}
        self.edge = Edge(
            _settings(**plain),
            EdgeParts(
                agents=agents,
                call_parts={},
                pool=pool,
                wall_clock_us=lambda: self.now_us,
                counts=EventCounts(MetricsLedger("door", 1)),
                cluster_view=lambda: None,
                planned_end=cast(Any, None),
            ),
        )
        world = OutsideWorld(
            self.stores,
            self.journal.append,
            self.carrier if with_carrier else None,
            self._nudge,
            self._switch,
            self._forget_answers,
        )
        self.services = CallServices(self.edge, world)
        self.app = build_api(self.services, world)
        self.edge.not_ready.clear()

    async def __aenter__(self) -> ApiStage:
        await self.services.routes.refresh()
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://api",
        )
        self.hooks = httpx.AsyncClient(
            transport=httpx.ASGITransport(build_app(self.edge, self.services)), base_url=PUBLIC
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.http.aclose()
        await self.hooks.aclose()
        await self.services.aclose()
        await self.database.aclose()

    def _nudge(self) -> None:
        self.nudges += 1

    async def _switch(self, call_id: str, mode: str) -> bool:
        if self.office_error is not None:
            raise self.office_error
        self.switched.append((call_id, mode))
        return self.has_call

    async def _forget_answers(self, tenant_id: str, call_id: str) -> None:
        if self.cache_errors:
            raise self.cache_errors.pop(0)
        self.forgotten.append((tenant_id, call_id))

    async def ask(
        self,
        method: str,
        path: str,
        *,
        tenant: str = "default",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """A request with the key of a tenant; without a key for the tenant ``""``."""
        sent = {"Authorization": f"Bearer {self.keys[tenant]}"} if tenant else {}
        return await self.http.request(method, path, headers={**sent, **(headers or {})}, **more)

    async def place(self, key: str = "", tenant: str = "default", **body: Any) -> httpx.Response:
        """``POST /v1/calls`` to ``THEIRS`` unless told otherwise."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"to": THEIRS, **body}
        return await self.ask("POST", "/v1/calls", tenant=tenant, headers=headers, json=body)

    async def placed(self, tenant: str = "default", **body: Any) -> str:
        """The id of a call that was accepted."""
        answer = await self.place(tenant=tenant, **body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["call_id"])

    async def post(self, target: str, **form: str) -> httpx.Response:
        """A webhook that the carrier has signed; all that follows from it is done."""
        headers = {"X-Twilio-Signature": sign(PUBLIC + target, form.items(), AUTH_TOKEN)}
        answer = await self.hooks.post(target, data=form, headers=headers)
        await self.services.work.settle(5.0)
        return answer

    def target(self, path: str, call_id: str, agent_id: str = "ann", **more: Any) -> str:
        """The path and query that the carrier asks about a call that we placed."""
        token = self.services.urls.token("default", agent_id, call_id, "outbound", **more)
        return f"{path}?o={token}"

    async def request(self, call_id: str, tenant: str = "default") -> CallRequestRow:
        """The request as the table has it."""
        row = await self.stores.requests.get(tenant, call_id)
        assert row is not None
        return row

    async def set(self, call_id: str, **changes: Any) -> None:
        """Change a request, whatever its status."""
        row = await self.request(call_id)
        assert await self.stores.requests.change(
            row.tenant_id, call_id, {row.status}, **{"updated_at_us": self.now_us, **changes}
        )


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and field of a refusal."""
    error = answer.json()["error"]
    assert error["message"]
    return answer.status_code, error["code"], error.get("field", "")
