"""What one message of Google's recognition says, read from its protocol buffer.

Source: ``google.cloud.speech.v2.StreamingRecognizeResponse``. A response has at most one final
result, the newly settled portion, and then the interim ones, which belong together: the first are
stable, the last may change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from providers.errors import ProviderProtocolError
from providers.google_errors import PROVIDER

_BEGIN: Final = 2  # SPEECH_ACTIVITY_BEGIN
_END: Final = 3  # SPEECH_ACTIVITY_END
_MOST_CHARS: Final = 20_000
_MOST_RESULTS: Final = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """Words and where they end.

    Attributes:
        text: Without blanks around it; may be empty.
        end_s: End of the portion of audio, in seconds of the stream; None when it is not said.
        word_end_s: End of the last word, where words have times.
    """

    text: str
    end_s: float | None = None
    word_end_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechUpdate:
    """One message.

    Attributes:
        began_s: Somebody began to speak, this far into the stream.
        ended_s: Nobody speaks any more.
        final: A portion that will not change.
        interim: All words after it, so far.
    """

    began_s: float | None = None
    ended_s: float | None = None
    final: Heard | None = None
    interim: Heard | None = None


def read_update(response: Any) -> SpeechUpdate:
    """Read a ``StreamingRecognizeResponse`` (the protocol buffer, not its wrapper).

    Raises:
        ProviderProtocolError: It is none, or says what cannot be.
    """
    try:
        return _read(response)
    except (AttributeError, TypeError, ValueError, IndexError):
        raise ProviderProtocolError("a message that is none", PROVIDER) from None


def _read(response: Any) -> SpeechUpdate:
    results = response.results
    if len(results) > _MOST_RESULTS:
        raise ProviderProtocolError("a message of too many results", PROVIDER)
    finals: list[Heard] = []
    interims: list[Heard] = []
    for result in results:
        (finals if result.is_final else interims).append(_heard(result))
    kind = response.speech_event_type
    at_s = _seconds(response.speech_event_offset) if kind in (_BEGIN, _END) else None
    return SpeechUpdate(
        began_s=at_s if kind == _BEGIN else None,
        ended_s=at_s if kind == _END else None,
        final=_joined(finals),
        interim=_joined(interims),
    )


def _heard(result: Any) -> Heard:
    best = result.alternatives[0] if result.alternatives else None
    text = best.transcript if best is not None else ""
    if len(text) > _MOST_CHARS:
        raise ProviderProtocolError("a message of too many words", PROVIDER)
    end_s = _seconds(result.result_end_offset) if result.HasField("result_end_offset") else None
    word_end_s = None
    if best is not None and best.words and best.words[-1].HasField("end_offset"):
        word_end_s = _seconds(best.words[-1].end_offset)
    return Heard(text, end_s, word_end_s)


def _joined(parts: list[Heard]) -> Heard | None:
    if not parts:
        return None
    # The service puts the blank between two parts itself, where the language has blanks.
    text = "".join(part.text for part in parts).strip()
    ends_s = [part.end_s for part in parts if part.end_s is not None]
    words_s = [part.word_end_s for part in parts if part.word_end_s is not None]
    return Heard(text, max(ends_s, default=None), max(words_s, default=None))


def _seconds(duration: Any) -> float:
    seconds = float(duration.seconds + duration.nanos / 1e9)
    if not math.isfinite(seconds) or not 0 <= seconds < 1e6:
        raise ProviderProtocolError("a time that cannot be", PROVIDER)
    return seconds
