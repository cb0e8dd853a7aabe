"""One call on both sides: what its caller said and heard, and what the product recorded.

Rules
1. Zero is the true end of the caller's speech. The *first sound* is what the caller heard first,
   a breath or "one moment" included. The *reply* is what was asked for.
2. Without a sound in between, the reply begins with the first sound. Else it is where the product
   sent its first frame, by its own timeline, set to the caller's clock by all turns that had no
   sound in between.
3. An apology, or nothing at all, is no reply: the wait for it has no end.
4. Words are compared over the whole call, so that a sentence which the product took in two pieces
   is whole. A reply is compared with what the emulated model says to the words that were recorded:
   what was misheard is not held against the model.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cluster.chaos.lines import PlacedCall
from cluster.chaos.sound import HeardSound
from cluster.chaos.words import compared, per_text, words_of
from cluster.demo_turns import paired
from dialogue.agent import Phrases
from records.rows import CallRow, TurnRow
from simulation.caller_events import TurnMeasured
from simulation.openai_replies import answer
from voice import timeline

_EXCUSES = frozenset({Phrases().apology, Phrases().trouble})
_WHOLE = ("heard", "failed")  # was to be heard to its end: nobody spoke over it
_EARLY_S = 0.02  # before the onset that the ear found, the reply's audio may have begun


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call and its records.

    Attributes:
        row: None when the product recorded none.
    """

    placed: PlacedCall
    row: CallRow | None
    rows: tuple[TurnRow, ...]


@dataclass(frozen=True, slots=True)
class ChaosTurn:
    """One utterance and what came of it; durations in seconds, ``inf`` for never.

    Attributes:
        call: Its number in the run.
        clip: What was said.
        spoke_at: When it began, seconds of UTC.
        ended_at: Its true end.
        outcome: See ``simulation.caller_events``.
        sound_s: To the first sound; 0 when there was one before the end.
        reply_s: To the reply.
        dead_air_s: The longest silence from the end of speech to the end of the reply.
        hole_s: The longest time without audio inside the reply.
        words_lost: Of the caller, as recorded.
        words_extra: Likewise, that came twice or were not said.
        reply_lost: Words of the reply that the caller did not hear.
        reply_extra: Words heard that the reply did not have.
        is_failed: The agent apologised, or there was no reply.
    """

    call: int
    clip: str
    spoke_at: float
    ended_at: float
    outcome: str
    sound_s: float
    reply_s: float
    dead_air_s: float
    hole_s: float
    words_lost: int
    words_extra: int
    reply_lost: int
    reply_extra: int
    is_failed: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, None for never."""
        return {
            name: (None if isinstance(value, float) and math.isinf(value) else value)
            for name, value in asdict(self).items()
        }


def turns_of(calls: Sequence[RecordedCall]) -> list[ChaosTurn]:
    """The turns of all calls of a run, by the order of the calls."""
    offset_s = _offset_s(calls)
    return [turn for call in calls for turn in _turns(call, offset_s)]


def _offset_s(calls: Sequence[RecordedCall]) -> float:
    """From the product's end of speech and first frame to the caller's; see rule 2."""
    found = []
    for call in calls:
        for turn, rows in _pairs(call):
            times = rows[-1].timeline if rows else {}
            out_s = times.get(timeline.FIRST_FRAME_OUT)
            if len(rows) == 1 and out_s is not None and timeline.FILLER_OUT not in times:
                found += [] if turn.latency_s is None else [turn.latency_s - out_s]
    return statistics.median(found) if found else 0.0


def _pairs(call: RecordedCall) -> list[tuple[TurnMeasured, list[TurnRow]]]:
    said = call.placed.result.turns
    placed_us = round(call.placed.placed_at * 1e6)
    return list(zip(said, paired(said, call.rows, placed_us), strict=True))


def _turns(call: RecordedCall, offset_s: float) -> list[ChaosTurn]:
    pairs = _pairs(call)
    if not pairs:
        return []
    words = _caller_words(call)
    result, recording = call.placed.result, call.placed.result.recording
    sound = None
    if recording is not None and recording.agent_runs():
        sound = HeardSound(recording, recording.start_s - result.recording_start_s)
    ends = [turn.speech_start_s for turn, _ in pairs[1:]] + [call.placed.result.leg.duration_s]
    found = []
    for (turn, rows), until_s, (lost, extra) in zip(pairs, ends, words, strict=True):
        reply_s = _reply_s(turn, rows, offset_s)
        began_s = turn.speech_end_s + (0.0 if math.isinf(reply_s) else reply_s) - _EARLY_S
        reply_lost, reply_extra = _reply_words(rows)
        found.append(
            ChaosTurn(
                call=result.call,
                clip=turn.clip,
                spoke_at=call.placed.placed_at + turn.speech_start_s,
                ended_at=call.placed.placed_at + turn.speech_end_s,
                outcome=turn.outcome,
                sound_s=_sound_s(turn),
                reply_s=reply_s,
                dead_air_s=sound.dead_air_s(turn.speech_end_s, until_s) if sound else math.inf,
                hole_s=sound.hole_s(began_s, until_s) if sound else 0.0,
                words_lost=lost,
                words_extra=extra,
                reply_lost=reply_lost,
                reply_extra=reply_extra,
                is_failed=math.isinf(reply_s),
            )
        )
    return found


def _sound_s(turn: TurnMeasured) -> float:
    if turn.latency_s is not None:
        return turn.latency_s
    return 0.0 if turn.outcome == "premature" else math.inf


def _reply_s(turn: TurnMeasured, rows: Sequence[TurnRow], offset_s: float) -> float:
    row = _answering(rows)
    if row is None:
        return math.inf
    out_s = row.timeline[timeline.FIRST_FRAME_OUT]
    filler_s = row.timeline.get(timeline.FILLER_OUT, math.inf)
    if turn.latency_s is not None and len(rows) == 1 and filler_s > out_s:
        return turn.latency_s
    return max(0.0, out_s + offset_s)


def _answering(rows: Sequence[TurnRow]) -> TurnRow | None:
    """The recorded turn whose reply was heard; None for an apology or nothing."""
    good = [
        row
        for row in rows
        if timeline.FIRST_FRAME_OUT in row.timeline and row.agent_text not in _EXCUSES
    ]
    return good[-1] if good else None


def _caller_words(call: RecordedCall) -> list[tuple[int, int]]:
    said = [words_of(turn.text) for turn in call.placed.result.turns]
    heard = [word for row in call.rows for word in words_of(row.caller_text)]
    return per_text(said, compared([word for words in said for word in words], heard))


def _reply_words(rows: Sequence[TurnRow]) -> tuple[int, int]:
    row = _answering(rows)
    if row is None or row.outcome not in _WHOLE:
        return 0, 0
    asked = [{"role": "user", "content": row.caller_text}]
    found = compared(words_of(answer(asked, [], ()).text), words_of(row.heard_text))
    return len(found.lost), len(found.extra)
