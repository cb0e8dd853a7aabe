"""``callcluster stop`` beside a run: it stops what it was meant to, and says what that costs.

Never without RAY_ADDRESS where it would find something to stop: other tests run clusters, too.
"""

from __future__ import annotations

from dataclasses import replace

import psutil
import pytest

from simulation.providers import RunningProviders
from tests.ray.test_serve_command import Running, running
from tests.support.ray_stage import Premises, get_json, premises, until

pytestmark = pytest.mark.ray

NOISE = ("Token authentication", "(pid=", "ServeReplica", "ray.init", "INFO", "WARNING")


def address_of(serving: Running) -> str:
    """Of the GCS below this command."""
    (gcs,) = (each for each in serving.family() if each.name() == "gcs_server")
    words = dict(word.split("=", 1) for word in gcs.cmdline() if "=" in word)
    (listening,) = {
        found.laddr.port
        for found in gcs.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN
    }
    return f"{words['--node-ip-address']}:{listening}"


def answers(place: Premises) -> bool:
    try:
        return get_json(f"{place.url}/readyz")[0] == 200
    except (OSError, ValueError):
        return False


def stop(place: Premises, *options: str, **environment: str) -> tuple[int, str]:
    """Exit code and what it said."""
    there = replace(place, environment={**place.environment, **environment})
    with running(there, "stop", *options) as stopping:
        code = stopping.wait(60)
        assert not [line for line in stopping.lines if any(noise in line for noise in NOISE)]
        return code, stopping.output


def test_a_stop_names_what_it_ends_and_asks_first(providers: RunningProviders) -> None:
    with (
        premises(providers) as place,
        running(place, "serve", "--no-dashboard") as serving,
    ):
        serving.said("ready on port", 60)
        address = address_of(serving)
        until(lambda: answers(place), 10, "readiness")

        code, said = stop(place, CALLCLUSTER_PORT="1")
        assert (code, "nothing was stopped" in said) == (2, True), said
        assert "CALLCLUSTER_PORT is 1 here" in said
        assert answers(place)

        loading = ("load", "--url", place.url, "--calls", "1", "--turns", "30")
        with running(place, *loading) as caller:
            until(lambda: get_json(f"{place.url}/readyz")[1]["cluster_active_calls"], 30, "a call")
            code, said = stop(place, RAY_ADDRESS=address)
            assert (code, "1 call in progress" in said) == (2, True), said
            assert "callcluster stop --yes" in said
            assert caller.process.poll() is None

            code, said = stop(place, "--yes", RAY_ADDRESS=address)
            assert code == 0, said
            assert f"stopping callcluster on the Ray cluster at {address}" in said
            assert f"port {place.port}" in said
            assert "1 call in progress" in said
            caller.wait(60)
        assert not answers(place)

        code, said = stop(place, RAY_ADDRESS=address)
        assert (code, "nothing of callcluster runs" in said) == (0, True), said
