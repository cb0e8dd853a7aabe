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

from cluster import ports
from cluster.errors import PortInUseError, SettingsError

pytestmark = pytest.mark.e2e


def test_a_port_in_use_names_who_has_it_and_what_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(PortInUseError) as error:
            ports.require_free([(ports.free_port(), "OTHER"), (port, "CALLCLUSTER_PORT")])
    said = str(error.value)
    assert f"port {port} is taken by" in said
    assert f"(process {os.getpid()})" in said
    assert "choose another port with CALLCLUSTER_PORT" in said
    ports.require_free([(port, "CALLCLUSTER_PORT")])


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
