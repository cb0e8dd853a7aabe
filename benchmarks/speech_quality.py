"""How well verdicts on frames agree with labels, in the terms that turn-taking cares about.

- *Onset*: from the labelled begin of a stretch of speech to the end of the frame that was first
  called speech; from 100 ms before the label on.
- *Offset*: from the labelled end to the begin of the first 100 ms that are all called silence;
  only where at least 250 ms of pause follow. 1 s where there are none.
- *Dips*: 100 ms or more called silence inside a stretch of speech, by second of speech.
- *Precision* and *recall* of frames, those within 50 ms of an edge left out. Speech is what is in
  a word, silence what is outside every stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.speech_scenes import Scene, Spans
from benchmarks.stats import nearest_rank
from voice.ports import FRAME_S

Verdicts = npt.NDArray[np.bool_]

EARLY_S = 0.1
QUIET_FRAMES = 5
NEVER_S = 1.0
_LEAST_PAUSE_S = 0.25
_EDGE_S = 0.05
_TAIL_S = 0.15


@dataclass(frozen=True, slots=True)
class Quality:
    """See the top of this file; durations in milliseconds, None without any."""

    precision: float
    recall: float
    onset_p50_ms: float | None
    onset_p95_ms: float | None
    offset_p50_ms: float | None
    offset_p95_ms: float | None
    dips_per_s: float
    missed: int
    stretches: int


def quality(scenes: Sequence[Scene], verdicts: Sequence[Verdicts]) -> Quality:
    """Compare verdicts with labels, scene by scene."""
    onsets: list[float] = []
    offsets: list[float] = []
    right = false = left_out = dips = stretches = 0
    spoken_s = 0.0
    for scene, said in zip(scenes, verdicts, strict=True):
        is_word, is_silence = _frame_labels(scene)
        right += int((said & is_word).sum())
        left_out += int((~said & is_word).sum())
        false += int((said & is_silence).sum())
        ends = [start_s for start_s, _ in scene.speech[1:]] + [len(said) * FRAME_S]
        for (start_s, end_s), next_s in zip(scene.speech, ends, strict=True):
            stretches += 1
            spoken_s += end_s - start_s
            onsets += _onset(said, start_s, end_s)
            dips += _dips(said, start_s, end_s)
            if next_s - end_s >= _LEAST_PAUSE_S:
                offsets.append(_offset(said, end_s, next_s))
    return Quality(
        precision=right / max(right + false, 1),
        recall=right / max(right + left_out, 1),
        onset_p50_ms=_rank_ms(onsets, 0.5),
        onset_p95_ms=_rank_ms(onsets, 0.95),
        offset_p50_ms=_rank_ms(offsets, 0.5),
        offset_p95_ms=_rank_ms(offsets, 0.95),
        dips_per_s=dips / max(spoken_s, 1e-9),
        missed=stretches - len(onsets),
        stretches=stretches,
    )


def _frame_labels(scene: Scene) -> tuple[Verdicts, Verdicts]:
    middles_s = (np.arange(len(scene.frames), dtype=np.float64) + 0.5) * FRAME_S
    near_edge = np.zeros(len(middles_s), np.bool_)
    for span in scene.speech:
        for edge_s in span:
            near_edge |= np.abs(middles_s - edge_s) < _EDGE_S
    is_word = _within(middles_s, scene.words) & ~near_edge
    is_silence = ~_within(middles_s, scene.speech) & ~near_edge
    return is_word, is_silence


def _within(times_s: npt.NDArray[np.float64], spans: Spans) -> Verdicts:
    within = np.zeros(len(times_s), np.bool_)
    for start_s, end_s in spans:
        within |= (times_s >= start_s) & (times_s < end_s)
    return within


def _onset(said: Verdicts, start_s: float, end_s: float) -> list[float]:
    """The delay, or nothing when the stretch was missed."""
    first = max(round((start_s - EARLY_S) / FRAME_S), 0)
    found = np.flatnonzero(said[first : round(end_s / FRAME_S)])
    return [(first + int(found[0]) + 1) * FRAME_S - start_s] if len(found) else []


def _offset(said: Verdicts, end_s: float, next_s: float) -> float:
    first = round((end_s - _TAIL_S) / FRAME_S)
    run = 0
    for at in range(first, round((next_s - _EDGE_S) / FRAME_S)):
        run = 0 if said[at] else run + 1
        if run == QUIET_FRAMES:
            return (at + 1 - QUIET_FRAMES) * FRAME_S - end_s
    return NEVER_S


def _dips(said: Verdicts, start_s: float, end_s: float) -> int:
    inside = said[round((start_s + _TAIL_S) / FRAME_S) : round((end_s - EARLY_S) / FRAME_S)]
    run = dips = 0
    for is_speech in (*inside, True):
        if is_speech:
            dips += run >= QUIET_FRAMES
            run = 0
        else:
            run += 1
    return dips


def _rank_ms(values_s: list[float], q: float) -> float | None:
    return nearest_rank(sorted(values_s), q) * 1_000 if values_s else None
