"""What every test shares: what is imported for a run, no clock, no Ray outside the Ray suite."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from tests.support.examples import load_profiles, set_counts
from tests.support.selection import excluded_marks, mark_of_whole_file, skip_reasons

load_profiles()
# numpy is not loaded yet. With threads of its own each product of two matrices leaves one spinning
# for some 20 ms, on the core of another worker.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

EXCLUDED = pytest.StashKey[Set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[EXCLUDED] = excluded_marks(config.getoption("markexpr"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import a file of which nothing will run; None lets pytest decide as usual."""
    excluded = config.stash[EXCLUDED]
    if not excluded or collection_path.suffix != ".py":
        return None
    return mark_of_whole_file(collection_path.read_text("utf-8")) in excluded or None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Modules and tests live as long as the run: the collector need not walk them every time.

    Afterwards it looks less often than is usual: what tests leave behind is little, and what they
    import on the way is much.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(5_000, 20, 1_000)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    set_counts(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Of real services: one line for each that was not asked, not one for each of its tests."""
    if terminalreporter.config.getoption("markexpr") == "live":
        for why in skip_reasons(terminalreporter.stats.get("skipped", ())):
            terminalreporter.write_line(f"not asked: {why}")


@pytest.fixture(autouse=True)
def _no_ray_outside_its_suite(request: pytest.FixtureRequest) -> Iterator[None]:
    """Unit tests never start Ray: a driver or a machine that needs it is in the wrong room."""
    if any(request.node.get_closest_marker(mark) for mark in ("ray", "cluster")):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        if before := sys.modules.get("ray"):
            patch.setattr(before, "init", _refuse)
        yield
    after: Any = sys.modules.get("ray")
    if before is None and after is not None and after.is_initialized():
        after.shutdown()
        _refuse()


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("ray.init() in a unit test: mark the test with @pytest.mark.ray")
