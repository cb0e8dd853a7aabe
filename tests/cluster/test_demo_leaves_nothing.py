"""The demo as a process of its own, ended in the middle: nothing of it may live on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import pytest

from cluster.demo_children import clean_environment

pytestmark = pytest.mark.demo

GONE_WITHIN_S = 30.0


@contextmanager
def demo(output: Path, until: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that has printed ``until``."""
    environment = clean_environment(os.environ, {"PYTHONUNBUFFERED": "1"})
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from cluster.cli import main; main()",
            "demo",
            f"--output={output}",
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        read_until(process.stdout, until)
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(lines: IO[str], pattern: str) -> None:
    seen = []
    for line in lines:
        seen.append(line)
        if re.search(pattern, line):
            return
    raise AssertionError("the demo ended early:\n" + "".join(seen))


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def names(processes: list[psutil.Process]) -> str:
    return " ".join(process.name() for process in processes)


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=GONE_WITHIN_S)
    assert not alive


def test_ctrl_c_in_the_middle_of_a_call_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path, r"call 1 of 6") as process:
        processes = family(process)
        assert {"raylet", "gcs_server", "haproxy"} <= set(names(processes).split())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGINT
        assert "nothing of it is left running" in out
        assert_gone(processes)


def test_a_demo_killed_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    with demo(tmp_path, r"✓ Ray ") as process:
        processes = family(process)
        assert "raylet" in names(processes)
        process.kill()
        assert_gone(processes)
