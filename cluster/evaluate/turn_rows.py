"""What became of each labelled turn of a replayed call.

Definitions

- *Cut*: a turn was taken (``CommitTurn``) before the caller's true end of speech. That is
  eot-bench's false cut-off; it counts even when the machine takes it back before anybody hears.
- *Heard cut*: the agent was audible between the caller's first word and his last.
- *Latency*: from the true end of speech to the first audible frame of the reply that stays. A
  reply that began before the end counts only if it fell silent within ``SOFT_RETREAT_S`` of it. One
  that was taken back after the end, since words of the caller came late, does not stay.
- *Unanswered*: nothing for ten seconds; the latency is then these ten seconds.
- Everything until the next turn begins belongs to a turn.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cluster.evaluate.replay_caller import UNANSWERED_S
from cluster.evaluate.replay_log import CallLog, Committed, Said
from cluster.evaluate.replay_mouth import HeardFrame, Key
from voice.ports import FRAME_S
from voice.reasons import taken_by

SOFT_RETREAT_S = 0.4
_SAME_RUN_S = 0.002
_EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One labelled turn; seconds, None where there is nothing to measure.

    Attributes:
        call: Number of its call.
        at_s: Its true end, on the clock of its call.
        latency_s: See above; None for turns that were answered before they ended.
        is_cut, is_cut_heard: See above.
        is_premature: The reply that answered it began before its end and went on.
        is_unanswered: See above.
        commit_to_frame_s: From the taking of the turn to the first frame of its reply.
        is_hit: The reply was prepared before the turn was taken.
        is_held: And its first audio was there then.
        commit_to_sent_s: From the taking of the turn until the carrier's socket had taken that
            frame; only of live runs.
        is_cached: The response cache answered it, by the record; only of live runs.
        asked: Questions to the language model.
        wasted: Those of them whose answer was not used.
        reason: What committed it.
        taken_s: From the true end to the taking of the turn whose reply stays.
    """

    turn_id: str
    call: int
    at_s: float
    kind: str
    language: str
    is_synthetic: bool
    noise: str
    network: str
    clips: str
    longest_pause_s: float
    latency_s: float | None
    is_cut: bool
    is_cut_heard: bool
    is_premature: bool
    is_unanswered: bool
    commit_to_frame_s: float | None
    is_hit: bool | None
    asked: int
    wasted: int
    reason: str
    taken_s: float | None = None
    is_held: bool | None = None
    commit_to_sent_s: float | None = None
    is_cached: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Span:
    """From a turn's beginning to that of the next one."""

    said: Said
    until_s: float

    @property
    def first_word_s(self) -> float:
        """When the caller begins to be heard."""
        return self.said.start_s + self.said.turn.speech_start_s

    def holds(self, at_s: float) -> bool:
        """Whether a moment belongs to it."""
        return self.said.start_s <= at_s < self.until_s


def spans_of(log: CallLog) -> list[Span]:
    """The turns of a call, each up to the next."""
    ends = [said.start_s for said in log.said[1:]] + [log.over_s + 1.0]
    return [Span(said, until_s) for said, until_s in zip(log.said, ends, strict=True)]


def turn_rows(log: CallLog) -> list[TurnRow]:
    """Every turn of a call, but for backchannels, which want no answer."""
    return [_row(log, span) for span in spans_of(log) if span.said.turn.kind != "backchannel"]


@dataclass(frozen=True, slots=True)
class _Reply:
    """The reply that answered a turn."""

    key: Key | None
    start_s: float | None
    is_premature: bool


def _row(log: CallLog, span: Span) -> TurnRow:
    said = span.said
    end_s = said.end_s
    commits = [each for each in log.committed if span.holds(each.at_s)]
    begun = [each for each in log.begun if span.holds(each.at_s)]
    reply = _reply(log, span)
    commit = next((each for each in reversed(commits) if each.key == reply.key), None)
    question = next((each for each in log.begun if each.key == reply.key), None)
    is_cut = any(span.first_word_s <= each.at_s < end_s - _EPSILON_S for each in commits)
    is_unanswered = reply.start_s is None and span.until_s - end_s >= UNANSWERED_S
    latency_s = None if reply.start_s is None else reply.start_s - end_s
    if is_unanswered:
        latency_s = UNANSWERED_S
    return TurnRow(
        turn_id=said.turn.turn_id,
        call=log.call,
        at_s=end_s,
        kind=said.turn.kind,
        language=said.turn.language,
        is_synthetic=said.turn.is_synthetic,
        noise=log.noise_kind,
        network=log.network,
        clips=" ".join(said.turn.clips),
        longest_pause_s=said.turn.longest_pause_s,
        latency_s=None if reply.is_premature else latency_s,
        is_cut=is_cut,
        is_cut_heard=_is_cut_heard(log, span, {each.key for each in commits}),
        is_premature=reply.is_premature,
        is_unanswered=is_unanswered,
        commit_to_frame_s=_after_commit(log, reply, commit.at_s if commit else None),
        is_hit=None
        if commit is None or question is None
        else question.is_speculative and question.at_s < commit.at_s - _EPSILON_S,
        asked=len(begun),
        wasted=len(begun) - (1 if any(each.key == reply.key for each in begun) else 0),
        reason=_reason(log, reply.key),
        taken_s=None if commit is None or reply.is_premature else commit.at_s - end_s,
        is_held=_is_held(log, commit),
    )


def _is_held(log: CallLog, commit: Committed | None) -> bool | None:
    """Whether audio of the reply was there when the turn was taken; None of no turn."""
    if commit is None:
        return None
    first_s = log.first_audio_s.get(commit.key)
    return first_s is not None and first_s < commit.at_s - _EPSILON_S


def _reply(log: CallLog, span: Span) -> _Reply:
    """The reply that was heard after the turn's end, or that went on beyond it."""
    frames = log.mouth.frames
    end_s = span.said.end_s
    at = log.mouth.at(end_s - _EPSILON_S)
    mine = {each.key for each in log.committed if span.holds(each.at_s)}
    if at and _key(log, frames[at - 1]) in mine:
        stays_until_s = _run_end(frames, at - 1)
        if stays_until_s - end_s > SOFT_RETREAT_S:
            return _Reply(_key(log, frames[at - 1]), frames[at - 1].start_s, True)
        if stays_until_s > end_s:
            at = log.mouth.at(stays_until_s - _SAME_RUN_S)
    gone = [(at_s, key) for at_s, key in log.taken_back if span.holds(at_s)]
    for frame in frames[at:]:
        if frame.start_s >= span.until_s:
            break
        key = _key(log, frame)
        if key in mine and not any(key == each and at_s > frame.start_s for at_s, each in gone):
            return _Reply(key, frame.start_s, False)
    return _Reply(None, None, False)


def _is_cut_heard(log: CallLog, span: Span, mine: set[Key]) -> bool:
    frames = log.mouth.frames
    first, last = log.mouth.at(span.first_word_s), log.mouth.at(span.said.end_s)
    return any(_key(log, frame) in mine for frame in frames[first:last])


def _after_commit(log: CallLog, reply: _Reply, commit_s: float | None) -> float | None:
    if reply.key is None or commit_s is None:
        return None
    frames = log.mouth.frames
    for frame in frames[log.mouth.at(commit_s - _EPSILON_S) :]:
        if _key(log, frame) == reply.key:
            return frame.start_s - commit_s
    return None


def _reason(log: CallLog, key: Key | None) -> str:
    for each in log.settled:
        if (each.event.turn_id, each.event.guess) == key:
            return taken_by(each.event.reason)
    return ""


def _key(log: CallLog, frame: HeardFrame) -> Key | None:
    spoken = log.speech.segment_of(frame.number)
    return None if spoken is None else spoken.key


def _run_end(frames: list[HeardFrame], at: int) -> float:
    """When the stretch of sound that frame ``at`` is in ends."""
    end_s = frames[at].start_s + FRAME_S
    for frame in frames[at + 1 :]:
        if frame.start_s > end_s + _SAME_RUN_S:
            break
        end_s = frame.start_s + FRAME_S
    return end_s
