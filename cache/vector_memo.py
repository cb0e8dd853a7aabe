"""Vectors of texts that were encoded before: callers say the same things. Any thread may ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

MEMO_ENTRIES: Final = 2_048


class VectorMemo:
    """The last ``MEMO_ENTRIES`` that were asked for, 3 MB for vectors of 384 numbers."""

    def __init__(self, entries: int = MEMO_ENTRIES) -> None:
        self._entries = entries
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def vector(self, text: str, make: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
        """The vector of a text, made when it is not known; nobody may write into it."""
        with self._lock:
            if (known := self._known.get(text)) is not None:
                self._known.move_to_end(text)
                return known
        made = make(text)
        made.setflags(write=False)
        with self._lock:
            self._known[text] = made
            if len(self._known) > self._entries:
                self._known.popitem(last=False)
        return made
