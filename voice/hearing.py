"""What is told about the caller's words, handed to the endpointer."""

from __future__ import annotations

from typing import assert_never

from voice.decisions import EndpointDecision
from voice.endpointing import Endpointer
from voice.events import FinalHeard, InterimHeard, TurnEndHinted, TurnJudged, TurnResumed

WordsEvent = InterimHeard | FinalHeard | TurnEndHinted | TurnResumed | TurnJudged


def hear(ear: Endpointer, event: WordsEvent, *, now: float) -> EndpointDecision | None:
    """Take one event of the recogniser or of the end-of-turn model in."""
    match event:
        case InterimHeard(text=text, end_s=end_s):
            return ear.hear_interim(text, now=now, end_s=end_s)
        case FinalHeard(text=text, end_s=end_s):
            return ear.hear_final(text, now=now, end_s=end_s)
        case TurnEndHinted(text=text, end_s=end_s, probability=probability):
            return ear.hear_hint(text, probability, now=now, end_s=end_s)
        case TurnResumed():
            ear.withdraw_hint()
            return None
        case TurnJudged(pause_id=pause_id, finished_ratio=ratio):
            return ear.hear_judgement(pause_id, ratio, now=now)
        case _:
            assert_never(event)
