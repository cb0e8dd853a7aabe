"""``ray up cluster.local.yaml`` on two machines of its own: namespaces with an sshd each."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from cluster.survival.network import NodeNetwork, network_trouble, node_network

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
UP_WITHIN_S = 120.0
JOINED_WITHIN_S = 120.0
# A machine has processes, a home and temporary files of its own. The interpreter may be one that
# lies in somebody's home.
MACHINE = """
set -e
mount --bind {python} {folder}/python
mount -t tmpfs tmpfs /root
mount -t tmpfs tmpfs /tmp
mkdir -p {python}
mountpoint -q {python} || mount --bind {folder}/python {python}
exec "$0" -D -e -p 22 -o AuthorizedKeysFile={folder}/key.pub -o StrictModes=no -o UsePAM=no
"""


def trouble() -> str:
    missing = [name for name in ("sshd", "ssh", "ssh-keygen", "rsync") if not shutil.which(name)]
    if missing:
        return f"{missing[0]} is not installed (Debian: apt install openssh-server rsync)"
    return network_trouble()


@contextlib.contextmanager
def machines(network: NodeNetwork, folder: Path) -> Iterator[list[psutil.Process]]:
    """An sshd on every node, with its own process ids; all of it is gone at the end."""
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "python").mkdir()
    started = []
    try:
        for node in range(network.count):
            with (folder / f"sshd-{node}.log").open("wb") as log:
                alone = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
                script = MACHINE.format(folder=folder, python=sys.base_prefix)
                started.append(
                    psutil.Popen(
                        (*network.inside(node), *alone, "sh", "-c", script, shutil.which("sshd")),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                )
        yield started
    finally:
        for process in started:
            inside = process.children(recursive=True)
            process.kill()  # and with the first process of its namespace every other one
            process.wait()
            psutil.wait_procs(inside, timeout=10)


def config_of(network: NodeNetwork, folder: Path) -> Path:
    """The file that ships, for these machines: what is installed here is installed there."""
    shipped = (ROOT / "cluster.local.yaml").read_text("utf-8")
    text = shipped.replace("/home/ubuntu", str(Path.home()))
    # Nothing leads out of these namespaces, so Ray finds no other address of its own than loopback.
    for role, number in (("--head", 0), ("--address", 1)):
        text = text.replace(f"-- {role}", f"-- --node-ip-address={network.address(number)} {role}")
    config = yaml.safe_load(text)
    config["cluster_name"] = f"up-{secrets.token_hex(4)}"
    config["provider"] |= {"head_ip": network.address(0), "worker_ips": [network.address(1)]}
    config["auth"] = {"ssh_user": "root", "ssh_private_key": str(folder / "key")}
    config["file_mounts"] = {f"{Path.home()}/callcluster": str(folder / "files")}
    config["setup_commands"] = [f"ln -sfn {BIN.parent} {Path.home()}/venv"]
    (folder / "files").mkdir()
    environment = (ROOT / "cluster.env").read_text("utf-8")
    token = f"RAY_AUTH_TOKEN={secrets.token_hex(32)}\nPYTHONPATH={ROOT}\n"
    (folder / "files" / "cluster.env").write_text(environment, "utf-8")
    (folder / "files" / "cluster.secrets.env").write_text(token, "utf-8")
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path


def of_program(machine: psutil.Process, name: str) -> psutil.Process | None:
    """A process of this program on a machine."""
    for process in machine.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == name:
                return process
    return None


def said_on(machine: psutil.Process) -> str:
    """Who runs on a node, and the end of what it and its autoscaler say, on files of its own."""
    inside = machine.children(recursive=True)
    found = [" ".join(sorted({process.name() for process in inside}))]
    for process in inside[-1:]:
        root = Path(f"/proc/{process.pid}/root")
        # Not by the link to the latest one: it leads to a folder of ours.
        monitors = root.glob("tmp/ray/session_2*/logs/monitor*")
        own = root / Path.home().relative_to("/") / "node.log"
        paths = [path for path in (own, *sorted(monitors)) if path.exists()]
        found += [f"{path.name}: {path.read_text('utf-8', 'replace')[-2_000:]}" for path in paths]
    return "\n".join(found)


def test_ray_up_starts_both_nodes_with_the_environment_of_every_node() -> None:
    if why := trouble():
        pytest.skip(why)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        network = stack.enter_context(node_network(2))
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"))
        both = stack.enter_context(machines(network, folder))
        home = folder / "home"
        home.mkdir()
        up = subprocess.run(
            (BIN / "ray", "up", "-y", "--no-config-cache", config_of(network, folder)),
            env={**os.environ, "HOME": str(home), "RAY_TMPDIR": str(folder), "TERM": "dumb"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=UP_WITHIN_S,
        )
        assert up.returncode == 0, up.stdout[-4_000:] + up.stderr[-2_000:]
        deadline = time.monotonic() + JOINED_WITHIN_S
        while not all(of_program(machine, "raylet") for machine in both):
            assert time.monotonic() < deadline, f"a node did not come: {[*map(said_on, both)]}"
            time.sleep(0.5)
        for number, machine in enumerate(both):
            raylet = of_program(machine, "raylet")
            assert raylet is not None
            environment = raylet.environ()
            assert environment["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
            assert environment["RAY_SERVE_HAPROXY_BINARY_PATH"].endswith("/haproxy-kept")
            assert environment["RAY_worker_niceness"] == "0"
            assert (of_program(machine, "gcs_server") is not None) == (number == 0)
