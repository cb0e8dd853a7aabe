"""The file in which ``ray start`` notes its cluster for whoever asks for the one of this machine.

A node that has ended must not stay in it: ``serve run``, and every ``ray.init()``, would try to
reach its GCS for minutes. ``ray stop`` removes the file, a signal does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

NAME: Final = "ray_current_cluster"
_OPTION: Final = "--temp-dir"
_RAYS: Final = "--gcs-address="


def value_of(arguments: Sequence[str], name: str) -> str:
    """The value of an option of ``ray start``, in either form; empty where it is not there."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    return words[words.index(name) + 1] if name in words[:-1] else ""


def ray_folder(arguments: Sequence[str], environment: Mapping[str, str]) -> Path:
    """Where Ray keeps its files.

    Args:
        arguments: Of ``ray start``.
        environment: Of that.
    """
    if folder := value_of(arguments, _OPTION):
        return Path(folder)
    return Path(environment.get("RAY_TMPDIR") or "/tmp") / "ray"  # noqa: S108 - as Ray has it


def forget_ended(folder: Path, addresses: Iterable[str] | None = None) -> None:
    """Remove the file, unless something of the cluster that it names still runs here.

    Args:
        folder: Ray's.
        addresses: Clusters of which something runs here; found by looking when left out.
    """
    file = folder / NAME
    try:
        noted = file.read_text("utf-8").strip()
        if noted not in set(living_addresses() if addresses is None else addresses):
            file.unlink()
    except OSError:  # there is none, or it is another user's
        return


def living_addresses() -> set[str]:
    """Addresses of the clusters of which a process runs on this machine."""
    commands = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    words = (word for command in commands for argument in command for word in argument.split())
    return {word.removeprefix(_RAYS) for word in words if word.startswith(_RAYS)}
