"""Smart Turn v3.2: does the last that a caller said sound finished?

A Whisper Tiny encoder with a classifier, over the last 8 s: https://github.com/pipecat-ai/smart-turn.
It hears intonation, pace and drawn-out fillers, no words. One judgement takes 40 ms to 80 ms of a
core, however short the audio is: see ``turn_queue``. It is evidence, not a verdict: the items of a
list sound finished to it, and over the telephone it calls twice as many unfinished turns finished
as on a clear line. It judges best soon after the last word, at 60 ms to 100 ms of silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from providers.local.doubling import doubled
from providers.local.log_mel import RATE_HZ, SAMPLES, LogMel
from providers.local.runtime import open_session
from providers.telephone_audio import decode_ulaw
from voice.ports import SAMPLE_RATE_HZ

WEIGHTS_FILE: Final = "smart-turn-3.2.onnx"
HEARS_S: Final = SAMPLES // RATE_HZ

LANGUAGES: Final[Mapping[str, str]] = {
    "ar": "Arabic",
    "bn": "Bengali",
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "mr": "Marathi",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Mandarin",
}
"""What it was trained on, by primary subtag. Cantonese is not among them."""

_ALSO = {"cmn": "zh", "nb": "no", "nn": "no"}
_CANTONESE_REGIONS = {"hk", "mo"}
_TO_UNITS = np.float32(1.0 / 32_768.0)


def knows(language: str) -> bool:
    """Whether it was trained on the language of a BCP-47 tag; ``zh-HK`` is Cantonese here."""
    first, *rest = language.lower().split("-")
    first = _ALSO.get(first, first)
    return first in LANGUAGES and not (first == "zh" and _CANTONESE_REGIONS & set(rest))


class SmartTurn:
    """The network. Blocks; safe to call from any one thread at a time.

    What it computes with before the network does is taken once, 3 MB, and not for each judgement.

    Raises:
        LocalModelUnavailable: It cannot be loaded.
    """

    def __init__(self) -> None:
        self._session = open_session(WEIGHTS_FILE)
        self._log_mel = LogMel()
        self._heard = np.empty(SAMPLES // 2, np.float32)
        self._wave = np.empty(SAMPLES, np.float32)

    def finished_ratio(self, ulaw: bytes) -> float:
        """How likely the turn is over at the end of this audio, 0 to 1.

        Args:
            ulaw: Mu-law, 8 kHz; the last 8 s count, and silence is taken to be before less.
        """
        latest = ulaw[-HEARS_S * SAMPLE_RATE_HZ :]
        heard = self._heard[: len(latest)]
        for at in range(0, len(latest), SAMPLE_RATE_HZ):
            second = decode_ulaw(latest[at : at + SAMPLE_RATE_HZ])
            np.multiply(second, _TO_UNITS, out=heard[at : at + len(second)])
        silence = SAMPLES - 2 * len(heard)
        self._wave[:silence] = 0.0
        doubled(heard, out=self._wave[silence:])
        features = self._log_mel.of(self._wave)
        (found,) = self._session.run(None, {"input_features": features[None]})
        return float(found[0, 0])
