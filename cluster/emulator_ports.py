"""Ports of emulators that a stage starts and nobody on it asks."""

from __future__ import annotations

import inspect
from typing import Final

from cluster.cli_simulate import simulate_providers

# Any free port: the defaults are one set for a person at a terminal, and a stage may have several.
# To be given before the options that choose a port: the last one counts.
UNASKED: Final = tuple(
    f"--{name.replace('_', '-')}=0"
    for name, option in inspect.signature(simulate_providers).parameters.items()
    if name.endswith("_port") and option.default  # what has no default is not started
)
