"""``serve run serve_app:app`` without HAProxy: it works, says what it costs, and can be stopped."""

from __future__ import annotations

import asyncio

import pytest

from simulation.carrier import Carrier, CarrierConfig
from simulation.providers import RunningProviders
from tests.ray.test_serve_command import running
from tests.support.ray_phone import Telephones
from tests.support.ray_stage import AUTH_TOKEN, get_json, premises, until

pytestmark = pytest.mark.cluster

DEPLOY = """
import sys
import ray
from ray import serve
from serve_app import build_app
context = ray.init(
    address="local", num_cpus=4, include_dashboard=False, object_store_memory=10**8,
    log_to_driver=False,
)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(build_app({}), name="callcluster", route_prefix="/")
print("cluster at", context.address_info["gcs_address"], flush=True)
sys.stdin.readline()
print("named actors:", ray.util.list_named_actors(all_namespaces=True), flush=True)
"""


def test_the_python_proxy_carries_a_call_and_stop_removes_the_actors(
    providers: RunningProviders,
) -> None:
    extra = {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
    with (
        premises(providers, **extra) as place,
        running(place, str(place.port), code=DEPLOY) as deployed,
    ):
        address = deployed.said("cluster at").split()[-1]
        until(lambda: get_json(f"{place.url}/readyz")[0] == 200, 120, "readiness")
        report = get_json(f"{place.url}/readyz")[1]
        assert report["haproxy"] is False
        assert "four times the CPU" in report["warnings"][0]

        async def call() -> None:
            async with Carrier(CarrierConfig(place.url, AUTH_TOKEN)) as carrier:
                result = await Telephones(carrier).call("card001").result()
                assert [turn.outcome for turn in result.turns] == ["answered"]

        asyncio.run(call())
        place.environment.update(RAY_ADDRESS=address, RAY_AUTH_MODE="token")
        with running(place, "stop") as stop:
            assert stop.wait(120) == 0
            assert "removed call-directory" in stop.output
            assert "removed call-actor" in stop.output
        assert deployed.process.stdin is not None
        deployed.process.stdin.write("\n")
        deployed.process.stdin.flush()
        assert deployed.said("named actors:").endswith("[]")
