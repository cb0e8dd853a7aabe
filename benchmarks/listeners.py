"""Callers who only listen: a quiet line, 50 frames a second, not a word. A process of its own.

``python -m benchmarks.listeners --url http://127.0.0.1:8000 --calls 20 --duration 30 --json FILE``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Leave, StaySilent
from simulation.carrier import Carrier, CarrierConfig
from simulation.first_served import be_first_served
from simulation.load_report import Effort, LoadReport, build_report


async def listen(url: str, calls: int, duration_s: float, ramp_s: float) -> LoadReport:
    """Place ``calls`` calls over ``ramp_s`` that each stay ``duration_s`` and say nothing."""
    loop = asyncio.get_running_loop()
    is_nice = be_first_served()
    began_s, cpu_s = loop.time(), time.process_time()
    async with Carrier(CarrierConfig(url, auth_token=""), seed=1) as carrier:

        async def one(index: int) -> CallResult:
            await asyncio.sleep(ramp_s * index / calls)
            script = iter((StaySilent(duration_s), Leave()))
            return await place_call(carrier, CallOrder(script, call=index))

        results = await asyncio.gather(*(one(index) for index in range(calls)))
        effort = Effort(
            wall_s=loop.time() - began_s,
            cpu_s=time.process_time() - cpu_s,
            lateness=carrier.ticker.lateness,
            is_nice=is_nice,
        )
    return build_report(1, calls, results, effort)


def main() -> None:
    """Entry point."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", required=True)
    options.add_argument("--calls", type=int, required=True)
    options.add_argument("--duration", type=float, required=True)
    options.add_argument("--ramp", type=float, default=1.0)
    options.add_argument("--json", type=Path, required=True)
    given = options.parse_args()
    report = asyncio.run(listen(given.url, given.calls, given.duration, given.ramp))
    given.json.write_text(json.dumps(report.as_dict()), "utf-8")


if __name__ == "__main__":
    main()
