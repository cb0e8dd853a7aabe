"""Ringing a phone: until it is answered, or is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from simulation.callee_book import Callee

DIAL_S = 0.1
"""From the dialling of a number to its first ring."""

KEY_S = 0.25
PAUSES_S = {"w": 0.5, "W": 1.0}


async def wait_unless(event: asyncio.Event, duration_s: float) -> None:
    """Wait for so long, or until ``event`` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await event.wait()


async def ring(
    callee: Callee,
    timeout_s: float,
    broken_off: asyncio.Event,
    on_state: Callable[[str], None],
) -> str:
    """Ring a phone.

    Args:
        callee: Whose.
        timeout_s: Nobody waits longer for an answer.
        broken_off: Set when the call is not wanted any more.
        on_state: Told of ``initiated`` and ``ringing``.

    Returns:
        ``answers``, ``busy``, ``no-answer``, ``failed`` or ``canceled``.
    """
    on_state("initiated")
    await wait_unless(broken_off, DIAL_S)
    if callee.outcome == "failed":
        await wait_unless(broken_off, callee.after_s)
        return "canceled" if broken_off.is_set() else "failed"
    if broken_off.is_set():
        return "canceled"
    on_state("ringing")
    in_time = callee.outcome != "no-answer" and callee.after_s < timeout_s
    await wait_unless(broken_off, callee.after_s if in_time else timeout_s)
    if broken_off.is_set():
        return "canceled"
    return callee.outcome if in_time else "no-answer"


async def press(digits: str, broken_off: asyncio.Event) -> str:
    """Press keys at a phone's pace; returns those that were pressed, without the pauses."""
    pressed = ""
    for digit in digits:
        if broken_off.is_set():
            break
        if digit not in PAUSES_S:
            pressed += digit
        await wait_unless(broken_off, PAUSES_S.get(digit, KEY_S))
    return pressed
