"""Turns of a live run as sound files: what the caller says bit for bit, and the emulator knows.

The noise of the line is in them already, and each has a level of its own within 2 dB: a recogniser
that knows clips by their bytes must not take one turn for another that was made of the same
recording.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from simulation.caller_script import PreparedClip
from simulation.carrier_messages import encode_frames
from simulation.clip_library import SAMPLE_RATE_HZ, Clip, join_words, load_library
from simulation.corpus_turn import LabelledTurn, Samples
from simulation.wav_file import Sound, write_wav
from telephony import g711

PROBE_NAME = "goforward"
_GAIN_DB = 2.0


def write_clips(turns: Sequence[tuple[LabelledTurn, Samples]], folder: Path) -> None:
    """Write ``clips.json`` and a WAV for each turn, laid over the noise that comes with it.

    And one for the sentence with which the product tries a recogniser that brought no words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for turn, noise in turns:
        file = f"{turn.turn_id}.wav"
        (folder / file).write_bytes(write_wav(Sound(_heard(turn, noise), SAMPLE_RATE_HZ)))
        entries.append(_entry(turn, file))
    entries.append(_known_sentence(folder))
    (folder / "clips.json").write_text(json.dumps(entries), "utf-8")


def prepared(turn: LabelledTurn, folder: Path) -> PreparedClip:
    """A turn as a simulated caller says it; after ``write_clips``."""
    clip: Clip = load_library(folder).clip(turn.turn_id)
    return PreparedClip(
        name=turn.turn_id,
        text=clip.transcript,
        payloads=encode_frames(clip.ulaw),
        speech_start_s=turn.speech_start_s,
        speech_end_s=turn.speech_end_s,
        word_ends_s=tuple(word.end_s for word in turn.words),
    )


def noise_frames(noise: Samples) -> tuple[str, ...]:
    """The noise of a line as frames to be sent between turns."""
    whole = noise[: len(noise) // 160 * 160]
    return encode_frames(bytes(g711.encode(whole)).replace(b"\x7f", b"\xff"))


def _heard(turn: LabelledTurn, noise: Samples) -> Samples:
    random = Random(f"{turn.turn_id}/level")
    gain = 10 ** (random.uniform(-_GAIN_DB, _GAIN_DB) / 20)
    under = np.resize(np.roll(noise, random.randrange(len(noise))), len(turn.samples))
    mixed = np.clip(turn.samples * gain + under, -32_768, 32_767).astype(np.int16)
    return g711.decode(g711.encode(mixed))


def _known_sentence(folder: Path) -> dict[str, object]:
    clip = load_library().clip(PROBE_NAME)
    file = f"{PROBE_NAME}.wav"
    (folder / file).write_bytes(write_wav(Sound(g711.decode(clip.ulaw), SAMPLE_RATE_HZ)))
    return {
        "name": PROBE_NAME,
        "file": file,
        "language": clip.language,
        "transcript": clip.transcript,
        "words": [[word.text, word.start_s, word.end_s] for word in clip.words],
        "speech_segments_s": [list(each) for each in clip.segments],
        "kind": clip.kind,
        "licence": clip.licence,
        "source": clip.source,
        "is_as_heard": True,
    }


def _entry(turn: LabelledTurn, file: str) -> dict[str, object]:
    starts = [turn.speech_start_s, *(end for _, end in turn.pauses)]
    ends = [*(start for start, _ in turn.pauses), turn.speech_end_s]
    return {
        "name": turn.turn_id,
        "file": file,
        "language": turn.language,
        "transcript": join_words([word.display for word in turn.words], turn.language),
        "words": [[word.text, word.start_s, word.end_s] for word in turn.words],
        "speech_segments_s": list(zip(starts, ends, strict=True)),
        "kind": "synthetic" if turn.is_synthetic else "human",
        "licence": "",
        "source": "",
        "is_as_heard": True,
    }
