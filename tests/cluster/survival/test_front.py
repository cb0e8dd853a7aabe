"""The front that ships is the one behind which node faults are played, and HAProxy takes it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cluster.survival.front import SHIPPED, front_binary, front_config

NODES = ("10.1.2.3:8000", "10.1.2.4:8000", "10.1.2.5:8000")


def test_only_the_marked_lines_are_other_ones() -> None:
    shipped = SHIPPED.read_text("utf-8")
    config = front_config(shipped, 4_000, NODES)
    assert "    bind 127.0.0.1:4000\n" in config
    assert [line.split()[2] for line in config.splitlines() if "server node-" in line] == [*NODES]
    assert config.count(" tcp-ut 2s\n") == len(NODES)  # in default-server it does nothing
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
