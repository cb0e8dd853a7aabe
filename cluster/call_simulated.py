"""One simulated call, shown as it happens: ``callcluster call --simulate``.

The caller's own side is known as it happens; the agent's words are read from the records once the
call is over, when this machine has them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from cluster.call_follow import transcript
from cluster.settings import Settings
from records.errors import RecordsError
from records.store import RecordStore
from simulation.caller_events import (
    AgentHeard,
    CallEnded,
    CallerEvent,
    CallerSaid,
    CallStarted,
    Interrupted,
    StreamResumed,
    TurnMeasured,
)

_TRIES = 12
_ASK_EVERY_S = 0.25


def simulate_call(
    url: str,
    *,
    turns: int,
    auth_token: str,
    public_url: str,
    settings: Settings,
    say: Callable[[str], None],
) -> bool:
    """Place one simulated call and print it; True when it was carried to its end.

    Raises:
        simulation.errors.SimulationError: ``url`` or ``public_url`` cannot be.
    """
    from simulation.load import LoadConfig, run_load

    call_sids: list[str] = []

    def take(event: CallerEvent) -> None:
        if isinstance(event, CallStarted):
            call_sids.append(event.call_sid)
        line = event_line(event)
        if line:
            say(line)

    config = LoadConfig(
        url,
        turns=turns,
        seed=secrets.randbelow(2**31),  # another CallSid each time
        auth_token=auth_token,
        public_url=public_url,
    )
    report = asyncio.run(run_load(config, take))
    for reason in report.reasons:
        say(f"-- {reason}")
    for detail in report.details:
        say(f"-- {detail}")
    if call_sids:
        _say_transcript(settings, call_sids[0], say)
    return report.all_admitted and not report.counts["calls_ended_early"]


def event_line(event: CallerEvent) -> str:
    """What a person wants to know of an event; empty when nothing."""
    at = f"{event.at_s:6.1f} s  "
    match event:
        case CallStarted():
            return f"{at}-- the line is open"
        case CallerSaid():
            return f"{at}Caller  {event.text}"
        case AgentHeard(started=True):
            return f"{at}Agent   ..."
        case TurnMeasured(latency_s=float(latency_s)):
            return f"{at}-- answered after {latency_s * 1_000:.0f} ms"
        case TurnMeasured(outcome=outcome):
            return f"{at}-- {outcome.replace('_', ' ')}"
        case Interrupted():
            return f"{at}-- the agent fell silent after {event.stop_s * 1_000:.0f} ms"
        case StreamResumed():
            return f"{at}-- another stream after {event.gap_s:.1f} s"
        case CallEnded():
            return f"{at}-- {event.status}, ended by the {event.ended_by}"
        case _:
            return ""


def _say_transcript(settings: Settings, call_sid: str, say: Callable[[str], None]) -> None:
    try:
        lines = asyncio.run(recorded_transcript(settings, call_sid))
    except RecordsError as error:
        say(f"-- no transcript: {error}")
        return
    if not lines:
        say("-- no transcript: the records of this machine do not have the call")
        return
    say("")
    for line in lines:
        say(line.replace("[", r"\["))


async def recorded_transcript(settings: Settings, call_sid: str) -> list[str]:
    """The transcript of a call that has just ended; empty when it is not recorded in time.

    Raises:
        records.errors.RecordsError: The database cannot be read.
    """
    if not settings.database_url and not settings.data_dir.is_dir():
        return []
    store = RecordStore(settings.store_url)
    try:
        for _ in range(_TRIES):
            row = await store.call_by_sid(call_sid)
            if row is not None and row.ended_at_us:
                return transcript(await store.turns(row.tenant_id, row.call_id))
            await asyncio.sleep(_ASK_EVERY_S)
        return []
    finally:
        await store.aclose()
