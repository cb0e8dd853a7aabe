"""HAProxy's connections are taken down to what the descriptors allow: it would not start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
from cluster import serve_env
environment = {{"RAY_SERVE_HAPROXY_MAXCONN": "{asked}", "RAY_SERVE_HAPROXY_BINARY_PATH": "/x"}}
serve_env.prepare(environment, folder=Path({folder!r}))
print(environment["RAY_SERVE_HAPROXY_MAXCONN"], resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("asked", "kept", "soft", "said"),
    [
        (20_000, 633, 2_900, "RAY_SERVE_HAPROXY_MAXCONN"),
        (800, 800, 2_900, ""),
    ],
)
def test_a_number_that_cannot_be_is_made_smaller_and_said(
    tmp_path: Path, asked: int, kept: int, soft: int, said: str
) -> None:
    script = SCRIPT.format(asked=asked, hard=2_900, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == f"{kept} {soft}\n", done.stderr
    assert bool(done.stderr) == bool(said)
    assert said in done.stderr
