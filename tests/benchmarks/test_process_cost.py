from __future__ import annotations

import pytest

from benchmarks.process_cost import (
    CALL_ACTORS,
    CALLERS,
    EMULATORS,
    HAPROXY,
    INGRESS,
    RAY,
    ProcessCost,
    Snapshot,
    cpu_between,
    group_of,
    usual_memory_mb,
)


@pytest.mark.parametrize(
    ("name", "command", "group"),
    [
        ("haproxy", ["/usr/sbin/haproxy", "-f", "x.cfg"], HAPROXY),
        ("ray::ServeRepli", ["ray::ServeReplica:callcluster:ingress"], INGRESS),
        ("ray::CallActor", ["ray::CallActor.take_turn"], CALL_ACTORS),
        ("raylet", ["/x/raylet", "--node"], RAY),
        ("python", ["python", "-c", "main()", "simulate", "providers"], EMULATORS),
        ("python", ["python", "-c", "from x import main; main()", "load", "--calls=1"], CALLERS),
        ("python", ["python", "-m", "benchmarks.listeners"], CALLERS),
        ("python", ["python", "-m", "benchmarks.relay_callers", "--url=x"], CALLERS),
        ("python", ["python", "-m", "cluster.demo_guard", "serve"], None),
    ],
)
def test_a_process_is_known_by_its_command(
    name: str, command: list[str], group: str | None
) -> None:
    assert group_of(name, command) == group


def _ingress(cpu_s: float, **threads: float) -> ProcessCost:
    return ProcessCost(INGRESS, "ingress", cpu_s, {int(k[1:]): s for k, s in threads.items()})


def test_only_what_was_used_between_the_two_instants_counts() -> None:
    before = Snapshot(10.0, {(1, 0.0): _ingress(5.0, t1=4.0, t2=1.0)})
    after = Snapshot(20.0, {(1, 0.0): _ingress(8.0, t1=4.5, t2=3.5)})
    used = cpu_between(before, after)
    assert used.wall_s == 10.0
    assert used.by_group[INGRESS] == 3.0
    assert used.server_s == 3.0
    assert used.ingress_loop_s == 2.5


def test_a_process_that_began_in_between_counts_from_its_beginning() -> None:
    worker = ProcessCost(RAY, "raylet", 0.7, {})
    used = cpu_between(Snapshot(0.0, {}), Snapshot(1.0, {(9, 0.5): worker}))
    assert used.by_title == {"raylet": 0.7}


def test_a_process_id_used_again_is_another_process() -> None:
    old, new = ProcessCost(RAY, "a", 50.0, {}), ProcessCost(RAY, "b", 0.2, {})
    used = cpu_between(Snapshot(0.0, {(9, 0.0): old}), Snapshot(1.0, {(9, 0.5): new}))
    assert used.by_group[RAY] == 0.2


def test_what_a_process_takes_for_a_moment_is_no_memory_of_a_call() -> None:
    looks = [{INGRESS: mb, HAPROXY: 10.0} for mb in (200.0, 208.4, 200.2, 200.1, 208.4)]
    assert usual_memory_mb(looks) == {INGRESS: 200.2, HAPROXY: 10.0}
