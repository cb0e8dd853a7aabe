"""The process in which espeak-ng speaks: requests in on stdin, audio out on stdout.

A process of its own because the library has one global state, because a fault in it must not take a
hundred calls along, and because its licence (GPL-3) stays on its side of a pipe. It runs as a
script with the standard library only: ``espeak_worker.py LIBRARY DATA_DIRECTORY``.

In: a line of JSON for each segment:
``{"voice": "en-us+f3", "text": "...", "words_per_minute": 165}``.
Out: frames of one byte kind and four bytes length (big-endian), then the payload:
``R`` sample rate as text, once at the start; ``A`` 16-bit PCM; ``W`` word, as ``position ms`` (the
first character counts 0); ``E`` end of the segment; ``X`` what is wrong, ``voice`` or ``speech``.
It ends with its stdin.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
from typing import Any, BinaryIO

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
_BUFFER_MS = 200  # spoken in half a millisecond; smaller pieces only cost the reader
_DO_NOT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_UTF8 = 1
_RATE = 1  # espeakRATE
_EVENT_END, _EVENT_WORD = 0, 1


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


class _Voice:
    def __init__(self, library_path: str, data_path: str, out: BinaryIO) -> None:
        self._out = out
        self._library: Any = ctypes.CDLL(library_path)
        rate_hz = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, data_path.encode(), _DO_NOT_EXIT
        )
        self._callback = _Callback(self._take)  # kept alive as long as the library may call it
        self._library.espeak_SetSynthCallback(self._callback)
        self._write(b"R", str(rate_hz).encode())

    def speak(self, request: dict[str, Any]) -> None:
        text = request["text"].encode().replace(b"\0", b" ")
        library = self._library
        if library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            self._write(b"X", b"voice")
            return
        library.espeak_SetParameter(_RATE, request["words_per_minute"], 0)
        failed = library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
        self._write(b"X", b"speech") if failed else self._write(b"E", b"")

    def _take(self, samples: Any, count: int, events: Any) -> int:
        at = 0
        while events[at].kind != _EVENT_END:
            if events[at].kind == _EVENT_WORD:  # its positions count from 1
                event = events[at]
                self._write(b"W", b"%d %d" % (event.text_position - 1, event.audio_position))
            at += 1
        if samples and count > 0:
            self._write(b"A", ctypes.string_at(samples, count * 2))
        return 0

    def _write(self, kind: bytes, payload: bytes) -> None:
        self._out.write(kind + struct.pack(">I", len(payload)) + payload)
        self._out.flush()


def main() -> None:
    """Speak until stdin ends."""
    voice = _Voice(sys.argv[1], sys.argv[2], sys.stdout.buffer)
    for line in sys.stdin.buffer:
        voice.speak(json.loads(line))


if __name__ == "__main__":
    main()
