"""Whether a region answers: not one lost probe, nor one good one, changes it."""

from __future__ import annotations

import pytest

from cluster.region_health import RegionHealth


@pytest.mark.parametrize(
    ("seen", "believed"),
    [
        ("", "up"),
        ("-", "up"),
        ("-+-+-", "up"),
        ("--", "down"),
        ("--++", "down"),
        ("--++-+++", "up"),
        ("--+++", "up"),
        ("--+++-", "up"),
        ("--+++--", "down"),
    ],
)
def test_what_is_believed(seen: str, believed: str) -> None:
    health = RegionHealth()
    for sign in seen:
        health.saw(answered=sign == "+")
    assert ("up" if health.is_up else "down") == believed


def test_a_change_is_told_once() -> None:
    health = RegionHealth()
    changes = [health.saw(answered=sign == "+") for sign in "---+++-"]
    assert changes == [False, True, False, False, False, True, False]
