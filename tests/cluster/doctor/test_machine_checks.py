"""What the doctor says of the machine: packages, HAProxy, ports, disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.doctor import check_store
from cluster.doctor.check_haproxy import environment_findings, limit_findings
from cluster.doctor.check_packages import pinned_finding, python_finding, required_finding
from cluster.doctor.check_ports import (
    Owner,
    port_finding,
    replica_finding,
)
from cluster.doctor.check_store import examine_database, examine_disk, schema_finding, space_finding
from cluster.doctor.check_temporary import examine_temporary, room_finding
from cluster.doctor.finding import Finding
from cluster.doctor.node_probe import code_digest
from cluster.doctor.place import Place
from cluster.ports import Listener, WantedPort, wanted_ports
from cluster.settings import Settings
from records import schema
from records.schema import SchemaState
from tests.support.virtual_time import run

VERSIONS = {"ray": "2.60.0", "numpy": "1.0", "rich": "15.0.0"}


def version_of(name: str) -> str:
    return VERSIONS.get(name, "")


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


# --- packages ------------------------------------------------------------------------------------


def test_an_old_python_is_said() -> None:
    assert python_finding((3, 11, 0), "x").status == "ok"
    old = python_finding((3, 10, 9), "x")
    assert (old.status, "3.10.9" in old.found) == ("fail", True)


def test_packages_that_are_missing_or_too_old_are_named() -> None:
    found = required_finding(
        [
            "ray[serve]<2.61,>=2.60",
            "numpy>=1.26",
            "twilio>=9",
            'pytest; extra == "dev"',
            'missing>=1; sys_platform == "nowhere"',
        ],
        version_of,
    )
    assert found.status == "fail"
    assert found.found == "numpy 1.0, wanted >=1.26, twilio is missing"
    assert required_finding(["ray>=2.60"], version_of).found == "1 required, all there"


def test_versions_that_nobody_tested_are_a_warning(tmp_path: Path) -> None:
    pins = tmp_path / "constraints.txt"
    assert pinned_finding(pins, version_of).status == "skipped"
    pins.write_text("# tested\nray==2.60.0\nnumpy==2.4.6  # new\nnot-here==1.0\n\n")
    found = pinned_finding(pins, version_of)
    assert found.status == "warn"
    assert found.found == "1 differ: numpy 1.0 (==2.4.6)"
    pins.write_text("ray==2.60.0\nrich==15.0.0\n")
    assert pinned_finding(pins, version_of).found == "2 packages as in constraints.txt"


def test_code_that_differs_in_one_byte_or_one_name_is_other_code(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "voice").mkdir(parents=True)
        (tmp_path / place / "voice" / "a.py").write_text("x = 1\n")
    one, two = tmp_path / "one", tmp_path / "two"
    assert code_digest(one) == code_digest(two)
    (two / "voice" / "a.py").write_text("x = 2\n")
    assert code_digest(one) != code_digest(two)
    (two / "voice" / "a.py").write_text("x = 1\n")
    (two / "voice" / "b.py").write_text("")
    assert code_digest(one) != code_digest(two)


# --- HAProxy -------------------------------------------------------------------------------------


def test_the_environment_is_judged_as_serve_would_complete_it() -> None:
    (whole,) = environment_findings({})
    assert whole.status == "ok"
    (switched_off,) = environment_findings({"RAY_SERVE_ENABLE_HA_PROXY": "0"})
    assert switched_off.status == "warn"
    short = environment_findings({"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "8"})
    assert "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S is 8" in short[0].found
    (unreadable,) = environment_findings({"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "long"})
    assert unreadable.status == "fail"


@pytest.mark.parametrize(
    ("maxconn", "hard", "statuses"),
    [
        ("4000", 10_000, ["ok"]),
        ("4000", 9_999, ["fail"]),
        ("4000", None, ["ok"]),
        ("250", 10_000, ["ok", "warn"]),
        ("many", 10_000, ["fail"]),
    ],
)
def test_descriptors_must_suffice_for_haproxys_connections(
    maxconn: str, hard: int | None, statuses: list[str]
) -> None:
    environment = {"RAY_SERVE_HAPROXY_MAXCONN": maxconn}
    found = limit_findings(environment, settings(calls_per_replica=100), hard)
    assert [finding.status for finding in found] == statuses


# --- ports ---------------------------------------------------------------------------------------

OURS, THEIRS = Listener(8000, 10, "haproxy"), Listener(8000, 20, "nginx")
ANOTHERS = Listener(8000, 30, "ray::ProxyActor")


def owner(pid: int | None) -> Owner:
    owned: dict[int | None, Owner] = {10: "ours", 30: "another"}
    return owned.get(pid, "nobody")


@pytest.mark.parametrize(
    ("found", "status", "said"),
    [
        ([], "ok", "free"),
        ([Listener(8001, 20, "nginx")], "ok", "free"),
        ([OURS], "ok", "haproxy, process 10, of the Ray cluster that runs here"),
        ([ANOTHERS], "fail", "taken by ray::ProxyActor, process 30, of another Ray cluster"),
        ([THEIRS], "fail", "taken by nginx, process 20"),
        ([Listener(8000, None, "an unknown process")], "fail", "taken by an unknown process"),
    ],
)
def test_a_port_is_free_or_ours_or_somebody_elses(
    found: list[Listener], status: str, said: str
) -> None:
    finding = port_finding(WantedPort(8000, "calls", "CALLCLUSTER_PORT"), found, owner)
    assert finding.status == status
    assert finding.found.startswith(said)
    assert ("CALLCLUSTER_PORT" in finding.advice) == (status == "fail")


def test_moved_ports_are_looked_at_where_they_are() -> None:
    wanted = wanted_ports(7801, {"RAY_SERVE_HAPROXY_STATS_PORT": "7802"})
    assert [port.port for port in wanted] == [7801, 7802, 9101, 8500]


@pytest.mark.parametrize(
    ("ports", "status"),
    [
        ([], "ok"),
        ([Listener(30000, 10, "ray::ServeReplica")], "ok"),
        ([Listener(30000, 20, "nginx")], "warn"),
        ([Listener(30000, 30, "ray::ServeReplica")], "warn"),
        ([Listener(30000, 20, "nginx"), Listener(30001, 20, "nginx")], "fail"),
    ],
)
def test_the_replicas_need_room(ports: list[Listener], status: str) -> None:
    environment = {
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": "30000",
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": "30002",
    }
    assert replica_finding(environment, 2, ports, owner).status == status


@pytest.mark.parametrize("text", ["", "many", "-1", "²"])
def test_a_range_of_ports_that_is_no_number_is_said(text: str) -> None:
    found = replica_finding({"RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": text}, 2, [], owner)
    assert (found.status, found.subject) == ("fail", "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT")


# --- database and disk ---------------------------------------------------------------------------


def test_a_schema_of_another_version_says_what_to_do() -> None:
    def found(state: Any, *, is_ours: bool = False) -> Finding:
        return schema_finding(
            SchemaState("0001", "0002", state), "sqlite:///x", is_migrated_at_start=is_ours
        )

    assert found("ok").status == found("empty").status == "ok"
    assert (found("older").status, found("older").advice) == ("fail", "callcluster records migrate")
    assert found("unversioned").status == "fail"
    assert found("older", is_ours=True).status == "ok"
    assert found("newer", is_ours=True).advice == "upgrade callcluster here"


def test_the_database_is_asked_and_its_password_not_shown(tmp_path: Path) -> None:
    place = Place(settings=settings(data_dir=tmp_path / "var"))
    (new,) = run_for_real(examine_database(place))
    assert "made at the first start" in new.found
    (tmp_path / "var").mkdir()
    assert run_for_real(examine_database(place))[0].status == "ok"
    run_for_real(schema.migrate(place.settings.store_url))  # type: ignore[union-attr]
    assert run_for_real(examine_database(place))[0].found.endswith(f"tables {schema.HEAD}")
    gone = f"sqlite:///{tmp_path}/nowhere/calls.sqlite3"
    ro = f"sqlite:///file:{tmp_path}/var/callcluster.sqlite3?mode=ro&uri=true"
    (read_only,) = run_for_real(examine_database(Place(settings=settings(database_url=ro))))
    assert read_only.status == "fail"
    assert "readonly database" in read_only.found
    (lost,) = run_for_real(examine_database(Place(settings=settings(database_url=gone))))
    assert lost.status == "fail"
    assert "nowhere" in lost.found
    (odd,) = run_for_real(examine_database(Place(settings=settings(database_url="mysql://u:pw@h"))))
    assert odd.status == "fail"
    assert "pw" not in odd.found


def test_sqlite_on_a_cluster_is_a_warning(tmp_path: Path) -> None:
    place = Place(
        settings=settings(database_url=f"sqlite:///{tmp_path}/calls.sqlite3"),
        environment={"RAY_ADDRESS": "10.0.0.1:6379"},
    )
    assert [found.status for found in run_for_real(examine_database(place))] == ["ok", "warn"]


def test_the_data_directory_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "deep"
    found = run_for_real(examine_disk(Place(settings=settings(data_dir=folder))))
    assert found[0].found == f"{folder}, to be made"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "var").write_text("")
    (blocked,) = run_for_real(examine_disk(Place(settings=settings(data_dir=folder))))
    assert (blocked.status, "is a file" in blocked.found) == ("fail", True)


def test_a_directory_that_may_not_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(check_store, "write_something", refuse)
    (found,) = run_for_real(examine_disk(Place(settings=settings(data_dir=tmp_path))))
    assert found.status == "fail"
    assert "CALLCLUSTER_DATA_DIR" in found.advice


@pytest.mark.parametrize(
    ("free_bytes", "status"), [(2 * 10**9, "ok"), (5 * 10**8, "warn"), (10**7, "fail")]
)
def test_a_full_disk_is_said_before_it_is_full(free_bytes: int, status: str) -> None:
    assert space_finding(free_bytes).status == status


@pytest.mark.parametrize(
    ("total_bytes", "free_bytes", "status"),
    [
        (10**11, 2 * 10**10, "ok"),
        (10**11, 4 * 10**9, "warn"),  # 96 % full: Ray minds, whatever is left
        (10**10, 10**7, "fail"),
        (10**8, 9 * 10**7, "fail"),
    ],
)
def test_room_for_temporary_files(total_bytes: int, free_bytes: int, status: str) -> None:
    found = room_finding(Path("/x"), total_bytes, free_bytes)
    assert (found.status, "RAY_TMPDIR" in found.advice) == (status, status != "ok")


def test_temporary_files_are_looked_at_where_ray_puts_them(tmp_path: Path) -> None:
    place = Place(settings=None, environment={"RAY_TMPDIR": str(tmp_path / "gone")})
    (found,) = run_for_real(examine_temporary(place))
    assert (found.status, "gone cannot be written" in found.found) == ("fail", True)
    (there,) = run_for_real(examine_temporary(Place(settings=None, environment={})))
    assert str(Path(tempfile.gettempdir())) in there.found


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounts a disk")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A disk of 64 kB, full to the last byte, in a namespace of its own."""
    script = """
import asyncio, json, sys
from pathlib import Path
from cluster.doctor.check_store import examine_disk
from cluster.doctor.check_temporary import examine_temporary
from cluster.doctor.place import Place
from cluster.settings import Settings
folder = Path(sys.argv[1])
settings = Settings(_env_file=None, data_dir=folder)
place = Place(settings=settings, environment={"RAY_TMPDIR": str(folder)})
found = [*asyncio.run(examine_disk(place)), *asyncio.run(examine_temporary(place))]
print(json.dumps([[each.status, each.subject, each.found] for each in found]))
"""
    fill = "mount -t tmpfs -o size=64k none $1 && cat /dev/zero > $1/zeros 2>/dev/null;"
    inside = ["sh", "-c", f'{fill} "$2" -c "$3" "$1"', "sh"]
    done = subprocess.run(
        ["unshare", "-m", *inside, str(tmp_path), sys.executable, script],
        capture_output=True,
        text=True,
    )
    if "permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip("no disk may be mounted here")
    found = json.loads(done.stdout or "[]")
    assert [(status, subject) for status, subject, _ in found] == [
        ("fail", "data directory"),
        ("fail", "temporary files"),
    ], done.stderr
    assert all("No space left on device" in said for _, _, said in found)


def test_without_settings_nothing_is_guessed() -> None:
    place = Place(settings=None, settings_problem="CALLCLUSTER_PORT: no number")
    for examine in (examine_database, examine_disk):
        (found,) = run(examine(place))
        assert found.status == "skipped"
    assert replace(place).settings_problem


def run_for_real(coroutine: Any) -> Any:
    """Threads and files take real time."""
    import asyncio

    return asyncio.run(coroutine)
