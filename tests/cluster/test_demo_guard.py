from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster.demo_guard import USUAL_NICENESS, Guarded

pytestmark = pytest.mark.e2e

# Starts a grandchild that ignores SIGTERM and leaves its parent's session, as daemons do.
STUBBORN = """
import signal, subprocess, sys, time
grandchild = subprocess.Popen(
    [sys.executable, "-c",
     "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
     "print('up', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE, start_new_session=True)
grandchild.stdout.readline()
print(grandchild.pid, flush=True)
{then}
"""
SLEEP = "time.sleep(60)"


def guard(program: str, *folders: Path, niceness: int = USUAL_NICENESS) -> subprocess.Popen[bytes]:
    guarded = Guarded(
        (sys.executable, "-c", program), 2.0, tuple(map(str, folders)), niceness=niceness
    )
    return subprocess.Popen(
        [sys.executable, "-m", "cluster.demo_guard", guarded.spec()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def first_line(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def close(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    code = process.wait(10)
    process.stdout.close()
    return code


def test_a_spec_survives_the_command_line() -> None:
    guarded = Guarded(("a", "b c"), 3.0, ("/x",), niceness=7)
    assert Guarded.from_spec(guarded.spec()) == guarded


def test_when_its_owner_is_gone_everything_ends_and_the_folders_go(tmp_path: Path) -> None:
    """Even a grandchild that ignores SIGTERM in a session of its own."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    process = guard(STUBBORN.format(then=SLEEP), folder)
    grandchild = first_line(process)
    assert close(process) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(grandchild)
    assert not folder.exists()


def test_a_command_is_not_served_first_because_its_callers_are() -> None:
    """They stand for other machines; the product they call has none of their priority."""
    process = guard("import os; print(os.nice(0), flush=True)", niceness=USUAL_NICENESS + 3)
    assert first_line(process) == USUAL_NICENESS + 3
    assert process.wait(10) == 0


def test_what_a_command_leaves_behind_is_ended_and_its_exit_code_kept() -> None:
    process = guard(STUBBORN.format(then="sys.exit(7)"))
    grandchild = first_line(process)
    assert process.wait(10) == 7
    assert not psutil.pid_exists(grandchild)
    close(process)


def test_a_command_may_end_in_peace_and_ctrl_c_is_not_its_business() -> None:
    gentle = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)"
    )
    process = guard(gentle)
    child = first_line(process)
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGHUP)
    assert psutil.pid_exists(child)
    assert close(process) == 5


def test_sigterm_to_the_guard_stops_it_too() -> None:
    process = guard(STUBBORN.format(then=SLEEP))
    grandchild = first_line(process)
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(grandchild)
    close(process)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children on Linux only")
def test_a_command_whose_guard_was_killed_is_told() -> None:
    process = guard("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    child = psutil.Process(first_line(process))
    process.kill()
    process.wait(5)
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    close(process)
