"""The front that ships is the one behind which node faults are played, and HAProxy takes it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from cluster.demo_children import free_ports
from cluster.errors import DemoFailed
from cluster.survival import front
from cluster.survival.front import SHIPPED, front_binary, front_config, running_front

NODES = ("10.1.2.3:8000", "10.1.2.4:8000", "10.1.2.5:8000")
PATIENCE_S = 60.0
CHECK = "timeout check 400ms"


@pytest.fixture
def patient_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both nodes stay up: how soon a test's process answers a check is not what is tested here."""
    shipped = SHIPPED.read_text("utf-8")
    assert CHECK in shipped
    path = tmp_path / "shipped.cfg"
    path.write_text(shipped.replace(CHECK, f"timeout check {PATIENCE_S:.0f}s"), "utf-8")
    monkeypatch.setattr(front, "SHIPPED", path)


@pytest.mark.e2e
@pytest.mark.parametrize("starts", [True, False])
def test_a_front_is_there_once_it_takes_connections_however_long_that_takes(
    starts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary, slow = front_binary(), tmp_path / "slow"
    if not binary:
        pytest.skip("no HAProxy for this platform")
    slow.write_text(f'#!/bin/sh\nsleep 0.7\n{f"exec {binary}" if starts else "false"} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(front, "front_binary", lambda: str(slow))

    async def run() -> None:
        (port,) = free_ports(1)
        async with running_front(tmp_path, port, NODES):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()

    if starts:
        asyncio.run(run())
    else:
        with pytest.raises(DemoFailed, match="does not start"):
            asyncio.run(run())


def test_only_the_marked_lines_are_other_ones() -> None:
    shipped = SHIPPED.read_text("utf-8")
    config = front_config(shipped, 4_000, NODES)
    assert "    bind 127.0.0.1:4000\n" in config
    servers = [line.split()[1:] for line in config.splitlines() if line.startswith("    server ")]
    assert [each[1] for each in servers if each[0].startswith("node-")] == [*NODES]
    assert [each[1] for each in servers if "backup" in each] == [*NODES]
    assert len(servers) == 2 * len(NODES)
    assert all("tcp-ut 2s" in " ".join(each) for each in servers)  # default-server: does nothing
    mine = {line for line in shipped.splitlines() if "# yours" not in line}
    assert mine <= set(config.splitlines())


def test_a_front_without_those_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="marked"):
        front_config("global\n", 4_000, NODES)


def test_haproxy_takes_it(tmp_path: Path) -> None:
    if not (binary := front_binary()):
        pytest.skip("no HAProxy for this platform")
    path = tmp_path / "front.cfg"
    path.write_text(front_config(SHIPPED.read_text("utf-8"), 4_000, NODES), "utf-8")
    done = subprocess.run((binary, "-c", "-f", path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
@pytest.mark.usefixtures("patient_checks")
def test_what_a_dying_node_has_not_answered_is_asked_again_if_the_carrier_asks(
    tmp_path: Path,
) -> None:
    if not front_binary():
        pytest.skip("no HAProxy for this platform")
    resumed, placed, asked = asyncio.run(_ask_beside_a_dying_node(tmp_path))
    assert resumed == {200}
    assert b"/twilio/resume" in asked  # the dying one was asked, too
    assert placed == {200, 502}  # and nobody in its place


async def _ask_beside_a_dying_node(folder: Path) -> tuple[set[int], set[int], list[bytes]]:
    asked: list[bytes] = []

    async def node(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dies: bool) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/-/healthz" in head or not dies:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        else:
            asked.append(head.split()[1])
        writer.close()

    dying = await asyncio.start_server(lambda r, w: node(r, w, True), "127.0.0.1", 0)
    living = await asyncio.start_server(lambda r, w: node(r, w, False), "127.0.0.1", 0)
    places = [f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in (dying, living)]
    (port,) = free_ports(1)
    async with (
        dying,
        living,
        running_front(folder, port, places),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_keepalive_connections=0),  # a kept one is closed in silence
        ) as http,
    ):
        resumed = [(await http.post("/twilio/resume", data={"CallSid": "CA1"})) for _ in range(6)]
        placed = [(await http.post("/v1/calls", json={"to": "+14155550123"})) for _ in range(6)]
    return (
        {answer.status_code for answer in resumed},
        {answer.status_code for answer in placed},
        asked,
    )


@pytest.mark.e2e
@pytest.mark.usefixtures("patient_checks")
@pytest.mark.parametrize("kept", [0, 1])
def test_three_that_break_off_in_a_row_do_not_cost_the_call(kept: int, tmp_path: Path) -> None:
    """Both nodes: HAProxy of the one that lives asks a replica of the other that has just died."""
    if not front_binary():
        pytest.skip("no HAProxy for this platform")
    assert asyncio.run(_ask_while_three_break_off(tmp_path, kept)) == 200


async def _ask_while_three_break_off(folder: Path, kept: int) -> int:
    left = 0

    async def node(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if length := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
                    await reader.readexactly(int(length[1]))
                if left and b"/-/healthz" not in head:
                    left -= 1
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    nodes = [await asyncio.start_server(node, "127.0.0.1", 0) for _ in range(2)]
    places = [f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in nodes]
    (port,) = free_ports(1)
    async with (
        nodes[0],
        nodes[1],
        running_front(folder, port, places),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_keepalive_connections=kept),
        ) as http,
    ):
        assert (await http.post("/twilio/resume", data={"CallSid": "CA1"})).status_code == 200
        left = 3
        return (await http.post("/twilio/resume", data={"CallSid": "CA1"})).status_code


@pytest.mark.e2e
def test_nodes_that_all_miss_their_checks_are_asked_all_the_same(tmp_path: Path) -> None:
    """A machine so busy that checks come late still answers calls."""
    if not front_binary():
        pytest.skip("no HAProxy for this platform")
    while_well, while_busy = asyncio.run(_ask_nodes_that_miss_checks(tmp_path))
    assert while_well == {200}
    assert while_busy == {200}


async def _ask_nodes_that_miss_checks(folder: Path) -> tuple[set[int], set[int]]:
    is_busy, missed = False, [0, 0]

    async def node(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            if is_busy and b"/-/healthz" in head:
                missed[number] += 1
            else:
                # By this the product knows who comes from outside, whatever name he asks for.
                assert b"/-/healthz" in head or b"\r\nx-forwarded-for: 127.0.0.1" in head.lower()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
        writer.close()

    nodes = [
        await asyncio.start_server(lambda r, w, n=n: node(n, r, w), "127.0.0.1", 0)
        for n in range(2)
    ]
    places = [f"127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in nodes]
    (port,) = free_ports(1)
    async with (
        nodes[0],
        nodes[1],
        running_front(folder, port, places),
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=PATIENCE_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as http,
    ):
        well = {(await http.post("/twilio/voice")).status_code for _ in range(4)}
        is_busy = True
        while min(missed) < 4:  # twice is down; these are twice as many
            await asyncio.sleep(0.05)
        busy = {(await http.post("/twilio/voice")).status_code for _ in range(8)}
    return well, busy
