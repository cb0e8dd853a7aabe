"""What is seen to before a Ray node starts: its environment, and the Redis of a head."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence

from cluster import ports, serve_env
from cluster.errors import ClusterError
from cluster.last_address import value_of
from cluster.run_serve import haproxy_folder

REDIS_SWITCH = "RAY_REDIS_ADDRESS"
_REDIS_OPTION = "--redis-password"

Say = Callable[[str], None]


def prepare_node(port: int, say: Say) -> None:
    """Set in our environment what every process of the node is to have; a person's values stay.

    Args:
        port: Where HAProxy is to listen.
        say: Told what was found.

    Raises:
        ClusterError: The folder for HAProxy's files belongs to somebody else.
    """
    folder = haproxy_folder(port)
    serve_env.make_own_folder(folder)
    if not serve_env.prepare(os.environ, folder=folder):
        say(
            "HAProxy is not available for this platform: Ray Serve's Python proxy carries the audio"
        )
    for pid in ports.end_leftovers(str(folder)):
        say(f"ended a HAProxy that an earlier run had left behind (process {pid})")


def require_redis(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """See that the Redis of a head is there: Ray itself would try for long, and say it in a log.

    Raises:
        ClusterError: It is not, or wants another password.
    """
    from cluster.doctor.check_redis import PASSWORD, redis_finding

    address = environment.get(REDIS_SWITCH, "")
    if "--head" not in arguments or not address:
        return
    given = value_of(arguments, _REDIS_OPTION)
    password = {PASSWORD: given} if given else {}
    found = asyncio.run(redis_finding(address, {**environment, **password}))
    if found.status == "fail":
        raise ClusterError(f"Redis: {found.found}: {found.consequence} ({found.advice})")
