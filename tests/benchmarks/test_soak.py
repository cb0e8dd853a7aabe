from __future__ import annotations

import os

from benchmarks.process_cost import CALL_ACTORS, DIRECTORY, HAPROXY, INGRESS
from benchmarks.soak import WATCHED, Look, Soak, anonymous_bytes, render, verdicts

COUNTS = {"calls_offered": 1_000, "calls_completed": 1_000}


def _look(calls: int, *, ingress_mb: float = 200.0, fds: int = 50, tasks: int = 20) -> Look:
    memory = {INGRESS: ingress_mb, CALL_ACTORS: 100.0, HAPROXY: 10.0, DIRECTORY: 70.0}
    every = dict.fromkeys(WATCHED, fds)
    return Look(calls, memory, every, dict.fromkeys(WATCHED, 9), {"ingress": tasks})


def _not_kept(*looks: Look, counts: dict[str, int] | None = None) -> list[str]:
    soak = Soak(list(looks), counts or COUNTS)
    return [verdict.figure for verdict in verdicts(soak) if not verdict.is_kept]


def test_what_is_filled_by_the_first_calls_is_no_growth() -> None:
    later = [_look(calls, ingress_mb=240.0) for calls in range(100, 1_100, 100)]
    assert _not_kept(_look(0), *later) == []


def test_memory_that_goes_on_growing_is_told() -> None:
    looks = [_look(calls, ingress_mb=200.0 + calls / 50) for calls in range(0, 1_100, 100)]
    assert _not_kept(*looks) == ["memory of all, MB", "memory, ingress, MB"]


def test_a_heap_that_gives_back_at_some_looks_only_has_not_grown() -> None:
    """The last look of 20 is one of the high ones, the first warm one is low."""
    looks = [_look(n, ingress_mb=240.0 if n % 3 else 265.0) for n in range(2, 23)]
    assert looks[-1].memory_mb[INGRESS] == 240.0
    looks[-1] = _look(23, ingress_mb=265.0)
    assert _not_kept(*looks) == []


def test_memory_is_what_no_file_stands_behind() -> None:
    before = anonymous_bytes(os.getpid())
    taken = bytearray(b"x") * 20_000_000
    grown = anonymous_bytes(os.getpid()) - before
    assert 15_000_000 < grown < 40_000_000
    assert len(taken) == 20_000_000
    assert anonymous_bytes(2**30) == 0


def test_a_descriptor_or_a_task_kept_of_each_call_is_told() -> None:
    looks = [_look(calls, fds=50 + calls // 10, tasks=20 + calls) for calls in (0, 100, 500, 1_000)]
    found = _not_kept(*looks)
    assert [f"descriptors, {group}" for group in sorted(WATCHED)] == found[:-1]
    assert found[-1] == "tasks, ingress"


def test_one_call_in_a_thousand_may_be_lost() -> None:
    looks = [_look(0), _look(500), _look(1_000)]
    assert _not_kept(*looks, counts={**COUNTS, "calls_completed": 999}) == []
    assert _not_kept(*looks, counts={**COUNTS, "calls_completed": 998}) == [
        "calls not completed, of all"
    ]


def test_batches_add_up_and_are_shown() -> None:
    soak = Soak([_look(0), _look(10)])
    counts = {"calls_offered": 5, "calls_completed": 4, "calls_at_once": 3}
    report = {"counts": counts, "punctual": True}
    soak.add({**report, "errors": {"31921": 1}})
    soak.add({**report, "punctual": False})
    assert soak.counts == {"calls_offered": 10, "calls_completed": 8, "calls_at_once": 3}
    assert soak.late == 1
    text = render(soak)
    assert "31921 x1" in text
    assert "| calls not completed, of all | 0.00 | 2.00 | 0.01 | NOT kept |" in text
    assert verdicts(Soak()) == []
