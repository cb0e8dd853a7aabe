"""The emulated voice: espeak-ng through ctypes, resampled to telephone quality.

The library comes with the optional ``espeakng-loader`` wheel (``pip install callcluster[voice]``;
GPL-3, loaded at run time, for simulation only). It has one global state, so a lock guards it; a
sentence takes a few milliseconds, and the lock is held without the interpreter's.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from functools import lru_cache
from typing import Any

import numpy as np

from simulation.errors import VoiceUnavailable
from simulation.resampling import resample
from simulation.voice_sound import (
    SAMPLE_RATE_HZ,
    HummingVoice,
    Speech,
    SpokenVoice,
    spread_chars,
)
from telephony import g711

_log = logging.getLogger(__name__)
INSTALL_HINT = "the emulated voice only hums: for speech, pip install callcluster[voice]"

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_BUFFER_MS = 50
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8 = 1
_EVENT_END, _EVENT_WORD = 0, 1
_VOICES = {"en": "en-us", "de": "de", "es": "es", "it": "it", "zh": "cmn", "yue": "yue", "fr": "fr"}
_VARIANTS = ("+f3", "+m3", "+f2", "+m1", "+f4")
_PEAK = 12_000


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("value", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class EspeakVoice:
    """espeak-ng, one per process. Raises ``VoiceUnavailable`` when it cannot be loaded."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
            data_path = espeakng_loader.get_data_path().encode()
        except (ImportError, OSError) as error:
            raise VoiceUnavailable(INSTALL_HINT) from error
        self._rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, data_path, _DO_NOT_EXIT
        )
        if self._rate_hz <= 0:
            raise VoiceUnavailable("espeak-ng found no data: reinstall callcluster[voice]")
        self._callback = _Callback(self._take)  # kept alive as long as the library may call it
        self._library.espeak_SetSynthCallback(self._callback)
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._words: list[tuple[int, float]] = []
        self._cached = lru_cache(maxsize=256)(self._synthesise)

    def speak(self, text: str, language: str, voice: str) -> Speech:
        """Speak ``text``. ``voice`` may be any name; it chooses one of five speakers."""
        base = _VOICES.get(language.lower().split("-")[0], "en-us")
        return self._cached(text, base + _VARIANTS[sum(voice.encode()) % len(_VARIANTS)])

    def _synthesise(self, text: str, espeak_voice: str) -> Speech:
        encoded = text.encode().replace(b"\0", b" ")
        with self._lock:
            self._chunks, self._words = [], []
            self._library.espeak_SetVoiceByName(espeak_voice.encode())
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None)
            samples = np.frombuffer(b"".join(self._chunks), dtype=np.int16)
            words = self._words
        telephone = resample(samples, self._rate_hz, SAMPLE_RATE_HZ)
        peak = int(np.abs(telephone.astype(np.int32)).max(initial=1))
        scaled = (telephone.astype(np.int32) * _PEAK // max(peak, 1)).astype(np.int16)
        duration_s = len(scaled) / SAMPLE_RATE_HZ
        anchors = [(at, start_s) for at, start_s in words if 0 <= at < len(text)]
        return Speech(text, bytes(g711.encode(scaled)), spread_chars(text, anchors, duration_s))

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        at = 0
        while events[at].kind != _EVENT_END:
            if events[at].kind == _EVENT_WORD:
                # Positions count characters from 1.
                self._words.append((events[at].text_position - 1, events[at].audio_position / 1e3))
            at += 1
        return 0


@lru_cache(maxsize=1)
def load_voice() -> SpokenVoice:
    """The best voice this machine has; says in one line what to install when it only hums."""
    try:
        return EspeakVoice()
    except VoiceUnavailable as missing:
        _log.warning("%s", missing.message)
        return HummingVoice()
