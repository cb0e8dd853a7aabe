"""``python -m benchmarks.critical_path``: do turns wait for the store, the metrics or the trace?

One product (``callcluster serve``: Ray, HAProxy, one replica, one CallActor) with emulated
providers; the same load in rounds. In every second one each of the three takes two seconds: another
process holds the lock of the SQLite file, the MetricsActor's is stopped by a signal, and the
collector of traces holds every request. Prints how long it took to the first frame of the answer,
from the end of the caller's speech and from the decision that the turn was over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from benchmarks import machine
from benchmarks.phase import run_phase
from benchmarks.plan import ZERO, PhasePlan, StagePlan
from benchmarks.stage import Stage, running_stage
from benchmarks.stats import Spread, spread
from benchmarks.turns import Turn, read_turns
from voice import timeline

SLOW_S = 2.0
FREE_S = 0.3  # between two locks: each write waits up to two seconds, none for ever
AWAKE_S = 0.05
WRITTEN_WITHIN_S = 15.0


class Collector:
    """Takes traces over HTTP, after ``delay_s``.

    Attributes:
        requests: Batches that came.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.requests = 0

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The URL while it listens."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests += 1
                threading.Event().wait(collector.delay_s)
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is said of a request."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


async def _lock(store: Path) -> None:
    """Hold the write lock of the database for two seconds, again and again."""

    def hold() -> None:
        with closing(sqlite3.connect(store, timeout=30, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            threading.Event().wait(SLOW_S)
            database.execute("ROLLBACK")

    while True:
        await asyncio.to_thread(hold)
        await asyncio.sleep(FREE_S)


async def _doze(process: psutil.Process) -> None:
    """Stop a process for two seconds, again and again; it runs when this ends."""
    try:
        while True:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(SLOW_S)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(AWAKE_S)
    finally:
        process.send_signal(signal.SIGCONT)


def _metrics_actor() -> psutil.Process:
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::MetricsActor"):
                return process
    raise RuntimeError("the product has no MetricsActor")


@asynccontextmanager
async def all_slow(stage: Stage, collector: Collector) -> AsyncIterator[None]:
    """Store, metrics and trace take two seconds meanwhile."""
    collector.delay_s = SLOW_S
    slow = [
        asyncio.create_task(_lock(stage.store)),
        asyncio.create_task(_doze(_metrics_actor())),
    ]
    try:
        yield
    finally:
        collector.delay_s = 0.0
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


def _asked(stage: Stage, since_us: int) -> list[Turn]:
    return [turn for turn in read_turns(stage.store, since_us) if turn.kind == "caller"]


def response_s(turns: list[Turn]) -> Spread:
    """End of speech to the first frame out."""
    return spread([turn.stages[timeline.FIRST_FRAME_OUT] for turn in turns if _is_spoken(turn)])


def commit_to_frame_s(turns: list[Turn]) -> Spread:
    """The part that is ours."""
    return spread([s for turn in turns if (s := turn.commit_to_frame_s) is not None])


def _is_spoken(turn: Turn) -> bool:
    return timeline.FIRST_FRAME_OUT in turn.stages


@dataclass
class Rounds:
    """All rounds of a kind.

    Attributes:
        why_invalid: Of those that do not count.
        trace_requests: That came to the collector.
    """

    turns: list[Turn] = field(default_factory=list)
    why_invalid: list[str] = field(default_factory=list)
    trace_requests: int = 0

    def figures(self) -> dict[str, object]:
        """Plain data for JSON and the table."""
        return {
            "why_invalid": self.why_invalid,
            "response": response_s(self.turns).as_dict(),
            "commit_to_frame": commit_to_frame_s(self.turns).as_dict(),
            "turns": len(self.turns),
            "trace_requests": self.trace_requests,
        }


async def measure(calls: int, window_s: float, rounds: int) -> dict[str, dict[str, object]]:
    """The figures of both kinds, by name; the kinds take turns, as others use the machine too."""
    collector = Collector()
    found = {"at once": Rounds(), "two seconds": Rounds()}
    phase = PhasePlan("talk", calls, window_s)
    with collector.listening() as url:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url}
        plan = StagePlan("critical path", ZERO, False, (), environment=environment)
        async with running_stage(plan) as stage:
            await run_phase(stage, PhasePlan("talk", 1, 5.0))  # what is slow only once
            for name in list(found) * rounds:
                since_us, asked = time.time_ns() // 1_000, collector.requests
                async with all_slow(stage, collector) if name != "at once" else _nothing():
                    result = await run_phase(stage, phase)
                of_kind = found[name]
                of_kind.turns += await _written(stage, since_us)
                of_kind.trace_requests += collector.requests - asked
                of_kind.why_invalid += [result.why_invalid] if result.why_invalid else []
    return {name: of_kind.figures() for name, of_kind in found.items()}


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


async def _written(stage: Stage, since_us: int) -> list[Turn]:
    """The turns of a round once no more of them come."""
    deadline, seen, still = time.monotonic() + WRITTEN_WITHIN_S, -1, 0
    while time.monotonic() < deadline and still < 4:
        turns = _asked(stage, since_us)
        still = still + 1 if len(turns) == seen else 0
        seen = len(turns)
        await asyncio.sleep(0.5)
    return _asked(stage, since_us)


def render(found: dict[str, dict[str, object]]) -> str:
    """Both rounds as a Markdown table."""
    lines = [
        "| store, metrics, trace answer | turns | response P50 / P95 / max, ms "
        "| commit to first frame P50 / P95 / max, ms |",
        "|---|---|---|---|",
    ]
    for name, figures in found.items():
        lines.append(
            f"| {name} | {figures['turns']} | {_three(figures['response'])} "
            f"| {_three(figures['commit_to_frame'])} |"
        )
    return "\n".join(lines)


def _three(figures: object) -> str:
    if not isinstance(figures, dict):
        return "-"
    return " / ".join(str(figures[name]) for name in ("p50_ms", "p95_ms", "max_ms"))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; the exit code is 1 when a round does not count."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.critical_path")
    options.add_argument("--calls", type=int, default=5)
    options.add_argument("--window", type=float, default=10.0, help="seconds of each round")
    options.add_argument("--rounds", type=int, default=2, help="of each kind")
    given = options.parse_args(sys.argv[1:] if arguments is None else arguments)
    before = machine.load()
    found = asyncio.run(measure(given.calls, given.window, given.rounds))
    print(render(found))
    print(json.dumps({"rounds": found, "machine": machine.facts(), "before": before}))
    return 1 if any(figures["why_invalid"] for figures in found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
