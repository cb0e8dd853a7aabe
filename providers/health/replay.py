"""What a second recogniser is sent again, and which of its words are new.

Rules
1. Media time is counted in samples of the call; the ring holds the last ``ring_samples``.
2. The replay begins a little before the end of the last final, or where the ring begins.
3. It is sent faster than real time until it has caught up.
4. Of the words that come back, those whose middle lies before the commit point were heard already.
   Without times, the longest end of the old words that begins the new ones is dropped, allowing for
   one cut word before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAMPLE_RATE_HZ = 8_000
OVERLAP_SAMPLES = 2_400  # 0.3 s
_MOST_COMPARED = 12


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word of a recogniser.

    Attributes:
        form: Comparable form, see ``voice.words.normalise``.
        start_samples: Media time; None when the recogniser tells no times.
        end_samples: Likewise.
    """

    form: str
    start_samples: int | None = None
    end_samples: int | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What to send.

    Attributes:
        start_samples: First sample, media time.
        end_samples: One after the last one that is in the ring now.
        lost_samples: Audio after the last final that the ring no longer holds.
    """

    start_samples: int
    end_samples: int
    lost_samples: int

    def caught_up_after_s(self, speed: float) -> float:
        """Until nothing lags, sending at ``speed`` (above 1) times real time, seconds."""
        return (self.end_samples - self.start_samples) / SAMPLE_RATE_HZ / (speed - 1.0)


class ReplayLedger:
    """How far a call's recogniser has come.

    Attributes:
        committed_samples: End of the last final, media time.
    """

    def __init__(self, ring_samples: int = 8 * SAMPLE_RATE_HZ) -> None:
        self._ring_samples = ring_samples
        self.committed_samples = 0

    def final_came(self, end_samples: int) -> None:
        """A final transcript covers the audio up to here; an earlier one changes nothing."""
        self.committed_samples = max(self.committed_samples, end_samples)

    def replay(self, now_samples: int) -> Replay:
        """What a new recogniser has to be sent.

        Args:
            now_samples: Media time of the newest frame in the ring.
        """
        oldest = max(0, now_samples - self._ring_samples)
        wanted = max(0, min(self.committed_samples, now_samples) - OVERLAP_SAMPLES)
        start = max(oldest, wanted)
        return Replay(start, now_samples, max(0, oldest - self.committed_samples))


def new_words(
    committed: Sequence[HeardWord], replayed: Sequence[HeardWord], *, committed_samples: int
) -> list[HeardWord]:
    """The words of a replay that were not heard before.

    Args:
        committed: Words of the finals so far, oldest first.
        replayed: Words of the new recogniser, from the start of the replay.
        committed_samples: The commit point.
    """
    if replayed and all(word.end_samples is not None for word in replayed):
        return [word for word in replayed if _middle(word) >= committed_samples]
    old = [word.form for word in committed[-_MOST_COMPARED:]]
    forms = [word.form for word in replayed[: _MOST_COMPARED + 1]]
    for length in range(min(len(old), len(forms)), 0, -1):
        for cut in (0, 1):
            if forms[cut : cut + length] == old[-length:]:
                return list(replayed[cut + length :])
    return list(replayed)


def _middle(word: HeardWord) -> float:
    end = word.end_samples or 0
    start = word.start_samples if word.start_samples is not None else end
    return (start + end) / 2
