"""``python -m benchmarks.cache_path``: how quick an answer of the response cache is on the phone.

One product (``callcluster serve``: Ray, HAProxy, one replica, one CallActor) with emulated
providers as slow as real ones, once with replies prepared ahead and once without. Two callers ask
every question first, which is what it takes to share an answer; a third has its audio made; then
the measured callers, whose turns are read from the product's own records. Prints the time from the
decision that the turn was over to the first frame of the answer, beside what is promised.

With ``--reworded`` a FAQ with the same questions in other words is imported before the product
starts; then answers come from the semantic tier (``pip install 'callcluster[semantic]'``), from the
first call on.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import itertools
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.plan import TYPICAL, StagePlan
from benchmarks.stage import AGENTS, Stage, running_stage
from benchmarks.stats import Spread, spread
from cluster.demo_children import clean_environment
from simulation.caller_call import CallOrder, place_call
from simulation.caller_script import Leave, Listen, Speak, Step, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.clip_library import load_library
from voice import timeline

QUESTIONS = ("eot_en_question", "weather")  # both stand by themselves
PROMISED_MS = {"ready": 10.0, "asked_at_commit": 30.0}
_NAMES = {"ready": "ready before the turn was taken", "asked_at_commit": "looked up at that moment"}
REWORDED = (
    ("When do you close on Sunday?", "On Sundays we close at five in the afternoon."),
    ("Tell me what the weather is like", "It looks mild and dry. A light jacket will do."),
    ("Do you take cards?", "Yes, all of them."),
    ("Where is your shop?", "In the old town, next to the bridge."),
)
SPREAD_WITHIN_S = 2.0  # what one CallActor has learned is known to all
WRITTEN_WITHIN_S = 15.0
_NUMBER = "+1415555{:04d}"


@dataclass(frozen=True, slots=True)
class CachedTurn:
    """One turn of a caller, as the product has recorded it.

    Attributes:
        stages: Seconds after the caller's speech ended.
        cache: What the response cache said.
        is_spoken: A voice was asked for some of it: its audio was not in hand.
    """

    stages: dict[str, float]
    cache: dict[str, Any]
    is_spoken: bool

    @property
    def is_hit(self) -> bool:
        """Answered by the cache."""
        return self.cache.get("outcome") == "hit"

    @property
    def commit_to_frame_s(self) -> float | None:
        """From the decision that the turn is over to the first frame on the wire."""
        out, committed = (
            self.stages.get(stage) for stage in (timeline.FIRST_FRAME_OUT, timeline.COMMITTED)
        )
        return out - committed if out is not None and committed is not None else None

    @property
    def was_ready(self) -> bool:
        """The answer was there before the turn was taken."""
        ready = self.stages.get(timeline.FIRST_SEGMENT)
        return ready is not None and ready < self.stages.get(timeline.COMMITTED, ready)


@dataclass(slots=True)
class Found:
    """The turns of one product.

    Attributes:
        failed_calls: Of those measured.
    """

    speculates: bool
    turns: list[CachedTurn] = field(default_factory=list)
    failed_calls: int = 0

    def in_hand(self, *, was_ready: bool) -> list[CachedTurn]:
        """Turns that the cache has answered, and no voice was asked.

        Args:
            was_ready: Those whose answer was there before the turn was taken; else the others.
        """
        return [
            turn
            for turn in self.turns
            if turn.is_hit and not turn.is_spoken and turn.was_ready is was_ready
        ]

    def expected(self) -> tuple[int, int]:
        """Answers after an answer of the cache, and how many of them it had expected next."""
        told = [turn.cache["expected"] for turn in self.turns if "expected" in turn.cache]
        return len(told), sum(told)

    def figures(self) -> dict[str, Any]:
        """Plain data for JSON and the table."""
        return {
            "speculates": self.speculates,
            "turns": len(self.turns),
            "failed_calls": self.failed_calls,
            "outcomes": dict(Counter(_outcome(turn) for turn in self.turns)),
            "ready": _commit_to_frame(self.in_hand(was_ready=True)).as_dict(),
            "asked_at_commit": _commit_to_frame(self.in_hand(was_ready=False)).as_dict(),
            "others": _commit_to_frame(
                [turn for turn in self.turns if not turn.is_hit or turn.is_spoken]
            ).as_dict(),
            "expected": dict(zip(("of", "were"), self.expected(), strict=True)),
            "lookup": spread(
                [turn.cache["lookup_s"] for turn in self.turns if "lookup_s" in turn.cache]
            ).as_dict(),
        }


def _outcome(turn: CachedTurn) -> str:
    said = (turn.cache.get(name) for name in ("outcome", "tier", "reason"))
    return " ".join(str(part) for part in said if part) or "not asked"


def _commit_to_frame(turns: Sequence[CachedTurn]) -> Spread:
    return spread([took for turn in turns if (took := turn.commit_to_frame_s) is not None])


def read_cached_turns(store: Path, since_us: int) -> list[CachedTurn]:
    """What callers asked since then (UTC microseconds), oldest first."""
    query = (
        "SELECT timeline, cache, usage FROM turns WHERE at_us >= ? AND kind = 'caller' "
        "AND outcome <> 'dropped' ORDER BY at_us"
    )
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = database.execute(query, (since_us,)).fetchall()
    return [
        CachedTurn(json.loads(stages), json.loads(cache), "spoken_chars" in json.loads(usage))
        for stages, cache, usage in rows
    ]


def questions(turns: int) -> Iterator[Step]:
    """Hear the greeting, ask in turn, hang up."""
    clips = [prepare(load_library().clip(name)) for name in QUESTIONS]
    yield Listen()
    for clip in itertools.islice(itertools.cycle(clips), turns):
        yield Speak(clip)
        yield Listen()
    yield Leave()


async def _call(stage: Stage, caller: int, turns: int) -> bool:
    """One call; whether every turn was answered."""
    number = _NUMBER.format(caller)
    order = CallOrder(questions(turns), from_number=number, call=caller, turns=turns)
    async with Carrier(CarrierConfig(stage.url, auth_token=""), seed=caller) as line:
        result = await place_call(line, order)
    return [turn.outcome for turn in result.turns] == ["answered"] * turns


async def _import_faq(settings: Mapping[str, str]) -> None:
    """Put the reworded questions into the file of a cache that nothing uses yet."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "faq.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows((("question", "answer"), *REWORDED))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from cluster.cli import main; main()"),
            *("cache", "import", str(file), "--agent", "bench"),
            env=clean_environment(os.environ, settings),
            cwd=folder,
        )
        if await child.wait():
            raise RuntimeError("the FAQ could not be imported")


async def measure(*, speculates: bool, calls: int, turns: int, reworded: bool = False) -> Found:
    """The figures of one product.

    Args:
        speculates: Whether replies are prepared before a turn is taken.
        calls: At once.
        turns: Of each call.
        reworded: Answers are imported, to the questions in other words.
    """
    with tempfile.TemporaryDirectory(prefix="ccb-cache-") as folder:
        settings = {"CALLCLUSTER_CACHE": "on", "CALLCLUSTER_CACHE_DIR": folder}
        if reworded:
            await _import_faq({**settings, "CALLCLUSTER_AGENTS_DIR": str(AGENTS)})
        plan = StagePlan("cache", TYPICAL, speculates, (), environment=settings)
        return await _measured(plan, calls, turns, warm_calls=1 if reworded else 3)


async def _measured(plan: StagePlan, calls: int, turns: int, *, warm_calls: int) -> Found:
    found = Found(plan.speculate)
    callers = itertools.count(1)
    _say(f"a product that prepares {'replies' if plan.speculate else 'nothing'} ahead: starting")
    async with running_stage(plan) as stage:
        for nth in range(warm_calls):
            _say(f"call {nth + 1} of {warm_calls} that teaches it")
            await _call(stage, next(callers), len(QUESTIONS))
            await asyncio.sleep(SPREAD_WITHIN_S)
        since_us = time.time_ns() // 1_000
        _say(f"{calls} calls of {turns} turns at once")
        answered = await asyncio.gather(
            *(_later(0.2 * nth, stage, next(callers), turns) for nth in range(calls))
        )
        found.failed_calls = answered.count(False)
        found.turns = await _written(stage.store, since_us, calls * turns)
    return found


async def _later(after_s: float, stage: Stage, caller: int, turns: int) -> bool:
    await asyncio.sleep(after_s)
    is_answered = await _call(stage, caller, turns)
    _say(f"a call has ended, {'answered throughout' if is_answered else 'NOT answered throughout'}")
    return is_answered


async def _written(store: Path, since_us: int, expected: int) -> list[CachedTurn]:
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    while time.monotonic() < deadline:
        turns = read_cached_turns(store, since_us)
        if len(turns) >= expected:
            return turns
        await asyncio.sleep(0.5)
    return read_cached_turns(store, since_us)


def render(figures: Sequence[dict[str, Any]]) -> str:
    """Markdown table: two rows a product, of hits whose audio was in hand."""
    lines = [
        "| replies prepared ahead | hits | turns | commit to first frame P50 / P95 / P99 / max, ms "
        "| promised P99, ms |",
        "|---|---|---|---|---|",
    ]
    for one in figures:
        for name, promised_ms in PROMISED_MS.items():
            took = one[name]
            if took["n"]:
                four = " / ".join(
                    str(took[key]) for key in ("p50_ms", "p95_ms", "p99_ms", "max_ms")
                )
                lines.append(
                    f"| {'yes' if one['speculates'] else 'no'} | {_NAMES[name]} | {took['n']} "
                    f"| {four} | {promised_ms:g} |"
                )
    return "\n".join(lines)


def is_kept(figures: dict[str, Any]) -> bool:
    """Whether there were hits, and what is promised of them was kept."""
    some = [name for name in PROMISED_MS if figures[name]["n"]]
    return bool(some) and all(figures[name]["p99_ms"] <= PROMISED_MS[name] for name in some)


def _measured_aloud(speculates: bool, load: Mapping[str, Any]) -> dict[str, Any]:
    """Measure one product, and say at once what came of it."""
    began_s = time.monotonic()
    found = asyncio.run(measure(speculates=speculates, **load)).figures()
    _say(f"{time.monotonic() - began_s:.0f} s in all; {found['outcomes']}")
    _say(
        "prepared as likely next: {were} of {of} turns that followed one".format_map(
            found["expected"]
        )
    )
    return found


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; the exit code is 1 when a promise was not kept or a call failed."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.cache_path")
    options.add_argument("--calls", type=int, default=8, help="at once")
    options.add_argument("--turns", type=int, default=14, help="of each call")
    options.add_argument("--reworded", action="store_true", help="a FAQ in other words")
    given = options.parse_args(sys.argv[1:] if arguments is None else arguments)
    before = machine.load()
    load = {"calls": given.calls, "turns": given.turns, "reworded": given.reworded}
    figures = [_measured_aloud(way, load) for way in (True, False)]
    print(render(figures))
    print(json.dumps({"products": figures, "machine": machine.facts(), "before": before}))
    return 0 if all(is_kept(one) and not one["failed_calls"] for one in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
