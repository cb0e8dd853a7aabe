"""What became of a caller who talked over the agent.

- *Onset*: the first sample of the caller's speech. Only turns whose onset met an audible agent
  count.
- *Duck*: the first frame at the ear that is quieter than it was made, or silence in its place.
- *Silence*: the agent's last audible frame, when it stopped for ``STOP_S`` at least and began to be
  silent before the caller's end plus ``STOP_S``.
- *False stop*: a backchannel ended the reply. *Ridden*: the reply went on to be said.
- *Resume*: after a backchannel, from its end to the first frame at full level, 0 when it never was
  anything else by then.
- *Heard error*: the words (Han characters) that the record takes for heard, against those whose
  audio reached the ear whole.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cluster.evaluate.replay_log import CallLog, Settled
from cluster.evaluate.replay_mouth import HeardFrame, Key
from cluster.evaluate.turn_rows import Span, spans_of
from voice.ports import FRAME_S
from voice.words import normalise

STOP_S = 0.3
_FULL = 0.9
_SAME_RUN_S = 0.002
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class TalkOverRow:
    """One turn said over the agent; seconds, None where there is nothing to measure."""

    turn_id: str
    call: int
    at_s: float
    kind: str
    language: str
    is_synthetic: bool
    noise: str
    duck_s: float | None
    silence_s: float | None
    is_ridden: bool
    is_false_stop: bool
    is_missed: bool
    resume_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def talk_over_rows(log: CallLog) -> list[TalkOverRow]:
    """The turns of a call that were said over the agent."""
    rows = []
    for span in spans_of(log):
        if span.said.turn.is_over_agent:
            frame = _frame_at(log, span.first_word_s)
            if frame is not None:
                rows.append(_row(log, span, frame))
    return rows


def heard_errors(log: CallLog) -> list[int]:
    """For each reply that was broken off: words it is wrong by."""
    errors = []
    for settled in log.settled:
        event = settled.event
        if event.outcome in ("interrupted", "dropped") and event.agent_text:
            errors.append(abs(_heard_truth(log, settled) - len(normalise(event.heard_text))))
    return errors


def _row(log: CallLog, span: Span, frame: HeardFrame) -> TalkOverRow:
    turn = span.said.turn
    onset_s, end_s = span.first_word_s, span.said.end_s
    key = _key(log, frame)
    silence_s = _silence(log, onset_s, end_s + STOP_S)
    settled = _settled(log, key)
    was_stopped = settled is not None and settled.event.outcome in ("interrupted", "dropped")
    was_stopped = was_stopped and settled is not None and settled.at_s < span.until_s
    is_backchannel = turn.kind == "backchannel"
    return TalkOverRow(
        turn_id=turn.turn_id,
        call=log.call,
        at_s=onset_s,
        kind=turn.kind,
        language=turn.language,
        is_synthetic=turn.is_synthetic,
        noise=log.noise_kind,
        duck_s=_duck(log, onset_s, end_s),
        silence_s=None if is_backchannel or silence_s is None else silence_s - onset_s,
        is_ridden=is_backchannel and not was_stopped,
        is_false_stop=is_backchannel and was_stopped,
        is_missed=not is_backchannel and not was_stopped,
        resume_s=_resume(log, end_s, key) if is_backchannel and not was_stopped else None,
    )


def _frame_at(log: CallLog, at_s: float) -> HeardFrame | None:
    index = log.mouth.at(at_s + _EPSILON_S)
    found = log.mouth.frames[index - 1] if index else None
    return found if found is not None and found.start_s + FRAME_S > at_s + _EPSILON_S else None


def _duck(log: CallLog, onset_s: float, end_s: float) -> float | None:
    """From the onset to the first frame that is quiet or missing; None when none is by the end."""
    due_s = onset_s
    for frame in log.mouth.frames[max(0, log.mouth.at(onset_s) - 1) :]:
        if frame.start_s > due_s + FRAME_S + _SAME_RUN_S:
            break
        if frame.level < _FULL:
            return max(0.0, frame.start_s - onset_s)
        due_s = frame.start_s
    ended_s = due_s + FRAME_S
    return ended_s - onset_s if ended_s < end_s + STOP_S else None


def _silence(log: CallLog, onset_s: float, by_s: float) -> float | None:
    """When the agent fell silent for ``STOP_S`` or more, if by ``by_s``."""
    frames = log.mouth.frames
    at = max(0, log.mouth.at(onset_s) - 1)
    for here, after in zip(frames[at:], [*frames[at + 1 :], None], strict=True):
        ended_s = here.start_s + FRAME_S
        if ended_s > by_s:
            return None
        if after is None or after.start_s - ended_s >= STOP_S:
            return ended_s
    return None


def _resume(log: CallLog, end_s: float, key: Key | None) -> float | None:
    if (before := _frame_at(log, end_s)) is not None and before.level >= _FULL:
        return 0.0
    for frame in log.mouth.frames[log.mouth.at(end_s) :]:
        if frame.level >= _FULL and _key(log, frame) == key:
            return frame.start_s - end_s
    return None


def _settled(log: CallLog, key: Key | None) -> Settled | None:
    found = (each for each in log.settled if (each.event.turn_id, each.event.guess) == key)
    return next(found, None)


def _heard_truth(log: CallLog, settled: Settled) -> int:
    key = (settled.event.turn_id, settled.event.guess)
    heard: dict[int, float] = {}
    for frame in log.mouth.frames:
        spoken = log.speech.segment_of(frame.number)
        if spoken is None or spoken.key != key or frame.start_s >= settled.at_s:
            continue
        whole_s = min(FRAME_S, settled.at_s - frame.start_s)
        until_s = (frame.number - spoken.first_frame) * FRAME_S + whole_s
        heard[spoken.index] = max(heard.get(spoken.index, 0.0), until_s)
    return log.speech.heard_units(key, heard)


def _key(log: CallLog, frame: HeardFrame) -> Key | None:
    spoken = log.speech.segment_of(frame.number)
    return None if spoken is None else spoken.key
