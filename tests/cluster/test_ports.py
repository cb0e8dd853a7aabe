"""Ports in use, and proxies that were left behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster import ports, run_serve
from cluster.errors import PortInUseError, SettingsError
from cluster.settings import Settings

pytestmark = pytest.mark.e2e


def wanted(port: int, setting: str = "CALLCLUSTER_PORT") -> ports.WantedPort:
    return ports.WantedPort(port, "calls", setting)


def test_a_port_in_use_names_who_has_it_and_what_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(PortInUseError) as error:
            ports.require_free([wanted(ports.free_port(), "OTHER"), wanted(port)])
    said = str(error.value)
    assert f"port {port} is taken by" in said
    assert f"(process {os.getpid()})" in said
    assert "choose another port with CALLCLUSTER_PORT" in said
    ports.require_free([wanted(port)])


@pytest.mark.parametrize(
    ("setting", "matters"),
    [
        ("RAY_SERVE_HAPROXY_STATS_PORT", True),
        ("RAY_SERVE_HAPROXY_METRICS_PORT", True),
        ("RAY_SERVE_FALLBACK_PROXY_HTTP_PORT", True),
        ("RAY_SERVE_HAPROXY_STATS_PORT", False),
    ],
)
def test_serve_names_who_holds_a_port_of_haproxy_before_it_starts_anything(
    setting: str, matters: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(tmp_path / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.free_port()),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.free_port()),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.free_port()),
    }
    monkeypatch.setattr(run_serve, "haproxy_folder", lambda _port: tmp_path / "haproxy")
    monkeypatch.setattr(run_serve.serve_env, "prepare", lambda *_, **__: matters)
    settings = Settings(_env_file=None, host="127.0.0.1", port=ports.free_port())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        for name, value in {**environment, setting: str(port)}.items():
            monkeypatch.setenv(name, value)
        if not matters:  # without HAProxy nobody wants it
            assert run_serve.prepare_environment(settings, lambda _text: None) is False
            return
        with pytest.raises(PortInUseError) as error:
            run_serve.prepare_environment(settings, lambda _text: None)
    assert f"port {port} is taken by" in str(error.value)
    assert f"choose another port with {setting}" in str(error.value)


def test_every_port_in_use_is_named_at_once() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        held = [each.getsockname()[1] for each in (one, other)]
        with pytest.raises(PortInUseError) as error:
            ports.require_free([wanted(held[0], "ONE"), wanted(held[1], "OTHER")])
    said = str(error.value)
    assert said.startswith(f"ports {held[0]}, {held[1]} are taken by ")
    assert said.count(f"(process {os.getpid()})") == 1
    assert said.endswith(". End it, or choose other ports with ONE, OTHER.")


def test_each_owner_has_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = [
        ports.Listener(1, 11, "haproxy"),
        ports.Listener(2, 11, "haproxy"),
        ports.Listener(3, 12, "proxy"),
        ports.Listener(4, 13, "nginx"),
    ]
    monkeypatch.setattr(ports, "listeners", lambda: iter(listening))
    monkeypatch.setattr(ports, "runs_under_ray", lambda pid: pid in {11, 12})
    with pytest.raises(PortInUseError) as error:
        ports.require_free([wanted(number, f"P{number}") for number in range(1, 6)])
    assert str(error.value) == (
        "ports 1, 2, 3 are taken by haproxy (process 11) and proxy (process 12), of a Ray cluster "
        "that runs here already. Stop what it runs ('callcluster stop' if that is callcluster), or "
        "choose other ports with P1, P2, P3. "
        "port 4 is taken by nginx (process 13). End it, or choose another port with P4."
    )


def test_a_port_of_another_ray_cluster_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "runs_under_ray", lambda pid: pid == os.getpid())
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(PortInUseError) as error,
    ):
        ports.require_free([wanted(listening.getsockname()[1])])
    assert "of a Ray cluster that runs here already" in str(error.value)
    assert "'callcluster stop' if that is callcluster" in str(error.value)
    assert "CALLCLUSTER_PORT" in str(error.value)


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("tail") is None, reason="needs tail and /proc"
)
@pytest.mark.parametrize("host", ["198.51.100.1", "nobody.invalid"])
def test_an_address_that_this_machine_has_not_names_its_setting(host: str) -> None:
    with pytest.raises(SettingsError, match="where this machine cannot listen"):
        ports.require_address(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_an_address_of_this_machine_is_fine(host: str) -> None:
    ports.require_address(host)


def test_only_a_leftover_haproxy_of_our_own_folder_is_ended(tmp_path: Path) -> None:
    """Somebody else's proxy, and another deployment's, are left alone."""
    binary = tmp_path / "haproxy"
    binary.symlink_to(str(shutil.which("tail")))
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "haproxy.cfg").write_text("")
    ours, theirs = [
        subprocess.Popen(
            [str(binary), "-f", str(tmp_path / name / "haproxy.cfg")], stdout=subprocess.DEVNULL
        )
        for name in ("ours", "theirs")
    ]
    try:
        if psutil.Process(ours.pid).name() != "haproxy":
            pytest.skip("this tail does not go by the name it was started under")
        assert ports.end_leftovers(str(tmp_path / "ours")) == [ours.pid]
        ours.wait(5)
        assert theirs.poll() is None
        assert ports.end_leftovers(str(tmp_path / "our")) == []
        assert ports.end_leftovers(str(tmp_path / "ours")) == []
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()
