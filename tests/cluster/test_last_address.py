"""A node that has ended is not the cluster of this machine any more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cluster import run_node
from cluster.last_address import NAME, forget_ended, living_addresses, ray_folder

HERE = "127.0.0.1:6379"


@pytest.mark.parametrize(
    ("arguments", "environment", "folder"),
    [
        (("--head",), {}, "/tmp/ray"),
        (("--head",), {"RAY_TMPDIR": "/var/tmp"}, "/var/tmp/ray"),
        (("--head", "--temp-dir=/srv/ray"), {"RAY_TMPDIR": "/var/tmp"}, "/srv/ray"),
        (("--temp-dir", "/srv/ray", "--head"), {}, "/srv/ray"),
    ],
)
def test_it_is_where_ray_has_it(
    arguments: tuple[str, ...], environment: dict[str, str], folder: str
) -> None:
    assert ray_folder(arguments, environment) == Path(folder)


def test_a_cluster_of_which_nothing_runs_here_is_forgotten(tmp_path: Path) -> None:
    forget_ended(tmp_path)  # there is no file
    noted = tmp_path / NAME
    noted.write_text(HERE, "utf-8")
    forget_ended(tmp_path, {HERE})
    assert noted.exists()
    forget_ended(tmp_path, {"10.0.0.5:6379"})
    assert not noted.exists()


@pytest.mark.e2e
def test_a_process_says_of_which_cluster_it_is() -> None:
    address = "192.0.2.1:6379"
    script = "print('up', flush=True); input()"
    command = [sys.executable, "-c", script, f"--gcs-address={address}"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as raylet:
        assert raylet.stdout is not None
        raylet.stdout.readline()
        assert address in living_addresses()
        raylet.communicate("\n")
    assert address not in living_addresses()


def test_a_node_that_ends_leaves_no_address_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_text("192.0.2.1:6379", "utf-8")
    monkeypatch.setattr(run_node, "adopt_orphans", lambda: None)
    node = run_node.Node(["--head", f"--temp-dir={tmp_path}"], lambda _line: None)
    monkeypatch.setattr(node, "_start", lambda: None)  # its raylet has ended by itself
    assert node.run() == 1
    assert not (tmp_path / NAME).exists()
