"""A sentence that every recogniser of English understands: what a doubtful one is tried with.

``probe_en.wav`` says "go forward ten meters": test data of pocketsphinx, ``goforward.raw``,
(c) Carnegie Mellon University, BSD-2-Clause, made mu-law at 8 kHz. The terms stand in
``simulation/clips/LICENCES.md``.
"""

from __future__ import annotations

import functools
from pathlib import Path

PROBE_LANGUAGE = "en-US"
_FILE = Path(__file__).parent / "probe_en.wav"


@functools.cache
def probe_clip() -> bytes:
    """mu-law, 8 kHz, mono, about three seconds."""
    data = _FILE.read_bytes()
    start = data.index(b"data") + 8
    return data[start:]
