"""What the speech detector costs, and which of several finds speech best.

``python -m benchmarks.speech_detection`` measures in a minute what a call-second costs, with and
without the gate in front of the network: silence, speech, babble and mixed calls. ``--full`` adds
how well each detector hears in nine conditions, what it takes noise for, and its cost by number of
calls: a quarter of an hour. ``--folder PATH`` takes the recordings of a folder with
``manifest.json`` (the form is told in ``simulation/corpus_manifest.py``) for those that ship.

Labels: ends of speech by level, held to 50 ms; pauses inside a recording where its list has them;
words by the publisher's times or shared out. A folder whose list has only ``auto_*`` segments was
labelled by a network at 16 kHz, which favours that network.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detection_cost import (
    PRODUCT,
    TALK_SHARE,
    Heard,
    Made,
    cost_of,
    cost_of_many,
    measure,
    render,
    sound_of,
)
from benchmarks.speech_quality import Quality, Verdicts, quality
from benchmarks.speech_scenes import (
    CONDITIONS,
    NOISES,
    Frames,
    Noise,
    on_line,
    pink,
    scenes,
)
from providers.local.neural_scorer import NeuralConfig, NeuralScorer
from providers.local.silero import SileroVad
from providers.local.speech_windows import SpeechWindows
from simulation.clip_library import Clip
from simulation.corpus_manifest import read_recordings
from voice.levels import EnergyScorer, Levels, Slots, SpeechScorer

CALLS = (1, 10, 25, 64)
NOISE_S = 60.0
_SEED = 11
_REPEATS = 3


class NetworkAlone:
    """Silero by itself: every window, no gate, no level; speech from 0.5 on until under 0.35."""

    def __init__(self, network: SileroVad, capacity: int) -> None:
        self._windows = SpeechWindows(network, capacity)
        self._in_speech = np.zeros(capacity, np.bool_)

    def reset(self, slot: int) -> None:
        """See ``SpeechScorer.reset``."""
        self._windows.reset(slot)
        self._windows.open(np.array([slot]))
        self._in_speech[slot] = False

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """See ``SpeechScorer.score``."""
        self._windows.hear(frames, slots)
        probability = self._windows.watch(slots)
        said = probability > np.where(self._in_speech[slots], 0.35, 0.5)
        self._in_speech[slots] = said
        return said, probability


class WebRtc:
    """The detector of WebRTC at 8 kHz, if it is installed.

    Args:
        mode: 0, lets most through, to 3.
    """

    def __init__(self, mode: int, capacity: int) -> None:
        import webrtcvad

        self._new: Callable[[], Any] = partial(webrtcvad.Vad, mode)
        self._vads = [self._new() for _ in range(capacity)]

    def reset(self, slot: int) -> None:
        """See ``SpeechScorer.reset``."""
        self._vads[slot] = self._new()

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """See ``SpeechScorer.score``."""
        said = [
            self._vads[slot].is_speech(frame.tobytes(), 8_000)
            for slot, frame in zip(slots, frames, strict=True)
        ]
        return np.array(said, np.bool_), np.zeros(len(said), np.float32)


def detectors() -> dict[str, Made]:
    """Every detector by name; the one that the product uses is the last."""
    network = SileroVad()
    made: dict[str, Made] = {"energy": EnergyScorer}
    try:
        WebRtc(2, 1)
    except ImportError:
        print("(webrtcvad is not installed: pip install webrtcvad-wheels)\n")
    else:
        made["webrtc 2"] = lambda capacity: WebRtc(2, capacity)
        made["webrtc 3"] = lambda capacity: WebRtc(3, capacity)
    made["silero alone"] = lambda capacity: NetworkAlone(network, capacity)
    ungated = NeuralConfig(gate_db=-300.0)
    made["no gate"] = lambda capacity: NeuralScorer(network, capacity, ungated)
    made["silero"] = lambda capacity: NeuralScorer(network, capacity)
    return made


def verdicts(scorer: SpeechScorer, calls: Sequence[Frames]) -> list[Verdicts]:
    """Play all calls at once, frame by frame."""
    said = [np.zeros(len(call), np.bool_) for call in calls]
    for slot in range(len(calls)):
        scorer.reset(slot)
    for at in range(max(map(len, calls))):
        slots = np.array([slot for slot, call in enumerate(calls) if at < len(call)])
        found, _ = scorer.score(np.stack([calls[slot][at] for slot in slots]), slots)
        for slot, is_speech in zip(slots, found, strict=True):
            said[slot][at] = is_speech
    return said


def false_speech(make: Made, noise: Noise | None, clips: Sequence[Clip]) -> tuple[float, float]:
    """A line on which nobody speaks: share of it that is called speech, and how often a minute."""
    random = np.random.default_rng(_SEED)
    empty = np.zeros(int(NOISE_S * 8_000))
    (said,) = verdicts(make(1), [on_line(empty, noise, random, clips)])
    begins = int((np.diff(said.astype(np.int8), prepend=0) == 1).sum())
    return float(said.mean()), begins * 60.0 / NOISE_S


def _quality_row(name: str, found: Quality) -> str:
    def ms(value: float | None) -> str:
        return "-" if value is None else f"{value:.0f}"

    return (
        f"| {name} | {found.precision:.3f} | {found.recall:.3f} "
        f"| {ms(found.onset_p50_ms)} / {ms(found.onset_p95_ms)} "
        f"| {ms(found.offset_p50_ms)} / {ms(found.offset_p95_ms)} "
        f"| {found.dips_per_s:.2f} | {found.missed} of {found.stretches} |"
    )


def print_quality(made: dict[str, Made], clips: Sequence[Clip], conditions: Sequence[str]) -> None:
    """A table for each condition."""
    for name in conditions:
        staged = scenes(clips, CONDITIONS[name], _SEED)
        print(f"{name}\n")
        print("| detector | precision | recall | onset ms | offset ms | dips a second | missed |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for detector, make in made.items():
            said = verdicts(make(len(staged)), [scene.frames for scene in staged])
            print(_quality_row(detector, quality(staged, said)), flush=True)
        print()


def print_false_speech(made: dict[str, Made], clips: Sequence[Clip]) -> None:
    """What a line without a caller is taken for."""
    print("nobody speaks: share called speech, and how often a minute\n")
    print("| detector |" + "".join(f" {noise} |" for noise in NOISES))
    print("|---|" + "---:|" * len(NOISES))
    for detector, make in made.items():
        cells = [false_speech(make, noise, clips) for noise in NOISES.values()]
        print(f"| {detector} |" + "".join(f" {share:.1%}, {n:.0f} |" for share, n in cells))
    print()


def print_cost(made: dict[str, Made], clips: Sequence[Clip]) -> None:
    """By the number of calls."""
    print("milliseconds of CPU a call-second (windows of the network a call-second)\n")
    print("| detector, what is heard |" + "".join(f" {n} calls |" for n in CALLS))
    print("|---|" + "---:|" * len(CALLS))
    mixes: tuple[tuple[str, float, Noise | None], ...] = (
        ("silence", 0.0, None),
        (f"speech {TALK_SHARE:.0%}", TALK_SHARE, None),
        (f"speech {TALK_SHARE:.0%}, pink 20 dB", TALK_SHARE, pink(-43.0)),
        ("speech all the time", 1.0, None),
    )
    for detector, make in made.items():
        if detector == "webrtc 3":
            continue
        for mix, share, noise in mixes:
            cells = [
                cost_of(make, sound_of([Heard(share, noise)] * calls, clips), _REPEATS)
                for calls in CALLS
            ]
            print(f"| {detector}, {mix} |" + "".join(f" {each} |" for each in cells), flush=True)
    print()


def main(arguments: Sequence[str] | None = None) -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speech_detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, help="recordings; those that ship by default")
    parser.add_argument("--full", action="store_true", help="quality, noise and cost by calls too")
    parser.add_argument(
        "--parts", help="of --full, which it implies: quality,noise,cost (all of them)"
    )
    parser.add_argument(
        "--condition",
        action="append",
        choices=list(CONDITIONS),
        help="of the part quality: one, or again for more (all of them)",
    )
    options = parser.parse_args(arguments)
    recordings = read_recordings(options.folder)
    clips = [clip for clip in recordings.clips if clip.segments]
    spoken_s = sum(end_s - start_s for clip in clips for start_s, end_s in clip.segments)
    print(f"{len(clips)} recordings, {spoken_s:.0f} s of speech", *recordings.left_out, sep="\n")
    print()
    made = detectors()
    busy = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(render(measure(made, clips), cost_of_many(made[PRODUCT], clips)), busy, sep="\n")
    if not (options.full or options.parts or options.condition):
        return
    print()
    parts = options.parts or ("quality" if options.condition else "quality,noise,cost")
    if "quality" in parts:
        print_quality(made, clips, options.condition or list(CONDITIONS))
    if "noise" in parts:
        print_false_speech(made, clips)
    if "cost" in parts:
        print_cost(made, clips)


if __name__ == "__main__":
    main()
