"""A better place in the scheduler for the callers: one who is late measures itself.

Niceness alone is not enough where Linux groups processes by session, as most desktops and servers
without systemd's accounting do: it counts only within the session then, and the session of the
product has as much of the machine as that of the callers. The session as a whole has a niceness
of its own, which is put back when the process ends, as it is a shell's as well.

Source: sched(7), "The autogroup feature"; setpriority(2).
"""

from __future__ import annotations

import atexit
import contextlib
import os
from pathlib import Path

NICENESS = -20
_AUTOGROUP = Path("/proc/self/autogroup")  # "/autogroup-25 nice 0"


def be_first_served() -> bool:
    """Ask for a better place for this process, and its session; True if granted to the process."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    except (OSError, AttributeError):
        return False
    with contextlib.suppress(OSError, LookupError, ValueError):  # not there, or not allowed
        _move_session(_AUTOGROUP)
    return True


def _move_session(autogroup: Path) -> None:
    before = int(autogroup.read_text("ascii").split()[-1])
    if before == NICENESS:
        return
    autogroup.write_text(str(NICENESS), "ascii")
    atexit.register(_put_back, autogroup, before)


def _put_back(autogroup: Path, before: int) -> None:
    with contextlib.suppress(OSError):
        autogroup.write_text(str(before), "ascii")
