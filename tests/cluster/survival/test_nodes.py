from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cluster.errors import DemoFailed
from cluster.survival.network import NodeNetwork
from cluster.survival.nodes import Nodes, newer
from cluster.survival.parts import ProcessTable
from cluster.survival.stage import AGENT


def test_each_deploy_of_a_run_is_another_release() -> None:
    releases = [AGENT]
    for _ in range(3):
        releases.append(newer(releases[-1]))
    assert len(set(releases)) == 4


def test_nothing_but_the_prompt_is_changed() -> None:
    text = "language: en-US\nprompt: You are kind.\ngreeting: Hello!\n"
    twice = newer(newer(text))
    assert twice == text.replace("prompt: ", "prompt: Be brief. Be brief. ")


class Slow(Nodes):
    """A machine on which Ray gives so many starts up."""

    def __init__(self, fails: int) -> None:
        super().__init__(
            NodeNetwork(2, "10.0.0"),
            {},
            http_port=8000,
            logs=Path(),
            scratch=Path(),
            processes=ProcessTable(),
        )
        self.fails = fails
        self.starts = 0

    async def start(self, number: int) -> None:
        self.starts += 1
        if self.starts <= self.fails:
            raise DemoFailed("the current node timed out during startup")


def test_a_node_that_did_not_start_on_a_busy_machine_is_started_once_more() -> None:
    nodes = Slow(fails=2)
    asyncio.run(nodes.start_again(1))
    assert nodes.starts == 3


def test_a_node_that_never_starts_ends_the_run() -> None:
    nodes = Slow(fails=9)
    with pytest.raises(DemoFailed, match="timed out"):
        asyncio.run(nodes.start_again(1))
    assert nodes.starts == 3
