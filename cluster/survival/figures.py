"""What callers noticed of each strike, and whether that is what was promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from cluster.chaos.turns import ChaosTurn, RecordedCall
from cluster.survival.faults import Fault
from cluster.survival.silence import Silence, silences

PATIENCE_S: Final = 2.6  # of a caller after a whole reply, with what the ear takes to be sure of it
# The silences are read off the callers' own clock: when that is late by more, they mean nothing.
LATEST_MS: Final = 50.0
# Within this nobody tells two silences apart: a frame of the carrier, a tick of ours, the clock of
# a busy machine.
ALIKE_S: Final = 0.1
# By then a reply has begun, or something is wrong: before it, a strike can have been the reason.
_REPLY_S: Final = 2.0

REACHED: Final = "reached"
MISSED: Final = "MISSED"
NOT_VALID: Final = "NOT VALID"
NOT_SHOWN: Final = "NOT SHOWN"


@dataclass(slots=True)
class Strike:
    """Something was struck; times in seconds of UTC.

    Attributes:
        moment: For which it waited.
        at: When it was struck.
        until: For how long callers were watched.
        pids: What was struck.
        calls: How many there were then, by moment.
        whole_s: Until all parts were there again; infinite when that took too long.
        woken: Processes that were held to the end: nobody had ended them.
        met: Calls in the ingress replicas that were struck; None where that is not counted.
        node: The node that was struck, if one was.
        call_actors: How many were struck with it.
    """

    moment: str
    at: float
    until: float
    pids: tuple[int, ...] = ()
    calls: dict[str, int] = field(default_factory=dict)
    whole_s: float = math.inf
    woken: int = 0
    met: int | None = None
    node: int | None = None
    call_actors: int = 0

    @property
    def met_nobody(self) -> bool:
        """Nobody was on the phone where it struck: it shows nothing."""
        return self.met == 0


@dataclass(frozen=True, slots=True)
class CallStory:
    """One call on the clock of the run (seconds of UTC).

    Attributes:
        placed_at: When it was placed.
        ended_at: When it was over.
        was_admitted: A stream was opened.
        is_lost: It ended, and not because its caller hung up.
        silences: Those for which the agent is to blame.
        gaps_s: Of its streams: from the end of one to the start of the next.
        why: What the carrier said in our name, and what it had to complain of, in words.
    """

    placed_at: float
    ended_at: float
    was_admitted: bool
    is_lost: bool
    silences: tuple[Silence, ...]
    gaps_s: tuple[float, ...]
    why: tuple[str, ...] = ()


def story_of(call: RecordedCall) -> CallStory:
    """What the caller's side of a call tells."""
    placed, leg = call.placed, call.placed.result.leg
    result = placed.result
    found: list[Silence] = []
    if result.recording is not None:
        # The recording's own clock is the loop's; it began so long after the call was placed.
        zero_s = result.recording.start_s - result.recording_start_s
        found = silences(result.recording, zero_s, PATIENCE_S)
    at = placed.placed_at
    return CallStory(
        placed_at=at,
        ended_at=at + leg.duration_s,
        was_admitted=leg.admitted,
        is_lost=leg.admitted and leg.ended_by != "caller",
        silences=tuple(Silence(at + each.from_s, at + each.until_s) for each in found),
        gaps_s=tuple(leg.stream_gaps_s),
        why=(*leg.said, *(f"{each.code} {each.detail}" for each in leg.errors.details)),
    )


@dataclass(frozen=True, slots=True)
class Noticed:
    """What callers noticed of one strike, or of a while.

    Attributes:
        calls: In progress as it began.
        calls_lost: Of these.
        calls_refused: New calls that were not taken meanwhile.
        turns: Said or answered meanwhile.
        turns_lost: Of these: no answer came, or an apology.
        words_lost: Of callers, that the record does not have.
        longest_silence_s: That a caller heard.
        longest_began_s: When that one began, counted from the strike.
        why_lost: What the carrier had to complain of in calls that were lost.
        why_refused: What new calls that were not taken were told, or what went wrong.
    """

    calls: int
    calls_lost: int
    calls_refused: int
    turns: int
    turns_lost: int
    words_lost: int
    longest_silence_s: float
    longest_began_s: float = 0.0
    why_lost: tuple[str, ...] = ()
    why_refused: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def noticed(
    stories: Sequence[CallStory],
    turns: Sequence[ChaosTurn],
    at: float,
    until: float,
    before: float = math.inf,
    told_until: float | None = None,
) -> Noticed:
    """What callers noticed between two moments, seconds of UTC.

    What goes on at ``before``, when the next strike came, is told there: silences count as far as
    they had lasted by then, turns that were not over do not. Calls that are lost or refused are
    told here until ``told_until``, or until ``until`` when that is None.
    """
    told_until = until if told_until is None else told_until
    there = [call for call in stories if call.placed_at < until and call.ended_at > at]
    up = [call for call in there if call.placed_at <= at and call.was_admitted]
    told = [turn for turn in turns if turn.spoke_at < until and at < _over_at(turn) <= before]
    heard = [
        Silence(each.from_s, min(each.until_s, before))
        for call in there
        for each in call.silences
        if each.from_s < until and each.until_s > at
    ]
    lost = [call for call in stories if call.is_lost and at < call.ended_at < told_until]
    refused = [c for c in stories if not c.was_admitted and at < c.placed_at < told_until]
    longest = max(heard, key=lambda each: each.lasted_s, default=None)
    return Noticed(
        calls=len(up),
        calls_lost=len(lost),
        calls_refused=len(refused),
        turns=len(told),
        turns_lost=sum(turn.is_failed for turn in told),
        words_lost=sum(turn.words_lost for turn in told),
        longest_silence_s=longest.lasted_s if longest else 0.0,
        longest_began_s=longest.from_s - at if longest else 0.0,
        why_lost=tuple(why for call in lost for why in call.why[-2:]),
        why_refused=tuple(why for call in refused for why in call.why[-2:]),
    )


def _over_at(turn: ChaosTurn) -> float:
    """When its reply had begun, or should have: what happens later is not the reason for it."""
    return turn.ended_at + min(turn.reply_s, _REPLY_S)


@dataclass(frozen=True, slots=True)
class Judged:
    """A fault, each of its strikes, and the verdict.

    Attributes:
        usual_s: The longest silence while all was well.
        lateness_ms: Of the callers' own frames, P99.
        doubt: Why these are not figures of the product; empty when they are.
    """

    fault: Fault
    strikes: tuple[tuple[Strike, Noticed], ...]
    usual_s: float
    lateness_ms: float = 0.0
    doubt: str = ""

    @property
    def total(self) -> Noticed:
        """Of all strikes together; the silence is the longest one."""
        each = [found for _, found in self.strikes]
        return Noticed(
            calls=sum(found.calls for found in each),
            calls_lost=sum(found.calls_lost for found in each),
            calls_refused=sum(found.calls_refused for found in each),
            turns=sum(found.turns for found in each),
            turns_lost=sum(found.turns_lost for found in each),
            words_lost=sum(found.words_lost for found in each),
            longest_silence_s=max((found.longest_silence_s for found in each), default=0.0),
        )

    @property
    def met_nobody(self) -> int:
        """How many strikes met nobody."""
        return sum(strike.met_nobody for strike, _ in self.strikes)

    @property
    def longest_s(self) -> float:
        """What the promise is about: the silence as it was heard, or what was added to it."""
        longest = self.total.longest_silence_s
        return longest if self.fault.silence == "heard" else max(0.0, longest - self.usual_s)

    @property
    def verdict(self) -> str:
        """One of the words above.

        What is promised of the silence that is heard cannot be less than the usual one. Strikes
        that met nobody can miss what was promised, and cannot reach it.
        """
        if self.doubt or not self.strikes:
            return NOT_VALID
        limit_s = self.fault.silence_s
        if self.fault.silence == "heard":
            limit_s = max(limit_s, self.usual_s)
        is_silent = self.longest_s > limit_s + ALIKE_S
        is_whole = all(math.isfinite(strike.whole_s) for strike, _ in self.strikes)
        lost = self.total.calls_lost + self.total.calls_refused
        if lost or is_silent or not is_whole:
            return MISSED
        return NOT_SHOWN if self.met_nobody == len(self.strikes) else REACHED

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "fault": self.fault.name,
            "verdict": self.verdict,
            "doubt": self.doubt,
            "target_silence_s": self.fault.silence_s,
            "silence": self.fault.silence,
            "usual_longest_silence_s": round(self.usual_s, 3),
            "lateness_p99_ms": round(self.lateness_ms, 2),
            "total": self.total.as_dict(),
            "strikes_that_met_nobody": self.met_nobody,
            "strikes": [
                {**_finite(asdict(strike)), "noticed": found.as_dict()}
                for strike, found in self.strikes
            ],
        }


def _finite(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isinf(value) else value
        for name, value in plain.items()
    }
