"""When a recogniser is doubted, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListeningPolicy:
    """When a recogniser is doubted; seconds.

    Attributes:
        open_within_s: An opening that takes longer has failed.
        doubt_speech_s: Speech without a word that raises a doubt at once.
        short_speech_s: Speech without a word that raises one when silence follows it.
        doubt_silence_s: That silence.
        understudy_s: How long an understudy may take to hear something.
        ask_after_s: How long it may take before everybody is asked beside it.
        mending_s: How long a stream may take to mend its own connection.
        awaited_s: Speech whose words are awaited.
        shortest_word_s: The shortest sound that may be a word; one below ``short_speech_s`` may as
            well be a cough, and is doubted within ``may_double``.
    """

    open_within_s: float = 2.0
    doubt_speech_s: float = 1.2
    short_speech_s: float = 0.3
    doubt_silence_s: float = 0.8
    understudy_s: float = 3.0
    ask_after_s: float = 1.0
    mending_s: float = 0.5
    awaited_s: float = 0.06
    shortest_word_s: float = 0.16
