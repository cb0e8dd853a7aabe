from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster.demo_children import ROOT, Child, clean_environment, free_ports
from cluster.demo_guard import USUAL_NICENESS
from cluster.emulator_ports import UNASKED
from cluster.errors import DemoFailed
from simulation.first_served import NICENESS


def test_nothing_real_reaches_the_demo() -> None:
    """Keys, databases, clusters and other settings of the person stay outside."""
    environment = clean_environment(
        {
            "OPENAI_API_KEY": "real",
            "AZURE_SPEECH_KEY": "real",
            "DATABASE_URL": "postgresql://production",
            "TWILIO_ACCOUNT_SID": "AC1",
            "callcluster_tenant_id": "production",
            "RAY_ADDRESS": "10.0.0.1:6379",
            "HOME": "/home/someone",
        },
        {"OPENAI_API_KEY": "emulated"},
    )
    assert environment["OPENAI_API_KEY"] == "emulated"
    assert environment["HOME"] == "/home/someone"
    left = {"AZURE_SPEECH_KEY", "DATABASE_URL", "TWILIO_ACCOUNT_SID", "RAY_ADDRESS"}
    assert not left & environment.keys()
    assert "callcluster_tenant_id" not in environment


def test_the_code_is_found_and_loopback_takes_no_proxy() -> None:
    environment = clean_environment({"PYTHONPATH": "/other", "NO_PROXY": "internal"}, {})
    assert environment["PYTHONPATH"] == f"{ROOT}{os.pathsep}/other"
    assert environment["NO_PROXY"] == "internal,127.0.0.1,localhost"


def test_ports_are_in_a_row_and_outside_what_systems_give_away() -> None:
    ports = free_ports(6)
    assert ports == list(range(ports[0], ports[0] + 6))
    assert all(20_000 <= port < 30_000 for port in ports)


async def _start(arguments: tuple[str, ...], folder: Path) -> Child:
    return await Child.start(
        "the thing",
        arguments,
        environment=clean_environment(os.environ, {}),
        log_path=folder / "thing.log",
        cwd=folder,
    )


@pytest.mark.e2e
def test_a_child_that_does_not_start_shows_why(tmp_path: Path) -> None:
    async def run() -> None:
        child = await _start(("no-such-command",), tmp_path)
        try:
            await child.said(lambda log: None, 20.0)
        finally:
            await child.stop()

    with pytest.raises(DemoFailed) as caught:
        asyncio.run(run())
    message = str(caught.value)
    assert "the thing ended with exit code 2" in message
    assert "no-such-command" in message
    assert "thing.log" in message


@pytest.mark.e2e
def test_a_child_is_ready_when_its_log_says_so_and_stops_when_asked(tmp_path: Path) -> None:
    async def run() -> bool:
        child = await _start(("simulate", "providers", *UNASKED), tmp_path)
        try:
            found = await child.said(lambda log: '"ready": true' in log or None, 20.0)
            child.require_alive()
            with pytest.raises(DemoFailed, match="was not ready after 0 s"):
                await child.said(lambda log: None, 0.0)
        finally:
            await child.stop()
        with pytest.raises(DemoFailed, match="exit code 0"):
            child.require_alive()
        return found

    assert asyncio.run(run())


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="niceness as Linux counts it")
@pytest.mark.parametrize("first", [(), ("--first-served",)])
def test_emulators_come_first_when_they_are_to_and_may(
    first: tuple[str, ...], tmp_path: Path
) -> None:
    """In the session of their guard, which stays as it is."""

    async def run() -> tuple[int, int]:
        child = await _start(("simulate", "providers", *UNASKED, *first), tmp_path)
        try:
            await child.said(lambda log: '"ready": true' in log or None, 20.0)
            (emulators,) = psutil.Process(child.pid).children()
            return emulators.nice(), psutil.Process(child.pid).nice()
        finally:
            await child.stop()

    emulators, guard = asyncio.run(run())
    usual = USUAL_NICENESS  # this process may have asked for more since
    assert guard == usual
    raising = (sys.executable, "-c", f"import os; os.setpriority(os.PRIO_PROCESS, 0, {NICENESS})")
    may = subprocess.run(raising, capture_output=True).returncode == 0
    assert emulators == (NICENESS if first and may else usual)
