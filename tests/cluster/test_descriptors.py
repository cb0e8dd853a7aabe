"""Descriptors: too few for the calls of a replica are said, and as many as may be are taken."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from cluster.descriptors import RESERVED, complaints, descriptors_needed


@pytest.mark.parametrize(
    ("limit", "is_said"),
    [(None, False), (descriptors_needed(100), False), (descriptors_needed(100) - 1, True)],
)
def test_too_few_are_said(limit: int | None, is_said: bool) -> None:
    said = complaints(100, limit)
    assert bool(said) == is_said
    assert all("ulimit -n" in line and "CALLCLUSTER_CALLS_PER_REPLICA" in line for line in said)


@pytest.mark.e2e
def test_the_limit_is_raised_as_far_as_the_system_allows() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = 300 if hard == resource.RLIM_INFINITY else min(300, hard)
    script = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}))
from cluster.descriptors import complaints, limit, raise_limit
assert limit() == 100
assert raise_limit() == {hard} == limit()
print(len(complaints(1_000, limit())))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


@pytest.mark.e2e
def test_a_table_that_fills_is_known_at_its_last_descriptors_and_when_it_is_full() -> None:
    script = """
import os, resource
from cluster.descriptors import RESERVED, are_short, left, shortage
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
taken = []
while left() > RESERVED:
    assert not are_short() and not shortage()
    taken.append(os.dup(0))
taken.append(os.dup(0))
print(left(), are_short(), len(shortage()))
while True:
    try:
        taken.append(os.dup(0))
    except OSError:
        break
print(left(), are_short())
for one in taken:
    os.close(one)
print(are_short())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == f"{RESERVED - 1} True 1\n0 True\nFalse\n", done.stderr
