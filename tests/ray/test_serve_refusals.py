"""What ``callcluster`` refuses before there is a Ray cluster, in one line that names a setting."""

from __future__ import annotations

import os
import socket

import psutil
import pytest

from cluster import ports
from simulation.providers import RunningProviders
from tests.ray.test_serve_command import running
from tests.support.ray_stage import premises

pytestmark = pytest.mark.e2e


def test_without_a_token_production_says_what_to_set(providers: RunningProviders) -> None:
    with (
        premises(providers, TWILIO_AUTH_TOKEN="", CALLCLUSTER_MODE="production") as place,
        running(place, "serve", "--no-dashboard") as command,
    ):
        assert command.wait() == 2
        assert len(command.lines) == 1
        assert "TWILIO_AUTH_TOKEN is not set" in command.output
        assert "CALLCLUSTER_MODE=development" in command.output


def test_a_port_in_use_is_said_with_its_owner_and_the_setting(providers: RunningProviders) -> None:
    with premises(providers) as place, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", place.port))
        other.listen()
        with running(place, "serve", "--no-dashboard") as command:
            assert command.wait() == 2
            assert len(command.lines) == 1
            name = psutil.Process().name()
            taken = f"port {place.port} is taken by {name} (process {os.getpid()})"
            assert taken in command.output
            assert "CALLCLUSTER_PORT" in command.output


def test_a_cluster_that_is_not_there_is_named(providers: RunningProviders) -> None:
    nobody = f"127.0.0.1:{ports.free_port()}"
    with premises(providers, RAY_ADDRESS=nobody) as place, running(place, "stop") as command:
        assert command.wait(60) == 2
        assert f"no Ray cluster at '{nobody}' (RAY_ADDRESS)" in command.output
