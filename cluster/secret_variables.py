"""Secrets of agents' tools: named in their files, kept in the environment, carried by the settings.

A file says ``secret: CRM_TOKEN``; the environment (or ``.env``) has
``CALLCLUSTER_SECRET_CRM_TOKEN``. With a beginning of their own no file can send away a key that is
not meant for tools.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from dotenv import dotenv_values

SECRET_NAME = r"^[A-Z][A-Z0-9_]{0,63}$"  # noqa: S105 - what a name looks like
PREFIX = "CALLCLUSTER_SECRET_"


def gathered(env_file: Path = Path(".env")) -> str:
    """Every secret of the environment by name, as the JSON that settings carry; empty for none."""
    try:
        written = dotenv_values(env_file) if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError):
        written = {}  # said by whoever reads the settings in it
    every = {**written, **os.environ}
    found = {
        name.removeprefix(PREFIX): value
        for name, value in every.items()
        if name.startswith(PREFIX) and value and re.match(SECRET_NAME, name.removeprefix(PREFIX))
    }
    return json.dumps(found) if found else ""
