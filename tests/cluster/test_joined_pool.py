"""A replica that starts tries again to join the pool, whatever is away."""

from __future__ import annotations

import asyncio

import pytest

from actors.errors import DirectoryAwayError
from cluster.ingress_parts import joined


class Pool:
    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.directories: list[str] = []

    async def start(self, directory: str) -> None:
        self.directories.append(directory)
        if self.trouble is not None:
            raise self.trouble


async def found() -> str:
    return "directory"


async def away() -> str:
    raise DirectoryAwayError("it does not answer")


def test_a_directory_that_is_found_and_answers_is_joined() -> None:
    pool = Pool()
    assert asyncio.run(joined(pool, found)) == ""
    assert pool.directories == ["directory"]


def test_one_that_is_not_found_is_told() -> None:
    pool = Pool()
    assert asyncio.run(joined(pool, away)) == "it does not answer"
    assert pool.directories == []


def test_one_that_dies_or_is_late_once_it_was_found_is_told_too() -> None:
    """Told is tried again; raised, the replica would never be ready."""
    late = Pool(DirectoryAwayError("no leases: TimeoutError"))
    assert asyncio.run(joined(late, found)) == "no leases: TimeoutError"


def test_a_mistake_of_ours_is_no_directory_that_is_away() -> None:
    with pytest.raises(KeyError):
        asyncio.run(joined(Pool(KeyError("x")), found))
