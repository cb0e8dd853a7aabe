"""Joins what a caller measured with what the product recorded, turn by turn.

Two clocks meet here. The caller knows when its speech truly ended and when it heard the reply. The
product's timeline counts from where *it* heard the speech end. Both know one event: the first frame
of the reply, sent by the one and received by the other within a millisecond or two on one machine.
The product's timeline is shifted so that the two fall together; zero is the caller's true end of
speech. The last stage, sound at the ear, is the caller's own measurement.

Rules of the pairing
- A recorded turn belongs to the last utterance whose speech had ended when it was settled: it is
  settled when its reply has been heard, or cut off by the next utterance.
- Of several, the last is shown: the reply that was heard to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from records.rows import TurnRow
from simulation.caller_call import CallResult
from simulation.caller_events import AgentHeard, TurnMeasured
from simulation.recording import Recording
from simulation.report_data import DemoCall, DemoTurn
from voice import timeline
from voice.reasons import taken_by

_PAIRED = {"caller", "digits"}
# What lies between the sound of the first frame and its arrival: leading silence, no more.
_LONGEST_LEADING_SILENCE_S = 1.0
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class CallStory:
    """All that is known of a call once it is over.

    Attributes:
        name: Of the caller.
        language: BCP-47 tag.
        placed_us: UTC microseconds at which the call was placed.
        result: What the caller measured.
        heard: When the agent became audible and fell silent.
        rows: What the product recorded.
        call_id: The product's id of the call; empty when it recorded none.
    """

    name: str
    language: str
    placed_us: int
    result: CallResult
    heard: tuple[AgentHeard, ...]
    rows: tuple[TurnRow, ...]
    call_id: str = ""


def joined(story: CallStory) -> DemoCall:
    """The call as the report shows it; times from the first sample of the recording."""
    recording = story.result.recording or Recording()
    start_s = story.result.recording_start_s
    samples = recording.samples()
    turns = [_greeting(story, start_s), *_caller_turns(story, recording, start_s)]
    findings = (*story.result.leg.violations.details, *story.result.leg.errors.details)
    return DemoCall(
        call_id=story.call_id,
        language=story.language,
        caller_name=story.name,
        started_at_us=story.placed_us + round(start_s * 1e6),
        turns=tuple(turn for turn in turns if turn is not None),
        caller_pcm=samples[:, 0],
        agent_pcm=samples[:, 1],
        underruns=len(story.result.leg.underruns_s),
        protocol_errors=tuple(f"{found.code}: {found.detail}" for found in findings),
    )


def paired(
    turns: Sequence[TurnMeasured], rows: Sequence[TurnRow], placed_us: int
) -> list[list[TurnRow]]:
    """The recorded turns of each measured one, in order; see the rules above.

    Args:
        turns: What the caller measured, in order; times from the placing of the call.
        rows: What the product recorded, in order.
        placed_us: UTC microseconds of the placing.
    """
    found: list[list[TurnRow]] = [[] for _ in turns]
    for row in rows:
        settled_s = (row.at_us - placed_us) / 1e6
        ended = [index for index, turn in enumerate(turns) if turn.speech_end_s <= settled_s]
        if row.kind in _PAIRED and ended:
            found[ended[-1]].append(row)
    return found


def aligned(
    recorded: Mapping[str, float], *, first_frame_s: float | None, audible_s: float | None
) -> dict[str, float]:
    """A recorded timeline on the caller's clock: seconds after the true end of speech.

    Args:
        recorded: Stage to seconds after the product's own idea of the end of speech.
        first_frame_s: When the first frame of the reply reached the caller.
        audible_s: When its first sound did.

    Returns:
        The shifted stages; empty when the first frame is not known to both sides.
    """
    sent_s = recorded.get(timeline.FIRST_FRAME_OUT)
    if first_frame_s is None or sent_s is None:
        return {}
    shift_s = first_frame_s - sent_s
    stages = {name: at_s + shift_s for name, at_s in recorded.items()}
    stages[timeline.SPEECH_ENDED] = 0.0
    if audible_s is not None:
        stages[timeline.FIRST_FRAME_AUDIBLE] = audible_s
    else:
        stages.pop(timeline.FIRST_FRAME_AUDIBLE, None)
    return stages


def first_frame_s(runs: Sequence[tuple[float, float]], audible_at_s: float) -> float | None:
    """When the audio that became audible at ``audible_at_s`` began to arrive; same clock as both.

    None when that is not known: it joined the end of something that was still playing.
    """
    for start_s, end_s in runs:
        if start_s - _ROUNDING_S <= audible_at_s < end_s:
            near = audible_at_s - start_s <= _LONGEST_LEADING_SILENCE_S
            return start_s if near else None
    return None


def _greeting(story: CallStory, start_s: float) -> DemoTurn | None:
    row = next((row for row in story.rows if row.kind == "greeting"), None)
    onset_s = story.result.greeting_s
    if row is None or onset_s is None:
        return None
    turns = story.result.turns
    end_s = _last_sound_s(story.heard, onset_s, turns[0].speech_end_s if turns else float("inf"))
    return DemoTurn(
        turn_id=row.turn_id,
        kind="greeting",
        agent_text=row.agent_text,
        heard_text=row.heard_text,
        interrupted=row.outcome == "interrupted",
        agent_start_s=onset_s - start_s,
        agent_end_s=end_s - start_s,
    )


def _caller_turns(story: CallStory, recording: Recording, start_s: float) -> list[DemoTurn]:
    turns = story.result.turns
    rows = paired(turns, story.rows, story.placed_us)
    placed_s = recording.start_s - story.result.recording_start_s
    runs = [(from_s - placed_s, to_s - placed_s) for from_s, to_s in recording.agent_runs()]
    shown = []
    for index, turn in enumerate(turns):
        following = turns[index + 1] if index + 1 < len(turns) else None
        shown.append(_caller_turn(story, runs, turn, following, rows[index], start_s))
    return shown


def _caller_turn(
    story: CallStory,
    runs: Sequence[tuple[float, float]],
    turn: TurnMeasured,
    following: TurnMeasured | None,
    rows: Sequence[TurnRow],
    start_s: float,
) -> DemoTurn:
    row = rows[-1] if rows else None
    onset_s = None if turn.latency_s is None else turn.speech_end_s + turn.latency_s
    end_s = None
    stages: dict[str, float] = {}
    if onset_s is not None:
        until_s = following.speech_end_s if following is not None else float("inf")
        end_s = _last_sound_s(story.heard, onset_s, until_s) - start_s
        arrived_s = first_frame_s(runs, onset_s)
        if row is not None and arrived_s is not None:
            stages = aligned(
                row.timeline,
                first_frame_s=arrived_s - turn.speech_end_s,
                audible_s=turn.latency_s,
            )
    interrupted = row is not None and row.outcome == "interrupted"
    return DemoTurn(
        turn_id=turn.turn,
        kind=row.kind if row is not None else "caller",
        caller_text=turn.text,
        agent_text=row.agent_text if row is not None else "",
        heard_text=row.heard_text if row is not None else "",
        interrupted=interrupted,
        stages=stages,
        response_latency_s=turn.latency_s,
        caller_start_s=turn.speech_start_s - start_s,
        caller_end_s=turn.speech_end_s - start_s,
        agent_start_s=None if onset_s is None else onset_s - start_s,
        agent_end_s=end_s,
        barge_in_at_s=following.speech_start_s - start_s if interrupted and following else None,
        decided_by=taken_by(row.reason) if row is not None and row.outcome != "failed" else "",
    )


def _last_sound_s(heard: Sequence[AgentHeard], onset_s: float, until_s: float) -> float:
    """When the agent last fell silent after ``onset_s`` and before the next reply."""
    stops = [event.at_s for event in heard if not event.started and onset_s < event.at_s <= until_s]
    return max(stops, default=onset_s)
