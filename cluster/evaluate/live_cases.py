"""The worst turns of a live run, drawn from the recordings of both channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cluster.chaos.turns import RecordedCall
from cluster.evaluate.cases import AFTER_S, BEFORE_S, CUTS, SLOW, Case, envelope
from cluster.evaluate.figures import headline
from cluster.evaluate.live_calls import LiveCall
from cluster.evaluate.live_dialogue import text_of
from cluster.evaluate.turn_rows import TurnRow
from simulation.clip_library import SAMPLE_RATE_HZ
from simulation.hearing import LOUD_AMPLITUDE
from voice.ports import FRAME_S


def live_cases(
    rows: Sequence[TurnRow], calls: Mapping[int, LiveCall], recorded: Sequence[RecordedCall]
) -> tuple[Case, ...]:
    """The turns that were cut, and the slowest replies."""
    by_call = {call.placed.result.call: call for call in recorded}
    people = headline(rows)
    cut = [row for row in people if row.is_cut]
    slow = sorted(
        (row for row in people if row.latency_s is not None), key=lambda row: -(row.latency_s or 0)
    )
    chosen = dict.fromkeys([*cut[:CUTS], *slow[:SLOW]])
    found = (_case(row, calls[row.call], by_call[row.call]) for row in chosen)
    return tuple(case for case in found if case is not None)


def _case(row: TurnRow, live: LiveCall, call: RecordedCall) -> Case | None:
    result = call.placed.result
    if result.recording is None:
        return None
    turn = next(turn for turn in live.dialogue.turns if turn.turn_id == row.turn_id)
    begin_s = row.at_s - turn.speech_end_s
    start_s = max(result.recording_start_s, begin_s - BEFORE_S)
    until_s = row.at_s + max(AFTER_S, (row.latency_s or 0.0) + 1.0)
    samples = result.recording.samples()
    first = round((start_s - result.recording_start_s) * SAMPLE_RATE_HZ)
    last = round((until_s - result.recording_start_s) * SAMPLE_RATE_HZ)
    wait = "answered before its end" if row.latency_s is None else f"{row.latency_s * 1_000:.0f} ms"
    return Case(
        title=f"{turn.turn_id}: {turn.kind}, {turn.language}, {live.noise}, {wait}"
        + (", CUT" if row.is_cut else "")
        + (f", {row.reason}" if row.reason else ""),
        text=text_of(turn),
        asked=turn.asked,
        start_s=start_s - row.at_s,
        envelope=tuple(envelope(samples[first:last, 0]).round(3).tolist()),
        agent=_loud(samples[first:last, 1], start_s - row.at_s),
        pauses=tuple((a - turn.speech_end_s, b - turn.speech_end_s) for a, b in turn.pauses),
        events=(),
    )


def _loud(samples: npt.NDArray[np.int16], start_s: float) -> tuple[tuple[float, float], ...]:
    size = round(FRAME_S * SAMPLE_RATE_HZ)
    whole = len(samples) // size * size
    peaks = np.abs(samples[:whole].astype(np.int32)).reshape(-1, size).max(axis=1)
    spans: list[list[float]] = []
    for frame in np.flatnonzero(peaks >= LOUD_AMPLITUDE):
        at_s = start_s + float(frame) * FRAME_S
        if spans and at_s - spans[-1][1] < FRAME_S / 2:
            spans[-1][1] = at_s + FRAME_S
        else:
            spans.append([at_s, at_s + FRAME_S])
    return tuple((a, b) for a, b in spans)
