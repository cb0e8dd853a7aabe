"""Redis, where the head of a cluster keeps its state: is it there, and does it let us in?

Without it the death of one process, the GCS, ends a cluster and all its calls. A laptop needs none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import psutil

from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.place import Place

ADDRESS = "RAY_REDIS_ADDRESS"
PASSWORD = "RAY_REDIS_PASSWORD"  # noqa: S105 - the name of the variable
_WITHIN_S = 3.0
_PORT = 6379
_ENDS_ALL = "when the GCS of the head dies, the cluster ends, and all calls with it"


async def examine_redis(place: Place) -> Findings:
    """See the top of this file."""
    address = place.environment.get(ADDRESS, "")
    if address:
        return [await redis_finding(address, place.environment)]
    commands = await in_thread(_gcs_commands)
    return [unset_finding(commands, is_cluster=bool(place.environment.get("RAY_ADDRESS")))]


def unset_finding(commands: list[list[str]], *, is_cluster: bool) -> Finding:
    """What it means that the address is not set.

    Args:
        commands: Of every GCS that runs on this host.
        is_cluster: Whether the environment names a cluster.
    """
    with_redis = [any(arg.startswith("--redis_address=") for arg in one) for one in commands]
    if with_redis and all(with_redis):
        return ok("Redis", "the GCS of this host keeps its state there")
    if commands and is_cluster:
        return warn(
            "Redis",
            f"{ADDRESS} is not set, and the GCS of this host keeps its state in memory",
            _ENDS_ALL,
            f"start a Redis server, set {ADDRESS} and start the head again (docs/survival.md)",
        )
    return skipped("Redis", f"{ADDRESS} is not set: a single machine needs none")


async def redis_finding(address: str, environment: Mapping[str, str]) -> Finding:
    """Ask the server for a PONG, with the password if there is one."""
    if address.startswith("rediss://"):
        return skipped("Redis", f"{ADDRESS} is over TLS: not tried")
    try:
        host, port = _place(address)
    except ValueError:
        return fail(
            "Redis", f"{ADDRESS} is no address", "the head does not start", "write HOST:PORT"
        )
    password = environment.get(PASSWORD, "")
    try:
        async with asyncio.timeout(_WITHIN_S):
            said = await _ping(host, port, password)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        return fail(
            "Redis",
            f"{host}:{port} does not answer: {why}",
            f"the head does not start; {_ENDS_ALL}",
            f"start it, or set {ADDRESS} to where it is",
        )
    if said == "+PONG":
        return ok("Redis", f"{host}:{port}")
    if said.startswith(("-NOAUTH", "-WRONGPASS", "-ERR invalid password", "-ERR AUTH")):
        return fail("Redis", f"{host}:{port} wants a password", "the head does not start", PASSWORD)
    return fail(
        "Redis",
        f"{host}:{port} answers, but not as Redis",
        "the head does not start",
        f"{ADDRESS} names something else",
    )


async def _ping(host: str, port: int, password: str) -> str:
    """The answer to PING, or the refusal of the password. Raises ``OSError``."""
    reader, writer = await asyncio.open_connection(host, port)
    said = ""
    try:
        for words in ([["AUTH", password]] if password else []) + [["PING"]]:
            writer.write(_request(words))
            await writer.drain()
            line = await reader.readline()
            said = line.decode("utf-8", "replace").strip()
            # A server without a password refuses one, and is fine without.
            if said.startswith("-") and "without any password" not in said:
                return said
        return said
    except ValueError:  # a line that never ends
        return ""
    finally:
        writer.close()


def _request(words: list[str]) -> bytes:
    parts = [f"*{len(words)}"]
    for word in words:
        parts += [f"${len(word.encode())}", word]
    return ("\r\n".join(parts) + "\r\n").encode()


def _place(address: str) -> tuple[str, int]:
    """Of ``HOST:PORT``, ``HOST`` or ``redis://HOST:PORT``, the first of several with commas.

    Raises ``ValueError``.
    """
    address = address.partition(",")[0]
    parts = urlsplit(address if "://" in address else f"//{address}")
    if not parts.hostname:
        raise ValueError(address)
    return parts.hostname, parts.port or _PORT


def _gcs_commands() -> list[list[str]]:
    return [
        process.info["cmdline"] or []
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "gcs_server"
    ]
