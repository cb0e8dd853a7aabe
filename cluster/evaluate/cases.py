"""The worst turns of a run, with what is needed to draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster.evaluate.figures import headline
from cluster.evaluate.replay_log import CallLog, Said
from cluster.evaluate.turn_rows import TurnRow
from simulation.clip_library import join_words
from simulation.corpus_turn import Samples
from voice.ports import FRAME_S, FRAME_SAMPLES

Levels = npt.NDArray[np.float64]

BEFORE_S = 0.3
AFTER_S = 4.0
_LATEST_S = 8.0
CUTS, SLOW = 6, 6


@dataclass(frozen=True, slots=True)
class Case:
    """One turn; times in seconds from its true end.

    Attributes:
        envelope: Peak of each 20 ms of the caller, 0 to 1, from ``start_s`` on.
        agent: Stretches in which the agent was audible.
        pauses: Of the caller.
        events: What was decided when.
    """

    title: str
    text: str
    asked: str
    start_s: float
    envelope: tuple[float, ...]
    agent: tuple[tuple[float, float], ...]
    pauses: tuple[tuple[float, float], ...]
    events: tuple[tuple[float, str], ...]


def worst_cases(rows: Sequence[TurnRow], logs: Sequence[CallLog]) -> tuple[Case, ...]:
    """The cuts that lost most of a turn, and the slowest replies."""
    by_call = {log.call: log for log in logs}
    people = headline(rows)
    cut = sorted((row for row in people if row.is_cut), key=lambda row: -_lost(row, by_call))
    slow = sorted(
        (row for row in people if row.latency_s is not None), key=lambda row: -(row.latency_s or 0)
    )
    chosen = dict.fromkeys([*cut[:CUTS], *slow[:SLOW]])
    return tuple(_case(row, by_call[row.call]) for row in chosen)


def _lost(row: TurnRow, logs: Mapping[int, CallLog]) -> float:
    said = _said(row, logs[row.call])
    first = [each.at_s for each in logs[row.call].committed if said.start_s <= each.at_s < row.at_s]
    return row.at_s - first[0] if first else 0.0


def _said(row: TurnRow, log: CallLog) -> Said:
    return next(said for said in log.said if said.turn.turn_id == row.turn_id)


def _case(row: TurnRow, log: CallLog) -> Case:
    said = _said(row, log)
    turn, end_s = said.turn, said.end_s
    until_s = min(end_s + _LATEST_S, max(end_s + AFTER_S, end_s + (row.latency_s or 0.0) + 1.0))
    start_s = said.start_s - BEFORE_S
    quiet = np.zeros(round(BEFORE_S / FRAME_S))
    events = [(each.at_s - end_s, "asked") for each in log.begun if start_s <= each.at_s < until_s]
    events += [
        (each.at_s - end_s, "taken") for each in log.committed if start_s <= each.at_s < until_s
    ]
    wait = "answered before its end" if row.latency_s is None else f"{row.latency_s * 1_000:.0f} ms"
    return Case(
        title=f"{turn.turn_id}: {turn.kind}, {turn.language}, {row.noise}, {row.network}, {wait}"
        + (", CUT" if row.is_cut else "")
        + (f", {row.reason}" if row.reason else ""),
        text=join_words([word.display for word in turn.words], turn.language),
        asked=turn.asked,
        start_s=start_s - end_s,
        envelope=tuple(np.concatenate([quiet, envelope(turn.samples)]).round(3).tolist()),
        agent=_agent(log, start_s, until_s, end_s),
        pauses=tuple((a + said.start_s - end_s, b + said.start_s - end_s) for a, b in turn.pauses),
        events=tuple(sorted(events)),
    )


def envelope(samples: Samples) -> Levels:
    """Peak of each 20 ms, 0 to 1 of the loudest."""
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = np.abs(samples[:whole].astype(np.float64)).reshape(-1, FRAME_SAMPLES).max(axis=1)
    scaled: Levels = frames / max(1.0, float(frames.max(initial=1.0)))
    return scaled


def _agent(
    log: CallLog, start_s: float, until_s: float, zero_s: float
) -> tuple[tuple[float, float], ...]:
    spans: list[list[float]] = []
    frames = log.mouth.frames[log.mouth.at(start_s) : log.mouth.at(until_s)]
    for frame in frames:
        if spans and frame.start_s - spans[-1][1] < FRAME_S:
            spans[-1][1] = frame.start_s + FRAME_S
        else:
            spans.append([frame.start_s, frame.start_s + FRAME_S])
    return tuple((a - zero_s, b - zero_s) for a, b in spans)
