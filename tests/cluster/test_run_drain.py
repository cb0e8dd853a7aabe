"""The end of a running product waits for those who are on the phone, unless somebody insists."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from cluster import run_drain
from cluster.run_drain import wait_for_calls


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_drain, "LOOK_EVERY_S", 0.0)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([0], []),
        ([None, 0], []),
        ([None] * 6, ["how many calls are in progress is not known: nobody is waited for"]),
        (
            [2, 2, 1, 0],
            [
                "no new calls; waiting for 2 calls to end. Ctrl-C once more ends them now",
                "1 call left",
                "the last call is over",
            ],
        ),
        (
            [1, None, None, 0],
            [
                "no new calls; waiting for 1 call to end. Ctrl-C once more ends them now",
                "the last call is over",
            ],
        ),
        (
            [1, *[None] * 3],
            [
                "no new calls; waiting for 1 call to end. Ctrl-C once more ends them now",
                "the calls in progress cannot be counted any more: nobody is waited for",
            ],
        ),
    ],
)
def test_it_is_said_who_is_waited_for(counts: list[int | None], said: list[str]) -> None:
    found: list[str] = []
    left: Iterator[int | None] = iter(counts)
    seconds = itertools.count()
    wait_for_calls(
        lambda: next(left), threading.Event(), found.append, lambda: float(next(seconds))
    )
    assert found == said
    assert next(left, "all") == "all"


def test_a_second_signal_ends_the_wait() -> None:
    found: list[str] = []
    at_once = threading.Event()

    def drain() -> int:
        if found:
            at_once.set()
        return 3

    wait_for_calls(drain, at_once, found.append)
    assert found[-1] == "ending 3 calls"


def test_whoever_insists_from_the_beginning_is_not_asked() -> None:
    at_once = threading.Event()
    at_once.set()
    wait_for_calls(lambda: pytest.fail("nobody is to be asked"), at_once, pytest.fail)
