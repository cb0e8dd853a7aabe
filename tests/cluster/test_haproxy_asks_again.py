"""A replica that dies with a question costs nobody the call: HAProxy, as it is kept, asks another.

With the real HAProxy, and servers that die instead of answering.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from cluster import haproxy_configs, serve_env
from cluster.demo_children import free_ports
from cluster.haproxy_configs import kept_config

# What matters here of Ray Serve's configuration; no check that is late takes a server out.
SERVES = """global
    log 127.0.0.1:{log} local0 info
    maxconn 500
defaults
    timeout check 8s
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    log global
    option httplog
    option abortonclose
    option redispatch 1
    retry-on {retry_on}
    option idle-close-on-response
    errorfile 502 {folder}/500.http
    errorfile 503 {folder}/500.http
    errorfile 504 {folder}/500.http
    balance leastconn
frontend http_frontend
    bind 127.0.0.1:{port}
    default_backend http-callcluster
backend http-callcluster
    http-reuse always
    option httpchk GET /-/healthz
    http-check expect status 200
    default-server fastinter 250ms downinter 250ms fall 100 rise 2 inter 1s check
"""
ERROR_LIMIT = int(serve_env.SERVE_ENVIRONMENT["RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT"])
SERVER = "    server {name} 127.0.0.1:{port} check observe layer4 error-limit {limit} {on}\n"
REFUSED = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
OPENED = (
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLBMiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
UNWATCHED = "\r\nx-request-disconnect-disabled: ?1\r\n"
DONE = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Replica:
    """Answers, holds what it is asked, or breaks off after the question."""

    breaks_off: bool = False
    asked: list[str] = field(default_factory=list)
    unwatched: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                if length := re.search(r"content-length: (\d+)", head, re.IGNORECASE):
                    await reader.readexactly(int(length[1]))
                method, path, _ = head.split(maxsplit=2)
                if path != "/-/healthz":
                    self.asked.append(f"{method} {path}")
                    if UNWATCHED in head.lower():
                        self.unwatched.append(path)
                    if self.breaks_off:
                        break
                if path == "/v1/hold":
                    self.held.set()
                    await asyncio.Event().wait()
                writer.write((OPENED if "upgrade:" in head.lower() else DONE).encode())
                await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(replica: Replica, port: int = 0) -> AsyncIterator[int]:
    taken: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.add(asyncio.ensure_future(replica.serve(reader, writer)))

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in taken:
            each.cancel()
        await asyncio.gather(*taken, return_exceptions=True)


@asynccontextmanager
async def asked_by_haproxy(
    folder: Path, ports: list[int], retry_on: str = "conn-failure", log: int = 9
) -> AsyncIterator[httpx.AsyncClient]:
    (port,) = free_ports(1)
    (folder / "500.http").write_text(REFUSED)
    config = SERVES.format(folder=folder, port=port, retry_on=retry_on, log=log)
    for name, each in enumerate(ports):
        config += SERVER.format(name=name, port=each, limit=ERROR_LIMIT, on="on-error mark-down")
    path = folder / "haproxy.cfg"
    path.write_text(kept_config(config))
    process = await asyncio.create_subprocess_exec(
        serve_env.haproxy_binary(), "-db", "-f", path, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            trust_env=False,
            timeout=20.0,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as http:
            async with asyncio.timeout(10.0):
                while not await _is_up(http):
                    await asyncio.sleep(0.02)
            yield http
    finally:
        process.kill()
        await process.wait()


async def _is_up(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/-/healthz")).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(autouse=True)
def _haproxy() -> None:
    if not serve_env.haproxy_available():
        pytest.skip("no HAProxy for this platform")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("method", "path", "again"),
    [
        ("POST", "/twilio/resume?s=x", True),
        ("POST", "/twilio/voice", True),
        ("GET", "/twilio/media", True),
        ("GET", "/v1/calls", True),
        ("POST", "/v1/calls", False),
        ("DELETE", "/v1/calls/1", False),
    ],
)
def test_what_a_dying_replica_has_not_answered_is_asked_again_where_that_does_no_harm(
    method: str, path: str, again: bool, tmp_path: Path
) -> None:
    statuses, dying = asyncio.run(_ask_beside_a_dying_one(tmp_path, method, path))
    assert f"{method} {path}" in dying.asked, statuses
    opens = path == "/twilio/media"
    assert statuses == ({101 if opens else 200} if again else {200, 500})


async def _ask_beside_a_dying_one(
    folder: Path, method: str, path: str, retry_on: str = "conn-failure"
) -> tuple[set[int], Replica]:
    dying, living = Replica(breaks_off=True), Replica()
    async with (
        listening(dying) as one,
        listening(living) as other,
        asked_by_haproxy(folder, [one, other], retry_on) as http,
    ):
        headers = UPGRADE if path == "/twilio/media" else {}
        data = {"CallSid": "CA1"} if method == "POST" else None
        statuses = set()
        for _ in range(6):
            async with http.stream(method, path, headers=headers, data=data) as answer:
                statuses.add(answer.status_code)
    return statuses, dying


@pytest.mark.e2e
def test_who_has_chosen_what_is_asked_again_keeps_it(tmp_path: Path) -> None:
    asked = _ask_beside_a_dying_one(tmp_path, "POST", "/twilio/resume", "none")
    assert asyncio.run(asked)[0] == {200, 500}


@pytest.mark.e2e
@pytest.mark.parametrize("dead", [1, 3])
def test_those_that_died_with_their_node_use_up_nobodys_tries(dead: int, tmp_path: Path) -> None:
    """They have the fewest calls of all, so they are asked first."""
    assert asyncio.run(_ask_beside_dead_ones(tmp_path, dead)) == 200


async def _ask_beside_dead_ones(folder: Path, dead: int) -> int:
    living = Replica()
    async with contextlib.AsyncExitStack() as node, listening(living) as port:
        dying = [Replica() for _ in range(dead)]
        ports = [await node.enter_async_context(listening(each)) for each in dying]
        async with asked_by_haproxy(folder, [*ports, port]) as http:
            calls: list[asyncio.Task[httpx.Response]] = []
            while not living.held.is_set():  # the others lose theirs
                calls.append(asyncio.create_task(http.post("/v1/hold")))
                await asyncio.wait(calls, timeout=0.05)
            await node.aclose()
            answer = await http.post("/twilio/resume", data={"CallSid": "CA1"})
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
    return answer.status_code


@pytest.mark.e2e
def test_serve_watches_everybody_but_the_sockets_of_calls(tmp_path: Path) -> None:
    asked = [
        ("/twilio/media", UPGRADE),
        ("/twilio/relay/x", {**UPGRADE, "Upgrade": "WebSocket"}),
        ("/twilio/voice", {}),
        ("/v1/live", UPGRADE),
    ]

    async def ask() -> list[str]:
        replica = Replica()
        async with listening(replica) as port, asked_by_haproxy(tmp_path, [port]) as http:
            for path, headers in asked:
                async with http.stream("GET", path, headers=headers):
                    pass
        assert len(replica.asked) == len(asked)
        return replica.unwatched

    assert asyncio.run(ask()) == ["/twilio/media", "/twilio/relay/x"]


@pytest.mark.e2e
def test_no_number_and_no_token_is_logged(tmp_path: Path) -> None:
    """To the machine's syslog, which others read and keep."""
    asked = ("/v1/calls?from=%2B14155550123", "/twilio/resume?s=TOKEN", "/twilio/relay/TOKEN")

    async def ask() -> str:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
            syslog.bind(("127.0.0.1", 0))
            syslog.setblocking(False)
            log = syslog.getsockname()[1]
            async with (
                listening(Replica()) as port,
                asked_by_haproxy(tmp_path, [port], log=log) as http,
            ):
                for path in (*asked, "/the/last"):
                    assert (await http.get(path)).status_code == 200
                said = ""
                async with asyncio.timeout(10.0):
                    while "/the/last" not in said:
                        said += (await asyncio.get_running_loop().sock_recv(syslog, 9_000)).decode()
        return said

    said = asyncio.run(ask())
    assert "GET /v1/calls" in said
    assert "GET /twilio/resume" in said
    assert " 200 " in said
    for secret in ("4155550123", "TOKEN", "relay", "?"):
        assert secret not in said


@pytest.mark.e2e
@pytest.mark.parametrize("half", [b"", b"GET /v1/calls HTTP/1.1\r\nHost: x\r\n"])
def test_half_a_request_is_not_waited_for_as_long_as_a_call(
    half: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        haproxy_configs,
        "_KEPT",
        tuple((find, put.replace("5000ms", "100ms")) for find, put in haproxy_configs._KEPT),
    )

    async def ask() -> None:
        async with listening(Replica()) as port, asked_by_haproxy(tmp_path, [port]) as http:
            reader, writer = await asyncio.open_connection("127.0.0.1", http.base_url.port)
            writer.write(half)
            async with asyncio.timeout(20.0):  # a call's would be 60 s here
                assert b"200" not in await reader.read()
            writer.close()

    asyncio.run(ask())


def test_serve_still_writes_what_is_looked_for() -> None:
    found = importlib.util.find_spec("ray")
    assert found is not None
    assert found.origin is not None
    template = Path(found.origin).with_name("serve") / "_private" / "haproxy_templates.py"
    text = template.read_text("utf-8")
    assert "\n    http-reuse always\n" in text
    assert "\n    retry-on {{ config.retry_on }}\n" in text
    assert "\n    option httplog\n" in text
    assert "\ndefaults\n    mode http\n" in text
    assert " error-limit {{ config.observe_error_limit }} " in text
    known = template.with_name("constants.py").read_text("utf-8")
    assert '"x-request-disconnect-disabled"' in known
