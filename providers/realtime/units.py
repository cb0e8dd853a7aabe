"""What a response and a transcription used, as provider units (``telemetry.cost``).

Tokens that came from the service's cache are part of the service's sums: here they stand apart, so
that every unit has one price. The service tells how many of them were audio; where it does not,
they are taken for text, which costs no more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

TEXT_IN: Final = "realtime_text_in"
AUDIO_IN: Final = "realtime_audio_in"
TEXT_CACHED: Final = "realtime_text_cached"
AUDIO_CACHED: Final = "realtime_audio_cached"
TEXT_OUT: Final = "realtime_text_out"
AUDIO_OUT: Final = "realtime_audio_out"
TRANSCRIBED_S: Final = "transcribed_s"
TRANSCRIBED_TOKENS: Final = "transcribed_tokens"


def response_units(usage: object) -> dict[str, float]:
    """Tokens of one response; what makes no sense is left out, units of nothing too."""
    told = _mapping(usage)
    taken, given = _mapping(told.get("input_token_details")), told.get("output_token_details")
    cached = _mapping(taken.get("cached_tokens_details"))
    audio_in, text_in = _count(taken.get("audio_tokens")), _count(taken.get("text_tokens"))
    if not taken:
        text_in = _count(told.get("input_tokens"))
    audio_cached = min(_count(cached.get("audio_tokens")), audio_in)
    text_cached = _count(cached.get("text_tokens"))
    if not cached:
        text_cached = _count(taken.get("cached_tokens"))
    text_cached = min(text_cached, text_in)
    output = _mapping(given)
    text_out = _count(output.get("text_tokens") if output else told.get("output_tokens"))
    units = {
        TEXT_IN: text_in - text_cached,
        AUDIO_IN: audio_in - audio_cached,
        TEXT_CACHED: text_cached,
        AUDIO_CACHED: audio_cached,
        TEXT_OUT: text_out,
        AUDIO_OUT: _count(output.get("audio_tokens")),
    }
    return {unit: amount for unit, amount in units.items() if amount}


def transcription_units(usage: object) -> dict[str, float]:
    """Seconds or tokens of one transcription, whichever the model is billed by."""
    told = _mapping(usage)
    units = {
        TRANSCRIBED_S: _count(told.get("seconds")),
        TRANSCRIBED_TOKENS: _count(told.get("total_tokens")),
    }
    return {unit: amount for unit, amount in units.items() if amount}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        amount = float(value)
    except OverflowError:
        return 0.0
    return amount if math.isfinite(amount) and amount > 0 else 0.0
