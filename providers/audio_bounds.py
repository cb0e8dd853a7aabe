"""What no voice does: speak without an end, or let audio trickle more slowly than it is heard.

A service that is broken, or something that is not the service, must not hold a call for ever.
"""

from __future__ import annotations

from typing import Final

from providers.errors import ProviderProtocolError
from voice.ports import FRAME_S, SAMPLE_RATE_HZ

# Far beyond the slowest voice: a letter that is spelled takes half a second, a number in digits
# as long as its words.
_LONGEST_S: Final = 20.0
_LONGEST_EACH_CHAR_S: Final = 1.0


def longest_samples(text: str) -> int:
    """How many samples the speech of a text can have at most."""
    return round((_LONGEST_S + _LONGEST_EACH_CHAR_S * len(text)) * SAMPLE_RATE_HZ)


def check_length(samples: int, text: str, provider: str) -> None:
    """See that there is not more audio than the text can take.

    Raises:
        ProviderProtocolError: There is.
    """
    if samples > longest_samples(text):
        seconds = samples / SAMPLE_RATE_HZ
        raise ProviderProtocolError(f"it speaks without an end ({seconds:.0f} s)", provider)


class Trickle:
    """When a body of audio was last seen to come on: a byte now and then is no progress.

    Args:
        bytes_a_second: Of the audio.
    """

    def __init__(self, bytes_a_second: int) -> None:
        self._least = round(FRAME_S * bytes_a_second)
        self._bytes = 0

    def took(self, count: int) -> bool:
        """Take more of it; whether that is progress: a frame at least since the last one."""
        self._bytes += count
        if self._bytes < self._least:
            return False
        self._bytes = 0
        return True
