"""What a figure was measured on, and what else the machine was doing."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_SHOWN = 6
_BUSY_PERCENT = 2.0
_PACE_ROUNDS = 3


def facts() -> dict[str, Any]:
    """Machine and versions."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "ray": version("ray"),
        "azure_speech_sdk": version("azure-cognitiveservices-speech"),
    }


def load() -> dict[str, Any]:
    """Load average and whoever else uses more than 2 % of a core, watched for one second."""
    ours = {p.pid for p in (psutil.Process(), *psutil.Process().children(recursive=True))}
    watched = [process for process in psutil.process_iter() if process.pid not in ours]
    for process in watched:
        _percent(process)
    psutil.cpu_percent(interval=1.0)
    busy = sorted(((_percent(p), _name(p)) for p in watched), reverse=True)
    return {
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "pace_ms": pace_ms(),
        "others": [
            {"name": name, "cpu_percent": percent}
            for percent, name in busy[:_SHOWN]
            if percent >= _BUSY_PERCENT
        ],
    }


def pace_ms() -> float:
    """How fast this machine is at this moment: CPU milliseconds of a million multiplications.

    A rented core is as fast as its neighbours let it be: the same code takes 31 ms of CPU in one
    minute and 57 in another. Figures of CPU and of our own overhead compare at equal pace only.
    """
    return round(min(_loop_ms() for _ in range(_PACE_ROUNDS)), 1)


def _loop_ms() -> float:
    began_s, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number * number
    return (time.process_time() - began_s) * 1_000


def _percent(process: psutil.Process) -> float:
    try:
        return process.cpu_percent()
    except psutil.Error:
        return 0.0


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "ended"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def rss_mb() -> float:
    """Memory of this process that is in use, MB."""
    return psutil.Process().memory_info().rss / 1e6
