"""The thread that runs the event loop comes before the other threads of its machine.

Whatever else is computed in the process or beside it (recognisers, models, Ray, other programs) can
wait for some milliseconds; a loop that waits holds up all its calls. Only the calling thread is
raised: what it starts, threads and processes, begins where an ordinary one would
(``SCHED_RESET_ON_FORK``). Only Linux counts niceness by thread, and a process needs
``CAP_SYS_NICE`` or a limit (``ulimit -e``) for it: without, everything stays as it was.

Source: sched(7), setpriority(2).
"""

from __future__ import annotations

import os
import sys
import threading

_NICEST_TO_US = -20


def raise_this_thread(steps: int) -> bool:
    """Make the calling thread less nice; returns whether the system allowed it.

    Args:
        steps: Of niceness, from what it has; 0 does nothing, and is not allowed either.
    """
    if sys.platform != "linux" or steps <= 0:
        return False
    thread = threading.get_native_id()
    nice = os.getpriority(os.PRIO_PROCESS, thread)
    policy = os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK
    if policy != os.SCHED_OTHER:
        return False  # somebody has decided otherwise for this process
    try:
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, thread, max(nice - steps, _NICEST_TO_US))
    except PermissionError:
        return False
    return True
