"""Load: many simulated calls from one process, and the truth about how well it played them.

One event loop, one 20 ms clock, one HTTP client. The caller measures its own lateness, because a
caller that is late measures itself and not the server: such a run says so and is not valid.
"""

from __future__ import annotations

import asyncio
import json
import resource
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import CallerEvent
from simulation.caller_script import PreparedClip, SpokenClip, conversation, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.errors import SimulationError
from simulation.first_served import be_first_served
from simulation.load_report import Effort, LoadReport, build_report


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """A run.

    Attributes:
        url: Where the server listens, ``http://HOST:PORT``.
        calls: How many calls in all.
        concurrent: How many at once.
        duration_s: The caller of each call hangs up after this long; no limit when None.
        turns: Utterances of the caller in each call; 0 talks until ``duration_s``.
        ramp_s: Over how long the first ``concurrent`` calls are spread.
        seed: Decides clips, order and interruptions: the same seed, the same scripts. The ids of
            the calls are new in each run, as a carrier's are: a server knows an old one again.
        json_path: Where the report is written as JSON; not at all when None.
        auth_token: The account's token, which signs everything.
        public_url: The name the server goes by; ``url`` when empty.
        language: BCP-47 tag of the clips to speak.
        clip_names: Speak only these clips; all of ``language`` when empty.
        interrupt_ratio: Share of turns in which the caller talks over the agent, 0 to 1.
        from_numbers: E.164 numbers to call from, in turn.
        to_number: E.164.
        raise_priority: Ask the scheduler to run this process before others, for the whole process
            and for good; where that is not permitted the run goes on without.
    """

    url: str
    calls: int = 1
    concurrent: int = 1
    duration_s: float | None = None
    turns: int = 3
    ramp_s: float = 0.0
    seed: int = 0
    json_path: Path | None = None
    auth_token: str = ""
    public_url: str = ""
    language: str = "en-US"
    clip_names: tuple[str, ...] = ()
    interrupt_ratio: float = 0.0
    from_numbers: tuple[str, ...] = ("+14155550100",)
    to_number: str = "+14155550199"
    raise_priority: bool = True

    def problem(self) -> str:
        """What is wrong with these settings, naming what to change; empty when nothing is."""
        checks = (
            (self.calls < 1, "calls must be at least 1"),
            (self.concurrent < 1, "concurrent must be at least 1"),
            (self.turns < 0, "turns must be 0 or more"),
            (
                not self.turns and not self.duration_s,
                "turns=0 talks without end: give duration as well",
            ),
            (
                self.duration_s is not None and self.duration_s <= 0,
                "duration must be above 0 s, or not given",
            ),
            (self.ramp_s < 0, "ramp must be 0 s or more"),
            (not 0 <= self.interrupt_ratio <= 1, "interrupt_ratio must be between 0 and 1"),
            (not self.from_numbers, "from_numbers must hold at least one number"),
        )
        return "; ".join(text for wrong, text in checks if wrong)


class LoadInvalid(SimulationError):
    """Settings of a run that cannot be; the message names what to change."""


async def run_load(
    config: LoadConfig,
    on_event: Callable[[CallerEvent], None] | None = None,
    clips: Sequence[SpokenClip] | None = None,
) -> LoadReport:
    """Place the calls and measure them.

    Args:
        config: The run.
        on_event: Told what happens in every call as it happens.
        clips: What to say, instead of the clips that ship.

    Returns:
        The report; written to ``config.json_path`` as well.

    Raises:
        LoadInvalid: The settings cannot be; names what to change.
        ClipMissing: No clip of that name or language.
    """
    problem = config.problem()
    if problem:
        raise LoadInvalid(problem)
    spoken = [prepare(clip) for clip in (clips or _shipped_clips(config))]
    is_nice = config.raise_priority and be_first_served()
    started = _cpu_s(), asyncio.get_running_loop().time()
    try:
        carrier = Carrier(
            CarrierConfig(config.url, config.auth_token, public_url=config.public_url),
            seed=secrets.randbits(64),
        )
    except ValueError as error:
        raise LoadInvalid(str(error)) from error
    async with carrier:
        results = await _place_all(carrier, config, spoken, on_event)
        effort = Effort(
            wall_s=asyncio.get_running_loop().time() - started[1],
            cpu_s=_cpu_s() - started[0],
            lateness=carrier.ticker.lateness,
            is_nice=is_nice,
        )
    report = build_report(config.seed, config.concurrent, results, effort)
    if config.json_path is not None:
        config.json_path.write_text(json.dumps(report.as_dict(), indent=2) + "\n", "utf-8")
    return report


async def _place_all(
    carrier: Carrier,
    config: LoadConfig,
    clips: Sequence[PreparedClip],
    on_event: Callable[[CallerEvent], None] | None,
) -> list[CallResult]:
    waiting = iter(range(config.calls))
    results: list[CallResult] = []
    lines = min(config.concurrent, config.calls)

    async def line(index: int) -> None:
        """One of the phones: places call after call until none is left."""
        await asyncio.sleep(config.ramp_s * index / lines)
        for call in waiting:
            result = await place_call(carrier, _order(config, call, clips), on_event)
            results.append(result)

    async with asyncio.TaskGroup() as group:
        for index in range(lines):
            group.create_task(line(index))
    return sorted(results, key=lambda result: result.call)


def _order(config: LoadConfig, call: int, clips: Sequence[PreparedClip]) -> CallOrder:
    # Of the call's own number, so that a script does not depend on who finished first.
    random = Random(f"{config.seed}/{call}")
    return CallOrder(
        script=conversation(clips, config.turns, random, config.interrupt_ratio),
        from_number=config.from_numbers[call % len(config.from_numbers)],
        to_number=config.to_number,
        call=call,
        max_duration_s=config.duration_s,
        turns=config.turns or None,
    )


def _shipped_clips(config: LoadConfig) -> Sequence[SpokenClip]:
    # Here and not above: whoever brings clips of their own needs none of ours.
    from simulation.clip_library import load_library

    library = load_library()
    if config.clip_names:
        return [library.clip(name) for name in config.clip_names]
    return library.by_language(config.language)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
