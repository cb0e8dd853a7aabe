"""``GET /metrics`` of one replica: the whole cluster, from memory, for whoever may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from actors.metrics_counts import EventCounts
from actors.metrics_driver import MetricsDriver
from actors.metrics_reporter import ClusterView
from actors.mind_pool import EdgePool
from cluster.edge import Edge
from cluster.edge_parts import EdgeParts
from cluster.metrics_routes import TOO_OLD_S, include_metrics
from cluster.settings import Settings
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics

PUBLIC = "https://voice.example.com"
AGE_S = 30.0
DIRECT = {"Host": "10.0.0.5:8000"}


def view(now: float) -> ClusterView:
    """A cluster with two replicas, as a third one sees it."""
    driver = MetricsDriver(1)
    for name, calls in (("ingress-a", 3), ("ingress-b", 4)):
        ledger = MetricsLedger(name, 1)
        ledger.gauge(c.ACTIVE_CALLS, calls, "ingress")
        ledger.gauge(c.CAPACITY, 20, "ingress")
        ledger.gauge(c.CAPACITY, 10, "call_actor")
        ledger.observe(c.RESPONSE_LATENCY, 0.5, "t1", "ann", "en-US")
        driver.report({"v": 1, "snapshot": ledger.snapshot()}, now=0.0)
    answer = driver.report({"view": 0}, now=0.0)["view"]
    return ClusterView(answer["number"], now, answer["text"], answer["summary"])


class Replica:
    """The routes of a replica with this view; ``age_s`` is how old the view is."""

    def __init__(self, *, age_s: float | None = AGE_S, **settings: Any) -> None:
        self.ledger = MetricsLedger("c", 1)
        self._age_s = age_s
        values = {"twilio_auth_token": "t" * 32, "public_url": PUBLIC, **settings}
        parts = EdgeParts(
            agents={},
            call_parts={},
            pool=cast(EdgePool, None),
            wall_clock_us=lambda: 0,
            counts=EventCounts(self.ledger),
            cluster_view=self._view,
            planned_end=cast(Any, None),
        )
        self.app = FastAPI()
        include_metrics(self.app, Edge(Settings(_env_file=None, **values), parts))

        @self.app.post("/twilio/voice")
        async def voice() -> str:
            return "<Response/>"

    def _view(self) -> ClusterView | None:
        if self._age_s is None:
            return None
        return view(asyncio.get_running_loop().time() - self._age_s)

    def get(self, path: str = "/metrics", headers: Mapping[str, str] = DIRECT) -> httpx.Response:
        return asyncio.run(self.ask("GET", path, headers))

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] = DIRECT
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.request(method, path, headers=dict(headers))


def test_prometheus_reads_the_sum_of_all_replicas_and_its_age() -> None:
    answer = Replica().get()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    active = families["callcluster_active_calls"].samples
    assert [(s.labels, s.value) for s in active] == [({"process": "ingress"}, 7)]
    latency = families["callcluster_response_latency_seconds"]
    assert next(s for s in latency.samples if s.name.endswith("_count")).value == 2
    age_s = families["callcluster_view_age_seconds"].samples[0].value
    assert AGE_S - 10 < age_s <= AGE_S
    assert float(answer.headers["x-view-age-seconds"]) == age_s


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/metrics", "application/json"),
        ("/metrics?format=json", "*/*"),
        ("/metrics?format=json", "text/plain"),
    ],
)
def test_json_when_it_is_asked_for(path: str, accept: str) -> None:
    found = Replica().get(path, {**DIRECT, "Accept": accept}).json()
    assert found["active_calls"] == 7
    assert found["max_concurrent_calls"] == 20
    assert found["utilization_percent"] == 35
    assert found["latency_s"]["response"]["count"] == 2
    assert AGE_S - 10 < found["age_s"] <= AGE_S


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/metrics", "*/*"),
        ("/metrics?format=prometheus", "application/json"),
        ("/metrics", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
        ("/metrics", "application/json;q=0.1, text/plain"),
    ],
)
def test_text_else(path: str, accept: str) -> None:
    answer = Replica().get(path, {**DIRECT, "Accept": accept})
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("age_s", [None, TOO_OLD_S + 1])
def test_without_a_view_it_says_so(age_s: float | None) -> None:
    answer = Replica(age_s=age_s).get()
    assert answer.status_code == 503
    assert "MetricsActor" in answer.json()["error"]


# --- who may read it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("Bearer secret-token", 200),
        ("Bearer wrong", 401),
        ("bearer", 401),
        ("Bearer sécret", 401),
        ("", 401),
    ],
)
def test_a_token_is_asked_for_when_one_is_set(sent: str, status: int) -> None:
    for mode in ("production", "development"):
        replica = Replica(metrics_token="secret-token", mode=mode)
        headers = {**DIRECT, "X-Forwarded-For": "8.8.8.8"}
        raw = {**headers, "Authorization": sent.encode()} if sent else headers
        answer = replica.get(headers=cast(Any, raw))
        assert answer.status_code == status
        assert "secret-token" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "voice.example.com"},
        {"Host": "Voice.Example.com:443"},
        {**DIRECT, "X-Forwarded-For": "203.0.113.7"},
        {**DIRECT, "X-Forwarded-Proto": "https"},
        {**DIRECT, "Forwarded": "for=203.0.113.7"},
        {**DIRECT, "Via": "1.1 front"},
    ],
)
def test_without_a_token_the_public_front_shows_nothing(headers: dict[str, str]) -> None:
    answer = Replica().get(headers=headers)
    assert answer.status_code == 403
    assert "CALLCLUSTER_METRICS_TOKEN" in answer.json()["error"]
    assert Replica(mode="development").get(headers=headers).status_code == 200


# --- the answer to a new call ---------------------------------------------------------------------


def test_the_answer_to_a_new_call_is_timed_and_nothing_else() -> None:
    replica = Replica()
    for method, path in (("POST", "/twilio/voice"), ("GET", "/twilio/voice"), ("GET", "/metrics")):
        asyncio.run(replica.ask(method, path))
    merged = MergedMetrics()
    merged.merge(replica.ledger.snapshot())
    sketch = merged.sketches()[c.ADMISSION_LATENCY.name, ()]
    assert (sketch.count, len(merged.sketches())) == (1, 1)
