"""Audio we already have, in memory: the least recently used goes first, pinned clips stay.

Synchronous and without I/O. Tenants share clips: a clip depends on nothing but its text, voice and
form, all of which are in the key.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cache.errors import ClipTooLarge

Marks = tuple[tuple[int, float], ...]

_ENTRY_BYTES = 400  # key, dictionary slot, objects: measured with tracemalloc
_MARK_BYTES = 120


@dataclass(frozen=True, slots=True)
class Clip:
    """One finished piece of speech.

    Attributes:
        ulaw: G.711 mu-law, 8 kHz mono, one byte a sample.
        marks: (chars, at_s): the first ``chars`` characters are spoken once ``at_s`` has played.
    """

    ulaw: bytes
    marks: Marks = ()

    @property
    def size_bytes(self) -> int:
        """What it costs to keep, bookkeeping included."""
        return _ENTRY_BYTES + len(self.ulaw) + _MARK_BYTES * len(self.marks)


@dataclass(frozen=True, slots=True)
class ClipCounts:
    """What a cache did since it began, and what it holds now."""

    hits: int
    misses: int
    evicted: int
    clips: int
    pinned: int
    held_bytes: int


class ClipCache:
    """Clips by key, at most ``max_bytes`` of them.

    Args:
        max_bytes: Memory for clips and their bookkeeping; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._loose: OrderedDict[bytes, Clip] = OrderedDict()
        self._pinned: dict[bytes, Clip] = {}
        self._held_bytes = 0
        self._hits = 0
        self._misses = 0
        self._evicted = 0

    @property
    def counts(self) -> ClipCounts:
        """Counters and sizes for the metrics."""
        return ClipCounts(
            hits=self._hits,
            misses=self._misses,
            evicted=self._evicted,
            clips=len(self._loose) + len(self._pinned),
            pinned=len(self._pinned),
            held_bytes=self._held_bytes,
        )

    def get(self, key: bytes) -> Clip | None:
        """The clip, which becomes the most recently used; None is counted as a miss."""
        clip = self._pinned.get(key)
        if clip is None and (clip := self._loose.get(key)) is not None:
            self._loose.move_to_end(key)
        if clip is None:
            self._misses += 1
        else:
            self._hits += 1
        return clip

    def put(self, key: bytes, clip: Clip, *, pin: bool = False) -> bool:
        """Keep a clip; a pinned one (a greeting, a stock phrase) is never evicted.

        Returns:
            False when it is larger than the room that pinned clips leave: it is not kept.

        Raises:
            ClipTooLarge: It was to be pinned and does not fit; nothing was changed.
        """
        pin = pin or key in self._pinned
        room = self._max_bytes - self._pinned_bytes(without=key)
        if clip.size_bytes > room:
            if pin:
                raise ClipTooLarge(
                    f"{clip.size_bytes} bytes to pin, {max(room, 0)} left: raise max_bytes of the "
                    "clip cache or pin fewer phrases"
                )
            return False
        self.discard(key)
        (self._pinned if pin else self._loose)[key] = clip
        self._held_bytes += clip.size_bytes
        while self._held_bytes > self._max_bytes:
            _, oldest = self._loose.popitem(last=False)
            self._held_bytes -= oldest.size_bytes
            self._evicted += 1
        return True

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Of all clips that are there."""
        return (*self._pinned, *self._loose)

    def holds(self, key: bytes) -> bool:
        """Whether the clip is there; counted as nothing."""
        return key in self._pinned or key in self._loose

    def is_pinned(self, key: bytes) -> bool:
        """Whether the clip is there for good."""
        return key in self._pinned

    def discard(self, key: bytes) -> None:
        """Forget a clip, pinned or not."""
        clip = self._pinned.pop(key, None) or self._loose.pop(key, None)
        if clip is not None:
            self._held_bytes -= clip.size_bytes

    def _pinned_bytes(self, *, without: bytes) -> int:
        return sum(clip.size_bytes for key, clip in self._pinned.items() if key != without)
