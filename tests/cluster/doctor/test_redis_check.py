"""What the doctor says of Redis: missing, hung, with another password, something else."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.doctor import check_redis
from cluster.doctor.check_redis import redis_finding, unset_finding
from cluster.doctor.finding import Finding

WITH, WITHOUT = ["gcs_server", "--redis_address=10.0.0.1"], ["gcs_server", "--log_dir=/x"]


@pytest.mark.parametrize(
    ("commands", "is_cluster", "status"),
    [
        ([], False, "skipped"),
        ([WITHOUT], False, "skipped"),  # a laptop
        ([], True, "skipped"),  # the head is elsewhere
        ([WITHOUT], True, "warn"),
        ([WITH], True, "ok"),
        ([WITH, WITHOUT], True, "warn"),
    ],
)
def test_without_an_address(commands: list[list[str]], is_cluster: bool, status: str) -> None:
    assert unset_finding(commands, is_cluster=is_cluster).status == status


@pytest.mark.parametrize("address", ["", ":6379", "redis:port", "a:99999"])
def test_what_is_no_address_is_said(address: str) -> None:
    found = asyncio.run(redis_finding(address, {}))
    assert (found.status, found.found) == ("fail", "RAY_REDIS_ADDRESS is no address")


@contextmanager
def a_free_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def ask(answer: Callable[[bytes], bytes | None], password: str = "") -> Finding:
    """What is found at a server that answers each request so; None: it says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(1_000):
            said = answer(request)
            if said is not None:
                writer.write(said)
        writer.close()

    async def scene() -> Finding:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        environment = {"RAY_REDIS_PASSWORD": password} if password else {}
        found = await redis_finding(f"127.0.0.1:{port}", environment)
        server.close()
        return found

    return asyncio.run(scene())


@pytest.mark.e2e
def test_a_server_that_is_away_or_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_free_port() as port:
        away = asyncio.run(redis_finding(f"127.0.0.1:{port}", {}))
    assert away.status == "fail"
    assert "does not answer: " in away.found
    assert "not as Redis" in ask(lambda _request: b"HTTP/1.1 400 Bad Request\r\n\r\n").found
    assert ask(lambda _request: b"x" * 200_000).status == "fail"
    monkeypatch.setattr(check_redis, "_WITHIN_S", 0.05)
    assert "does not answer" in ask(lambda _request: None).found


REDIS = shutil.which("redis-server")


@contextmanager
def a_redis(folder: Path, *options: str) -> Iterator[int]:
    assert REDIS is not None
    with a_free_port() as port:
        pass
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "Ready to accept connections" in line:
                break
        yield port
    finally:
        running.kill()
        running.communicate()


@pytest.mark.e2e
@pytest.mark.skipif(REDIS is None, reason="Debian's redis-server is not installed")
def test_the_real_one_with_and_without_a_password(tmp_path: Path) -> None:
    async def found(port: int, password: str) -> str:
        environment = {"RAY_REDIS_PASSWORD": password} if password else {}
        return (await redis_finding(f"127.0.0.1:{port}", environment)).status

    async def each(port: int) -> list[str]:
        ways: list[Awaitable[str]] = [found(port, word) for word in ("", "sesame", "other")]
        return [await way for way in ways]

    with a_redis(tmp_path) as port:
        assert asyncio.run(each(port))[:2] == ["ok", "ok"]
    with a_redis(tmp_path, "--requirepass", "sesame") as port:
        assert asyncio.run(each(port)) == ["fail", "ok", "fail"]
