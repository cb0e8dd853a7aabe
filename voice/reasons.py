"""Why a turn was taken, and what ended it before its reply was heard: one line of a record."""

from __future__ import annotations

from typing import Final

_THEN: Final = "; "

WENT_ON: Final = "caller went on"  # a turn that was taken too soon, and taken back
STREAM_CLOSED: Final = "stream closed"  # the stream was lost, and the call may go on in another


def told(taken: str, ended: str) -> str:
    """What took the turn, and then what ended it: ``final+silence 560 ms (...); barge-in``."""
    return f"{taken}{_THEN}{ended}" if taken and ended else taken or ended


def ended_by(reason: str) -> str:
    """What ended a turn that was not heard to its end: the last part of its line."""
    return reason.rpartition(_THEN)[2]


def taken_by(reason: str) -> str:
    """What took the turn: the line without what ended it."""
    return reason.rpartition(_THEN)[0] or reason
