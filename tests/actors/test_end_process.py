"""What is ended is what it is taken for."""

from __future__ import annotations

import subprocess
import sys

from actors.end_process import end_process


def test_a_held_process_is_ended_and_one_of_another_title_is_not() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "ServeReplica"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # one that is just being started has no command line yet
        assert end_process(process.pid, "MetricsActor")  # the id belongs to something else by now
        assert process.poll() is None
        assert end_process(process.pid, "ServeReplica")
        assert process.wait(10) == -9
        assert end_process(process.pid, "ServeReplica")
    finally:
        process.kill()
        process.communicate()
