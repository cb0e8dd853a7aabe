"""The audio of one stream in whole 20 ms frames that keep Twilio's time.

1. Audio comes out in whole frames; what does not fill a frame waits for the next message.
2. Media time is what has come out. It follows Twilio's timestamps: a gap is filled with silence
   (to whole frames, forgiving 5 ms of jitter), so that whoever counts samples keeps the time.
3. At most 2 s are filled for one gap; the rest is counted in ``unfilled_frames`` and forgotten. A
   timestamp far in the past only moves the origin.
"""

from __future__ import annotations

from telephony.g711 import FRAME_BYTES, SILENCE_FRAME
from telephony.stream_events import AudioReceived, StreamStats

MAX_FILL_FRAMES = 100

_FRAME_MS = 20
_JITTER_MS = 5
_SAMPLES_PER_MS = 8
_SAMPLE_RATE_HZ = 8_000


class MediaTime:
    """Puts the audio of one stream in its place.

    Args:
        stats: Where gaps and made-up frames are counted.
    """

    __slots__ = ("_delivered_samples", "_origin_ms", "_rest", "_stats")

    def __init__(self, stats: StreamStats) -> None:
        self._stats = stats
        self._delivered_samples = 0
        self._rest = b""
        self._origin_ms: int | None = None

    @property
    def waiting(self) -> bytes:
        """Mu-law that does not fill a frame yet: 0 to 159 bytes."""
        return self._rest

    def take(self, timestamp_ms: int, ulaw: bytes) -> AudioReceived | None:
        """Take the audio of one message.

        Args:
            timestamp_ms: As Twilio wrote it; the first one of a stream is its origin.
            ulaw: Mu-law, 8 kHz, mono, at least one byte.

        Returns:
            What is whole by now, silence for a gap before it; None when no frame is full.
        """
        self._stats.media += 1
        time_ms = (self._delivered_samples + len(self._rest)) // _SAMPLES_PER_MS
        origin_ms = self._origin_ms
        if origin_ms is None:
            origin_ms = self._origin_ms = timestamp_ms - time_ms
        gap_ms = timestamp_ms - origin_ms - time_ms
        fill_frames = 0
        if not -MAX_FILL_FRAMES * _FRAME_MS <= gap_ms < _FRAME_MS - _JITTER_MS:
            fill_frames = self._follow_clock(gap_ms, origin_ms)
        if fill_frames or self._rest or len(ulaw) % FRAME_BYTES:
            return self._whole(ulaw, fill_frames)
        audio = AudioReceived(ulaw, self._delivered_samples / _SAMPLE_RATE_HZ)
        self._delivered_samples += len(ulaw)
        return audio

    def fill(self, frames: int) -> AudioReceived | None:
        """Make up ``frames`` frames of silence, for a stream that has gone quiet."""
        self._stats.filled_frames += frames
        return self._whole(b"", frames)

    def flush(self) -> AudioReceived | None:
        """The stream is over: what waits comes out, padded to a frame."""
        return self._whole(SILENCE_FRAME[len(self._rest) :], 0) if self._rest else None

    def _follow_clock(self, gap_ms: int, origin_ms: int) -> int:
        """How many frames of silence to put in; what is beyond the limit moves the origin."""
        if gap_ms < 0:
            self._origin_ms = origin_ms + gap_ms
            self._stats.clock_jumps += 1
            return 0
        frames = (gap_ms + _JITTER_MS) // _FRAME_MS
        unfilled = max(0, frames - MAX_FILL_FRAMES)
        self._origin_ms = origin_ms + unfilled * _FRAME_MS
        self._stats.gaps += 1
        self._stats.unfilled_frames += unfilled
        self._stats.filled_frames += frames - unfilled
        return frames - unfilled

    def _whole(self, ulaw: bytes, fill_frames: int) -> AudioReceived | None:
        """Silence and audio, in whole frames; the rest waits."""
        audio = self._rest + SILENCE_FRAME * fill_frames + ulaw
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        if not whole:
            return None
        media_time_s = self._delivered_samples / _SAMPLE_RATE_HZ
        self._delivered_samples += whole
        return AudioReceived(audio[:whole], media_time_s, fill_frames)
