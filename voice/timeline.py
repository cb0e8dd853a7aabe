"""The stages of a turn, by name, in the order in which they happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# The timeline of a turn maps the stage to
# seconds after SPEECH_ENDED, which may be negative for what was prepared ahead.
SPEECH_ENDED: Final = "speech_ended"
EAGER: Final = "eager"
COMMITTED: Final = "committed"
FINAL_TRANSCRIPT: Final = "final_transcript"
THINK_REQUESTED: Final = "think_requested"
FIRST_TOKEN: Final = "first_token"  # noqa: S105 - a stage of a turn, no secret
FIRST_SEGMENT: Final = "first_segment"
SPEAK_REQUESTED: Final = "speak_requested"
SPEAK_FIRST_BYTE: Final = "speak_first_byte"
FILLER_OUT: Final = "filler_out"
RETREATED: Final = "retreated"
FIRST_FRAME_OUT: Final = "first_frame_out"
FIRST_FRAME_SENT: Final = "first_frame_sent"
FIRST_FRAME_AUDIBLE: Final = "first_frame_audible"

STAGES: Final = (
    SPEECH_ENDED,
    EAGER,
    FINAL_TRANSCRIPT,
    COMMITTED,
    THINK_REQUESTED,
    FIRST_TOKEN,
    FIRST_SEGMENT,
    SPEAK_REQUESTED,
    SPEAK_FIRST_BYTE,
    FILLER_OUT,
    RETREATED,
    FIRST_FRAME_OUT,
    FIRST_FRAME_SENT,
    FIRST_FRAME_AUDIBLE,
)


def reply_s(stages: Mapping[str, float]) -> float | None:
    """From the asking for a reply to its first audio, seconds; None when either is not known."""
    asked_at = stages.get(EAGER, stages.get(COMMITTED))
    first_at = stages.get(SPEAK_FIRST_BYTE)
    return None if asked_at is None or first_at is None else first_at - asked_at
