"""Memory as the doctor sees it, and the start that is refused without shared memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster import shared_memory
from cluster.doctor.check_memory import memory_bytes, memory_finding, shared_finding
from cluster.errors import ClusterError

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("total", "used", "status"),
    [(16 * GB, 8 * GB, "ok"), (16 * GB, 15 * GB, "warn"), (3 * GB // 2, GB // 2, "warn")],
)
def test_memory_that_is_little_or_nearly_full_is_said(total: int, used: int, status: str) -> None:
    assert memory_finding(total, used).status == status


@pytest.mark.parametrize(
    ("folder", "limit", "used", "cached"),
    [
        ("", "memory.max", "memory.current", "inactive_file"),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_a_container_has_what_its_group_has(
    folder: str, limit: str, used: str, cached: str, tmp_path: Path
) -> None:
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    (place / limit).write_text("50000000\n")
    (place / used).write_text("30000000\n")
    (place / "memory.stat").write_text(f"anon 7\n{cached} 10000000\nodd\n")
    assert memory_bytes(tmp_path) == (50_000_000, 20_000_000)


@pytest.mark.parametrize("text", ["max", "9223372036854771712", ""])
def test_without_a_limit_the_machine_counts(text: str, tmp_path: Path) -> None:
    for name in ("memory.max", "memory.current", "memory.stat"):
        (tmp_path / name).write_text(text)
    assert memory_bytes(tmp_path)[0] == psutil.virtual_memory().total


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Ray needs none")
def test_shared_memory_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert shared_finding(gone).status == "fail"
    with pytest.raises(ClusterError, match="gone cannot be written: No such file"):
        shared_memory.require(gone)


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts a disk")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("size=300m,ro", "fail: {} cannot be written: Read-only file system"),
        ("size=64m,ro", "warn: {}, 67 MB free"),
        ("size=64m", "warn: {}, 67 MB free"),
        ("size=300m", "ok: {}, 315 MB free"),
    ],
)
def test_shared_memory_as_it_really_is(options: str, said: str, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from cluster.doctor.check_memory import shared_finding;"
        "found = shared_finding(Path(sys.argv[1])); print(f'{found.status}: {found.found}')"
    )
    inside = ["sh", "-c", f'mount -t tmpfs -o {options} none $1 && "$2" -c "$3" "$1"', "sh"]
    done = subprocess.run(
        ["unshare", "-m", *inside, str(tmp_path), sys.executable, script],
        capture_output=True,
        text=True,
    )
    if "permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip("no disk may be mounted here")
    assert done.stdout.strip() == said.format(tmp_path), done.stderr


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts a disk")
def test_a_start_without_shared_memory_is_refused_at_once() -> None:
    """Ray itself would wait without a word, and heed no SIGTERM."""
    script = "from cluster.run_serve import start_ray; start_ray(dashboard=False)"
    inside = 'mount -t tmpfs -o size=300m,ro none /dev/shm && exec "$1" -c "$2"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside, "sh", sys.executable, script],
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip("no disk may be mounted here")
    assert "ClusterError: /dev/shm cannot be written: Read-only file system" in done.stderr
