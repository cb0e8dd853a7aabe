"""The process in which pocketsphinx listens: phrases in on stdin, words out on stdout.

A process of its own because decoding holds the interpreter's lock: a phrase would hold up every
call. It runs as a script: ``pocketsphinx_worker.py GRAMMAR_FILE``.

In: four bytes length (big-endian), then as many bytes of mu-law at 8,000 Hz, one whole phrase.
Out: four bytes length, then the words in ASCII, for each phrase; none are understood as nothing.
Once at the start ``ready`` comes in the same way. It ends with its stdin.

The model is made for 16,000 Hz and wants something above 4,000 Hz: samples are doubled by straight
lines between them, which leaves an image of the voice up there. A clean filter would make it deaf.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_LENGTH = struct.Struct(">I")
_RATE_HZ = 16_000
_BIAS = 132
# A little noise under everything: digital silence is nothing that the model has ever heard.
_NOISE_LEVEL = 60.0


def main() -> None:
    """Listen until stdin ends."""
    decoder = load(Path(sys.argv[1]).read_text("ascii"))
    source, out = sys.stdin.buffer, sys.stdout.buffer
    write(out, b"ready")
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        phrase = source.read(*_LENGTH.unpack(head))
        write(out, words_of(decoder, phrase).encode("ascii", "ignore"))


def load(grammar: str) -> Any:
    """A decoder that knows the sentences of a JSGF grammar and nothing else."""
    from pocketsphinx import Config, Decoder, get_model_path

    folder = Path(get_model_path()) / "en-us"
    config = Config(
        hmm=str(folder / "en-us"),
        dict=str(folder / "cmudict-en-us.dict"),
        lm=None,
        samprate=_RATE_HZ,
        bestpath=False,
        wip=0.01,
        loglevel="FATAL",
    )
    decoder = Decoder(config)
    decoder.add_jsgf_string("phrases", grammar)
    decoder.activate_search("phrases")
    return decoder


def words_of(decoder: Any, ulaw: bytes) -> str:
    """The words of one phrase; empty when it is none of the grammar."""
    decoder.start_utt()
    decoder.process_raw(samples_of(ulaw).tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return str(best.hypstr or "").strip() if best is not None else ""


def samples_of(ulaw: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Mu-law at 8,000 Hz as linear samples at 16,000 Hz."""
    code = ~np.frombuffer(ulaw, np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + _BIAS) << ((code & 0x70) >> 4)
    linear = np.where(code & 0x80, _BIAS - magnitude, magnitude - _BIAS).astype(np.float64)
    linear += np.random.default_rng(1).normal(0.0, _NOISE_LEVEL, len(linear))
    doubled = np.repeat(linear, 2)
    doubled[1:-1:2] = (linear[:-1] + linear[1:]) / 2
    return np.clip(doubled, -32_768, 32_767).astype(np.int16)


def write(out: BinaryIO, text: bytes) -> None:
    """One answer."""
    out.write(_LENGTH.pack(len(text)) + text)
    out.flush()


if __name__ == "__main__":
    main()
