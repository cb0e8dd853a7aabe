"""What gives way does so with its session, where that is its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sessions are grouped by Linux")

_ASK = """
import os, sys
from pathlib import Path
from cluster.give_way import give_way

def session():
    file = Path("/proc/self/autogroup")
    return int(file.read_text().split()[-1]) if file.exists() else None

before, there = os.getpriority(os.PRIO_PROCESS, 0), session()
give_way(5)
process = os.getpriority(os.PRIO_PROCESS, 0) == min(before + 5, 19)
print(process, "" if there is None else session() - there)
"""


@pytest.mark.parametrize("is_own", [True, False])
def test_the_process_gives_way_and_its_session_if_it_is_its_own(is_own: bool) -> None:
    command = [sys.executable, "-c", _ASK]
    if not is_own:  # a shell, whose session it is
        program = f"import subprocess; raise SystemExit(subprocess.call({command!r}))"
        command = [sys.executable, "-c", program]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, start_new_session=True
    ).stdout.split()
    process, *session = said
    assert process == "True"
    assert session in ([], ["5" if is_own else "0"])
