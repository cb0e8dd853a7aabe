"""Work beside calls that may take its time: everything else of the machine comes first.

Where Linux groups processes by session, niceness alone counts within the session only, and a
command would have as much of a core as the whole product. So a command that has a session of its
own gives way with all of it; one in a shell's session leaves that as it is.

Source: sched(7), "The autogroup feature".
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")


def give_way(steps: int) -> None:
    """Come after others from now on, for good.

    Args:
        steps: Of niceness, 1 to 19.
    """
    os.nice(steps)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # no such feature
            _AUTOGROUP.write_text(str(steps), "ascii")
