"""Callers come before the product that they measure: the process, and its session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simulation import first_served
from simulation.first_served import NICENESS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sessions are grouped by Linux")

# A process of its own, and a session: what it gets, and what its session has afterwards.
_ASK = """
import os
from pathlib import Path
os.setsid()
child = os.fork()
if child == 0:
    from simulation.first_served import be_first_served
    print(be_first_served(), os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    file = Path("/proc/self/autogroup")
    print(file.read_text().split()[-1] if file.exists() else "none", flush=True)
    raise SystemExit
os.waitpid(child, 0)
file = Path("/proc/self/autogroup")
print(file.read_text().split()[-1] if file.exists() else "none", flush=True)
"""


def test_the_process_and_its_session_come_first_until_it_ends() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _ASK], capture_output=True, text=True, check=True
    ).stdout.split()
    is_granted, niceness, during, after = said
    assert after in {"0", "none"}, "the session is a shell's as well"
    if is_granted == "True":
        assert (niceness, during in {str(NICENESS), "none"}) == (str(NICENESS), True)
    else:
        assert during in {"0", "none"}, "all of it or nothing"


def test_what_the_session_had_before_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, at_the_end = tmp_path / "autogroup", list[tuple[Path, int]]()
    file.write_text("/autogroup-25 nice 5\n")
    monkeypatch.setattr(
        first_served.atexit, "register", lambda _call, *given: at_the_end.append(given)
    )
    first_served._move_session(file)
    assert file.read_text() == str(NICENESS)
    for given in at_the_end:
        first_served._put_back(*given)
    assert file.read_text() == "5"


def test_a_session_that_is_first_already_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "autogroup"
    file.write_text(f"/autogroup-25 nice {NICENESS}\n")
    monkeypatch.setattr(first_served.atexit, "register", lambda *_: pytest.fail("put back to it"))
    first_served._move_session(file)
    assert file.read_text() == f"/autogroup-25 nice {NICENESS}\n"


@pytest.mark.parametrize("content", [None, "", "what?"])
def test_a_system_without_that_is_no_trouble(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "autogroup"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(first_served, "_AUTOGROUP", file)
    monkeypatch.setattr(first_served.os, "setpriority", lambda *_: None)
    assert first_served.be_first_served() is True
    assert not file.exists() or file.read_text() == content


def test_who_may_not_leaves_the_session_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    file = tmp_path / "autogroup"
    file.write_text("/autogroup-25 nice 0\n")
    monkeypatch.setattr(first_served, "_AUTOGROUP", file)
    monkeypatch.setattr(first_served.os, "setpriority", refuse)
    assert first_served.be_first_served() is False
    assert file.read_text() == "/autogroup-25 nice 0\n"
