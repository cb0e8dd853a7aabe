"""``python -m benchmarks.metrics_cost``: what measuring costs.

CPU for each second of a call and memory of each process; in this process, without Ray and sockets:
the product's own ledger, meters, reports and MetricsActor, fed with turns as a call has them. The
table of ``docs/metrics.md`` is what it prints.
"""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from actors.metrics_calls import AgentMeter, CallMeter, CallSums
from actors.metrics_driver import MetricsDriver
from actors.wire import TurnEntry
from benchmarks import machine
from dialogue.agent import Agent
from telemetry import catalog
from telemetry.ledger import MetricsLedger
from telemetry.traces import TraceQueue
from voice import events as voice
from voice import timeline

CALLS = 25  # of one ingress replica
TURN_EVERY_S = 6.0
RAY_CALL_US = 700.0  # CPU on each side of an awaited actor call, measured on a 2.5 GHz core
TURNS = 3_000
TURNS_OF_AN_AGENT = 200
REPORTS = 50
REPEATS = 5
PROCESSES = (5, 60)
IMPORTS = "telemetry.ledger, telemetry.sketch, actors.metrics_calls, actors.metrics_reporter"
TRACE_IMPORTS = "opentelemetry.exporter.otlp.proto.http.trace_exporter, opentelemetry.sdk.trace"


def measure() -> dict[str, float]:
    """Every figure, by name with its unit."""
    turn_us = _best(lambda: _turns(TURNS, None))
    report_us = _best(_report)
    per_call_us = turn_us / TURN_EVERY_S
    reports_us = (report_us + RAY_CALL_US) / CALLS
    found = {
        "turn_us": turn_us,
        "trace_put_us": max(_best(lambda: _turns(TURNS, _SilentQueue())) - turn_us, 0.0),
        "event_us": _best(_events),
        "report_us": report_us,
        "call_second_us": per_call_us + reports_us,
        "core_share_of_a_call_percent": (per_call_us + reports_us) / 1e4,
        "ledger_of_one_agent_kb": _ledger_kb(1),
        "ledger_of_ten_agents_kb": _ledger_kb(10),
        "actor_kb_of_a_process": _actor_kb(),
        "imports_mb": _imports_mb(IMPORTS),
        "trace_imports_mb": _imports_mb(TRACE_IMPORTS),
    }
    for processes in PROCESSES:
        taken_us, view_ms, view_kb = _actor(processes)
        found[f"actor_takes_report_us_of_{processes}"] = taken_us
        found[f"actor_view_ms_of_{processes}"] = view_ms
        found[f"view_kb_of_{processes}"] = view_kb
    return {name: round(value, 3 if value < 10 else 1) for name, value in found.items()}


class _SilentQueue(TraceQueue):
    """Takes traces and forgets them: what is measured is what the event loop does."""

    def __init__(self) -> None:
        self.count = 0

    def put(self, trace: object) -> None:
        self.count += 1


def _best(run: Callable[[], float]) -> float:
    return min(run() for _ in range(REPEATS))


def _agent(number: int = 0) -> Agent:
    return Agent("t1", f"agent-{number}", "v1", "en-US", "You are Ann.", "Hello!", "alto")


def _entry(turn_id: int, dice: random.Random) -> TurnEntry:
    at_s, times = 0.0, {}
    for stage in timeline.STAGES:
        times[stage] = at_s
        at_s += dice.uniform(0.01, 0.15)
    usage = {"prompt_tokens": 200.0, "completion_tokens": 20.0, "spoken_chars": 80.0}
    return TurnEntry(
        turn_id, "caller", "ten of clubs", "noted", "noted", timeline=times, usage=usage
    )


def _talk(meter: AgentMeter, turns: int) -> float:
    """Seconds of CPU of so many turns, as the driver of a call tells them."""
    dice = random.Random(1)
    entries = [_entry(number, dice) for number in range(1, turns + 1)]
    call = CallMeter(meter, "c1")
    sums = CallSums()
    began_s = time.process_time()
    for entry in entries:
        guess = voice.BeginTurn(entry.turn_id, 1, "caller", entry.caller_text, True)
        call.begun(guess)
        call.committed(voice.CommitTurn(entry.turn_id, 1, entry.caller_text))
        sums = CallSums(sums.heard_samples + 48_000, sums.sent_samples + 24_000)
        call.units(sums)
        call.settled(entry, 1, after_s=3.0)
    return time.process_time() - began_s


def _turns(turns: int, traces: TraceQueue | None) -> float:
    """Microseconds a turn."""
    meter = AgentMeter(MetricsLedger("bench", 1), _agent(), traces)
    return _talk(meter, turns) / turns * 1e6


def _events() -> float:
    """Microseconds to count one thing, as each webhook and stream does a few times."""
    ledger = MetricsLedger("bench", 1)
    began_s = time.process_time()
    for _ in range(20_000):
        ledger.count(catalog.EVENTS, "streams_started")
    return (time.process_time() - began_s) / 20_000 * 1e6


def ledger_of(agents: int) -> MetricsLedger:
    """The measurements of a process that carried some calls of so many agents."""
    ledger = MetricsLedger("bench", 1)
    for number in range(agents):
        _talk(AgentMeter(ledger, _agent(number)), TURNS_OF_AN_AGENT)
    return ledger


def _report() -> float:
    """Microseconds to make one report of a busy replica's second, and to write it for the wire."""
    ledger = ledger_of(3)
    meter = AgentMeter(ledger, _agent())
    snapshot: dict[str, Any] = ledger.snapshot()
    spent_s = 0.0
    for _ in range(REPORTS):
        _talk(meter, round(CALLS / TURN_EVERY_S))
        began_s = time.process_time()
        snapshot = ledger.snapshot(since=snapshot["version"])
        pickle.dumps({"v": 1, "snapshot": snapshot})
        spent_s += time.process_time() - began_s
    return spent_s / REPORTS * 1e6


def _ledger_kb(agents: int) -> float:
    ledger_of(1)  # what is made once
    tracemalloc.start()
    ledger = ledger_of(agents)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del ledger
    return held / 1e3


def _actor_kb() -> float:
    """Memory of the MetricsActor for one process of ten agents."""
    driver = MetricsDriver(1)
    ledger = ledger_of(10)
    driver.report({"v": 1, "snapshot": ledger.snapshot(), "view": -1}, now=0.0)
    ledger.source = "another"
    report = {"v": 1, "snapshot": ledger.snapshot(), "view": -1}
    tracemalloc.start()
    driver.report(report, now=0.0)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1e3


def _imports_mb(modules: str) -> float:
    """Resident memory that these imports add to a process that has what a replica has anyway."""
    program = (
        "import psutil, fastapi, numpy, websockets, httpx, asyncio\n"
        "before = psutil.Process().memory_info().rss\n"
        f"import {modules}\n"
        "print(psutil.Process().memory_info().rss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1e6


def _actor(processes: int) -> tuple[float, float, float]:
    """Of a MetricsActor: us to take a report, ms to make a view, kB of the view in a replica."""
    driver = MetricsDriver(1)
    ledgers = []
    for number in range(processes):
        ledger = ledger_of(10)
        ledger.source = f"ingress-{number}"
        ledgers.append(ledger)
        driver.report({"v": 1, "snapshot": ledger.snapshot(), "view": -1}, now=0.0)
    reports = []
    for ledger in ledgers:
        _talk(AgentMeter(ledger, _agent()), round(CALLS / TURN_EVERY_S))
        snapshot = ledger.snapshot(since=1)
        reports.append({"v": 1, "snapshot": snapshot, "view": -1})
    began_s = time.process_time()
    for report in reports:
        driver.report(report, now=0.5)
    taken_us = (time.process_time() - began_s) / processes * 1e6
    began_s = time.process_time()
    view = driver.report({"v": 1, "snapshot": ledgers[0].snapshot(), "view": 0}, now=100.0)["view"]
    view_ms = (time.process_time() - began_s) * 1e3
    return taken_us, view_ms, (len(view["text"]) + len(view["summary"])) / 1e3


def render(found: dict[str, float]) -> str:
    """The figures as a Markdown table."""
    few, many = PROCESSES
    rows = [
        ("a turn, all of its measurements", f"{found['turn_us']:.0f} µs"),
        (
            "its trace, for the event loop (the thread comes on top)",
            f"{found['trace_put_us']:.0f} µs",
        ),
        ("one counted event", f"{found['event_us']:.2f} µs"),
        (
            f"a report of a replica with {CALLS} calls, made and pickled",
            f"{found['report_us']:.0f} µs",
        ),
        (
            f"**a second of a call** ({CALLS} calls, a turn every {TURN_EVERY_S:.0f} s, "
            f"{RAY_CALL_US:.0f} µs for Ray's call)",
            f"**{found['call_second_us']:.0f} µs** "
            f"({found['core_share_of_a_call_percent']:.4f} % of a core)",
        ),
        ("memory of a process: modules", f"{found['imports_mb']:.1f} MB"),
        (
            "memory of a process: one agent's measurements",
            f"{found['ledger_of_one_agent_kb']:.0f} kB",
        ),
        ("memory of a process: ten agents'", f"{found['ledger_of_ten_agents_kb']:.0f} kB"),
        ("memory of a replica that traces: modules", f"{found['trace_imports_mb']:.1f} MB"),
    ]
    rows.append(
        (
            "MetricsActor: memory for a process of ten agents",
            f"{found['actor_kb_of_a_process']:.0f} kB",
        )
    )
    for count in (few, many):
        rows += [
            (
                f"MetricsActor, {count} processes of ten agents: to take a report",
                f"{found[f'actor_takes_report_us_of_{count}']:.0f} µs",
            ),
            (
                f"MetricsActor, {count} processes: to make a view",
                f"{found[f'actor_view_ms_of_{count}']:.1f} ms",
            ),
            (
                f"a replica's copy of the view of {count} processes",
                f"{found[f'view_kb_of_{count}']:.0f} kB",
            ),
        ]
    head = "| what | costs |\n|---|---|\n"
    return head + "\n".join(f"| {what} | {cost} |" for what, cost in rows)


def main() -> int:
    """Measure and print."""
    before = machine.load()
    print(render(measure()))
    print(json.dumps({"machine": machine.facts(), "before": before, "after": machine.load()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
