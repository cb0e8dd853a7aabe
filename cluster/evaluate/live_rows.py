"""What became of each turn of a live run: the caller's own measurement, joined with the records.

Latency, cut-ins and the time to silence are measured at the caller's ear. What only the product
knows (when a turn was taken, what was asked ahead) comes from its records, set to the caller's
clock by the first frame of the reply, which both know.

A turn is cut when the agent was heard before its true end, or when the record of its reply says
that it was taken before. A turn that was taken too soon and taken back before anybody heard of it
has no record of that: replays count those too.

A turn that was answered and has no record, while the agent is heard over the turn that follows, was
answered by a reply that was taken back: its caller took that for an answer and spoke on. Its
latency is not known, and it was cut if that reply came sooner than words can. The turn that follows
says nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cluster.chaos.turns import RecordedCall
from cluster.demo_turns import aligned, first_frame_s, paired
from cluster.evaluate.live_calls import LiveCall
from cluster.evaluate.live_levels import AgentLevels
from cluster.evaluate.replay_caller import UNANSWERED_S
from cluster.evaluate.talk_over_rows import STOP_S, TalkOverRow
from cluster.evaluate.turn_rows import TurnRow
from records.rows import TurnRow as RecordedTurn
from simulation.caller_events import TurnMeasured
from simulation.corpus_turn import LabelledTurn
from voice import timeline
from voice.reasons import taken_by

_BROKEN_OFF = ("interrupted", "dropped")
_SOONER_THAN_WORDS_S = 0.4
_CLOCK_STEP_S = 1e-3  # of the product's event loop


@dataclass(frozen=True, slots=True)
class LiveRows:
    """All turns of a live run."""

    turns: tuple[TurnRow, ...]
    talk_over: tuple[TalkOverRow, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """One turn on both sides; times from the placing of the call."""

    turn: LabelledTurn
    measured: TurnMeasured
    rows: Sequence[RecordedTurn]
    until_s: float

    @property
    def is_without_record(self) -> bool:
        """It was answered, and the product has written down no reply to it."""
        is_answered = self.measured.outcome == "answered" and not self.rows
        return is_answered and self.turn.kind != "backchannel"


def live_rows(
    calls: Mapping[int, LiveCall],
    recorded: Sequence[RecordedCall],
    *,
    is_voice_steady: bool = False,
) -> LiveRows:
    """Join everything. Turns whose call ended before they were judged are left out.

    Args:
        calls: By their numbers.
        recorded: What the product has of them.
        is_voice_steady: The agents' voice was a tone of one level: ducking can be read off it.
    """
    turns: list[TurnRow] = []
    over: list[TalkOverRow] = []
    for call in recorded:
        live = calls[call.placed.result.call]
        said = _said(live, call)
        runs = _runs(call)
        gone = {
            before.turn.turn_id: after.turn.turn_id
            for before, after in pairwise(said)
            if before.is_without_record and after.measured.cut_in
        }
        turns += [
            _turn_row(live, each, runs, is_taken_back=each.turn.turn_id in gone)
            for each in said
            if each.turn.kind != "backchannel"
            and each.measured.outcome != "call_ended"
            and each.turn.turn_id not in gone.values()
        ]
        levels = _levels(call) if is_voice_steady else None
        over += [
            _talk_over_row(live, each, call.rows, round(call.placed.placed_at * 1e6), levels)
            for each in said
            if each.turn.is_over_agent and each.measured.kind == "interrupt"
        ]
    return LiveRows(tuple(turns), tuple(over))


def _said(live: LiveCall, call: RecordedCall) -> list[_Said]:
    measured = call.placed.result.turns
    placed_us = round(call.placed.placed_at * 1e6)
    known = {turn.turn_id: turn for turn in live.dialogue.turns}
    rows = paired(measured, call.rows, placed_us)
    ends = [each.speech_start_s for each in measured[1:]] + [call.placed.result.leg.duration_s]
    return [
        _Said(known[each.clip], each, found, until_s)
        for each, found, until_s in zip(measured, rows, ends, strict=True)
        if each.clip in known
    ]


def _runs(call: RecordedCall) -> list[tuple[float, float]]:
    recording = call.placed.result.recording
    if recording is None:
        return []
    zero_s = recording.start_s - call.placed.result.recording_start_s
    return [(a - zero_s, b - zero_s) for a, b in recording.agent_runs()]


def _turn_row(
    live: LiveCall, said: _Said, runs: Sequence[tuple[float, float]], *, is_taken_back: bool
) -> TurnRow:
    measured, turn = said.measured, said.turn
    is_too_soon = is_taken_back and (measured.latency_s or 0.0) < _SOONER_THAN_WORDS_S
    row = said.rows[-1] if said.rows else None
    times = dict(row.timeline) if row is not None else {}
    latency_s = measured.latency_s
    if latency_s is not None:
        latency_s += _filler_s(times)
    taken_s = _taken_s(measured, times, runs)
    is_unanswered = measured.outcome == "unanswered"
    committed_s, asked_s = times.get(timeline.COMMITTED), times.get(timeline.THINK_REQUESTED)
    return TurnRow(
        turn_id=turn.turn_id,
        call=live.number,
        at_s=measured.speech_end_s,
        kind=turn.kind,
        language=turn.language,
        is_synthetic=turn.is_synthetic,
        noise=live.noise.kind,
        network="clean",
        clips=" ".join(turn.clips),
        longest_pause_s=turn.longest_pause_s,
        latency_s=UNANSWERED_S if is_unanswered else None if is_taken_back else latency_s,
        is_cut=measured.cut_in or is_too_soon or (taken_s is not None and taken_s < 0.0),
        is_cut_heard=measured.cut_in,
        is_premature=measured.outcome == "premature" or is_too_soon,
        is_unanswered=is_unanswered,
        commit_to_frame_s=_after_commit(times, timeline.FIRST_FRAME_OUT),
        is_hit=None if asked_s is None or committed_s is None else asked_s < committed_s - 1e-3,
        asked=0,
        wasted=0,
        reason=taken_by(row.reason) if row is not None else "",
        taken_s=taken_s,
        is_held=_is_held(times),
        commit_to_sent_s=_after_commit(times, timeline.FIRST_FRAME_SENT),
        is_cached=None if row is None else row.cache.get("outcome") == "hit",
    )


def _after_commit(times: Mapping[str, float], stage: str) -> float | None:
    """From the taking of the turn to a later stage, by the product's record."""
    at_s, committed_s = times.get(stage), times.get(timeline.COMMITTED)
    return None if at_s is None or committed_s is None else at_s - committed_s


def _is_held(times: Mapping[str, float]) -> bool | None:
    """Whether audio of the reply was there before the turn was taken."""
    after_s = _after_commit(times, timeline.SPEAK_FIRST_BYTE)
    if after_s is None:
        return False if timeline.COMMITTED in times else None
    return after_s < -_CLOCK_STEP_S


def _filler_s(times: Mapping[str, float]) -> float:
    """What was heard first was a breath or "one moment": so much later came the reply."""
    filler_s, out_s = times.get(timeline.FILLER_OUT), times.get(timeline.FIRST_FRAME_OUT)
    return 0.0 if filler_s is None or out_s is None else max(0.0, out_s - filler_s)


def _taken_s(
    measured: TurnMeasured, times: Mapping[str, float], runs: Sequence[tuple[float, float]]
) -> float | None:
    """When the turn was taken, from its true end; None when the clocks cannot be joined."""
    if measured.latency_s is None or timeline.FILLER_OUT in times:
        return None
    audible_at_s = measured.speech_end_s + measured.latency_s
    arrived_s = first_frame_s(runs, audible_at_s)
    if arrived_s is None:
        return None
    stages = aligned(
        times, first_frame_s=arrived_s - measured.speech_end_s, audible_s=measured.latency_s
    )
    return stages.get(timeline.COMMITTED)


def _levels(call: RecordedCall) -> AgentLevels | None:
    recording = call.placed.result.recording
    if recording is None:
        return None
    return AgentLevels(recording.samples()[:, 1], call.placed.result.recording_start_s)


def _talk_over_row(
    live: LiveCall,
    said: _Said,
    rows: Sequence[RecordedTurn],
    placed_us: int,
    levels: AgentLevels | None,
) -> TalkOverRow:
    measured, turn = said.measured, said.turn
    settled = [
        row.outcome
        for row in rows
        if measured.speech_start_s <= (row.at_us - placed_us) / 1e6 < said.until_s
    ]
    was_stopped = any(outcome in _BROKEN_OFF for outcome in settled[:1])
    stop_s = measured.barge_in_stop_s
    is_backchannel = turn.kind == "backchannel"
    is_ridden = is_backchannel and not was_stopped
    onset_s, end_s = measured.speech_start_s, measured.speech_end_s
    is_missed = stop_s is None or stop_s > end_s - onset_s + STOP_S
    return TalkOverRow(
        turn_id=turn.turn_id,
        call=live.number,
        at_s=measured.speech_start_s,
        kind=turn.kind,
        language=turn.language,
        is_synthetic=turn.is_synthetic,
        noise=live.noise.kind,
        duck_s=levels.duck_s(onset_s, end_s + STOP_S) if levels else None,
        silence_s=None if is_backchannel or is_missed else stop_s,
        is_ridden=is_ridden,
        is_false_stop=is_backchannel and was_stopped,
        is_missed=not is_backchannel and is_missed,
        resume_s=levels.resume_s(end_s, said.until_s) if levels and is_ridden else None,
    )
