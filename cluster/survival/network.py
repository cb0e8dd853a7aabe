"""Several machines on one: a network namespace for each node, and a bridge between them.

Each node has an address of its own, all its ports, and a link that can be cut: then its packets
vanish, as those of a machine do that has lost its power or its switch. Needs root on Linux, and
``ip`` (Debian: iproute2).
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psutil

from cluster.errors import DemoFailed

HOST: Final = 1  # the last number of the address of this machine
_NAME = re.compile(r"^ccn(\d+)-\d+$")
_TRIES = 20


def network_trouble() -> str:
    """Why this machine cannot play several; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces are Linux's"
    if shutil.which("ip") is None:
        return "ip is not installed (Debian: apt install iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    probe = f"ccn{os.getpid()}-99"
    try:
        _ip("netns", "add", probe)
    except DemoFailed as error:
        return str(error)
    _quietly("netns", "del", probe)
    return ""


class NodeNetwork:
    """Namespaces ``0`` to ``count - 1`` and the bridge; see ``node_network``.

    Args:
        count: How many nodes.
        subnet: The first three numbers of all addresses.
    """

    def __init__(self, count: int, subnet: str) -> None:
        self._subnet = subnet
        self._pid = os.getpid()
        self.count = count

    @property
    def host(self) -> str:
        """This machine's own address, which nodes reach."""
        return f"{self._subnet}.{HOST}"

    def address(self, node: int) -> str:
        """Of a node."""
        return f"{self._subnet}.{node + HOST + 1}"

    def inside(self, node: int) -> tuple[str, ...]:
        """What comes before a command that is to run on a node."""
        return ("ip", "netns", "exec", self._namespace(node))

    def cut(self, node: int) -> None:
        """Let every packet from and to a node vanish. Raises ``DemoFailed``."""
        _ip("link", "set", self._link(node), "down")

    def join(self, node: int) -> None:
        """The end of ``cut``. Raises ``DemoFailed``."""
        _ip("link", "set", self._link(node), "up")

    def build(self) -> None:
        """Make all of it. Raises ``DemoFailed``."""
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self.host}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for node in range(self.count):
            space, link, inner = self._namespace(node), self._link(node), f"cci{self._pid}{node}"
            _ip("netns", "add", space)
            _ip("link", "add", link, "type", "veth", "peer", "name", inner)
            _ip("link", "set", inner, "netns", space)
            _ip("-n", space, "link", "set", inner, "name", "eth0")
            _ip("-n", space, "addr", "add", f"{self.address(node)}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("link", "set", link, "master", self._bridge, "up")

    def remove(self) -> None:
        """Take all of it away; what is not there is no trouble."""
        for node in range(self.count):
            _quietly("link", "del", self._link(node))
            _quietly("netns", "del", self._namespace(node))
        _quietly("link", "del", self._bridge)

    @property
    def _bridge(self) -> str:
        return f"ccb{self._pid}"

    def _namespace(self, node: int) -> str:
        return f"ccn{self._pid}-{node}"

    def _link(self, node: int) -> str:
        return f"ccl{self._pid}{node}"


@contextmanager
def node_network(count: int) -> Iterator[NodeNetwork]:
    """A network for the length of a block. Raises ``DemoFailed`` when it cannot be."""
    remove_leftovers()
    network = NodeNetwork(count, _free_subnet())
    try:
        network.build()
        yield network
    finally:
        network.remove()


def remove_leftovers() -> None:
    """Take away the networks of runs that were killed."""
    for line in _ip("netns", "list").splitlines():
        match = _NAME.match(line.split()[0] if line.split() else "")
        if match and not psutil.pid_exists(int(match[1])):
            _quietly("netns", "del", match[0])
            _quietly("link", "del", f"ccb{match[1]}")


def _free_subnet() -> str:
    taken = _ip("-4", "addr", "show") + _ip("route", "show")
    for number in random.sample(range(256), _TRIES):
        subnet = f"10.213.{number}"
        if f"{subnet}." not in taken:
            return subnet
    raise DemoFailed("10.213.0.0/16, where the nodes of this run would be, is in use here")


def _ip(*arguments: str) -> str:
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise DemoFailed(f"'ip {' '.join(arguments)}' failed: {done.stderr.strip()}")
    return done.stdout


def _quietly(*arguments: str) -> None:
    with contextlib.suppress(DemoFailed):
        _ip(*arguments)
