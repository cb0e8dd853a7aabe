"""Lines of the log that strangers can cause, and what no line may hold."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
from collections.abc import Iterator

import pytest

from cluster.logs import SeldomLine, WithoutValues

SECRET = "my number is five five five, key sk-123"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What our handler writes of a room and of asyncio."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(WithoutValues("%(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("actors.some_part", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


def quotes_a_caller() -> None:
    raise ValueError(SECRET)


def test_an_exception_is_logged_by_its_way_and_not_by_its_words(lines: io.StringIO) -> None:
    try:
        quotes_a_caller()
    except ValueError:
        logging.getLogger("actors.some_part").exception("call 1 failed")
    assert lines.getvalue().startswith("actors.some_part: call 1 failed\nValueError\n")
    assert "in quotes_a_caller" in lines.getvalue()
    assert SECRET not in lines.getvalue()


def test_what_another_handler_made_of_the_exception_is_not_taken_over(lines: io.StringIO) -> None:
    other = logging.StreamHandler(io.StringIO())
    logger = logging.getLogger("actors.some_part")
    logger.handlers.insert(0, other)
    try:
        quotes_a_caller()
    except ValueError:
        logger.exception("call 1 failed")
    finally:
        logger.removeHandler(other)
    assert SECRET not in lines.getvalue()


def test_a_task_that_nobody_waited_for_does_not_quote_either(lines: io.StringIO) -> None:
    async def quotes() -> None:
        quotes_a_caller()

    async def scene() -> None:
        task = asyncio.get_running_loop().create_task(quotes())
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(scene())
    assert "asyncio: Task exception was never retrieved\nValueError" in lines.getvalue()
    assert SECRET not in lines.getvalue()


def test_strangers_cannot_fill_the_log_and_nothing_goes_uncounted() -> None:
    said: list[str] = []
    now = [100.0]
    line = SeldomLine(said.append, lambda: now[0], every_s=10.0)
    for step in range(25):
        now[0] = 100.0 + step
        line("refused")
    again = "refused (9 more since the last line)"
    assert said == ["refused", again, again]
    now[0] = 200.0
    line("refused")
    assert said[3:] == ["refused (4 more since the last line)"]
    now[0] = 300.0
    line("refused")
    assert said[4:] == ["refused"]
