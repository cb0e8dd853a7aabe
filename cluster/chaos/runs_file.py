"""The results of chaos runs in one file: each run is added to those before it.

``{"version": 2, "runs": [...]}``; a file of version 1 is one run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cluster.errors import SettingsError

VERSION: Final = 2


def runs_in(path: Path) -> list[dict[str, Any]]:
    """The runs of a file, oldest first; none when it is empty or not there.

    Raises:
        SettingsError: It holds something else, or cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({type(error).__name__})") from None
    if not text.strip():
        return []
    try:
        plain = json.loads(text)
    except ValueError:
        plain = None
    if isinstance(plain, dict) and plain.get("version") == 1 and "faults" in plain:
        return [plain]
    runs = plain.get("runs") if isinstance(plain, dict) else None
    if not isinstance(runs, list) or plain.get("version") != VERSION:
        raise SettingsError(f"{path} holds no results of chaos runs: choose another file (--json)")
    return runs


def write_runs(path: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Replace the file, whole or not at all. Raises ``OSError``."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        beside.write_text(json.dumps({"version": VERSION, "runs": list(runs)}) + "\n", "utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
