"""What is said when nobody is there any more who could read it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import sys
from cluster.cli_console import say_if_heard
for _ in range(3):
    say_if_heard("a line")
sys.exit(3)
"""


@pytest.mark.e2e
def test_a_reader_that_is_gone_ends_nothing_and_changes_no_exit_code() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run([sys.executable, "-c", CODE], stderr=writing, check=False)
    finally:
        os.close(writing)
    assert ended.returncode == 3
