"""Work that is done again and again, and that no mistake ends: nobody else would do it then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from providers.traces import trace_of

logger = logging.getLogger(__name__)


async def for_ever(step: Callable[[], Awaitable[None]], every_s: float, what: str) -> NoReturn:
    """Do a step until cancelled; one that fails is said, and the next one comes all the same.

    Args:
        step: Of a mistake that comes again and again in a row the first is said.
        every_s: Pause after each step.
        what: Who cannot do its work, for the log.
    """
    trouble = ""
    while True:
        try:
            await step()
            trouble = ""
        except Exception as error:  # noqa: BLE001 - see above
            if trouble != (trouble := trace_of(error)):
                logger.error("%s: %s", what, trouble)
        await asyncio.sleep(every_s)
