"""Which of many ports somebody listens on: of the ports of replicas most are nobody's.

A port that a replica has had is not given to another one for twenty minutes, so a run that ends
many replicas needs many ports. To ask each of them by HTTP takes the callers' CPU; to see whether
it is open takes some microseconds.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack

WITHIN_S = 0.2
_UNDER_WAY = (0, errno.EINPROGRESS)

Address = tuple[str, int]


def listening(places: Iterable[Address], within_s: float = WITHIN_S) -> list[Address]:
    """Those of ``places`` that take a connection within ``within_s``, in their order. Blocks."""
    order, taken = list(places), set[Address]()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for place in order:
            probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.setblocking(False)
            if probe.connect_ex(place) in _UNDER_WAY:
                selector.register(probe, selectors.EVENT_WRITE, (probe, place))
        deadline = time.monotonic() + within_s
        while selector.get_map() and (left_s := deadline - time.monotonic()) > 0.0:
            for key, _ in selector.select(left_s):
                probe, place = key.data
                selector.unregister(probe)
                if probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    taken.add(place)
    return [place for place in order if place in taken]
