"""What a run of simulated calls showed: distributions, counts, and whether to believe them.

Two questions are asked of every run, and told apart. Were the callers punctual? If not, the
figures are their own and say nothing about the server. Was every call that was offered admitted,
and carried until its caller hung up? If not, the figures are true, but they are those of fewer
calls than were asked for: a server that turns calls away is quick to the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulation.caller_call import CallResult
from simulation.carrier_ticker import Lateness
from simulation.load_counts import REFUSAL_KINDS, count_up, shares
from simulation.load_figures import Distribution, distribution, lateness_distribution

# Above this the 20 ms clock of the caller is no longer the network's, and latencies are its own.
LATENESS_LIMIT_S = 0.005

EXIT_VALID = 0
EXIT_CALLERS_LATE = 3
EXIT_NOT_CARRIED = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """What the run cost the caller.

    Attributes:
        wall_s: From first to last call.
        cpu_s: CPU of the caller's process, user and system.
        lateness: Of every 20 ms frame.
        is_nice: The scheduler gave the process a better place.
    """

    wall_s: float
    cpu_s: float
    lateness: Lateness
    is_nice: bool


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A run. Durations are milliseconds, shares are percent.

    Attributes:
        concurrent: Lines that placed one call after the other.
        valid: True when the run measured what it was asked to measure: punctual callers, every
            offered call admitted, none ended early by the server.
        reasons: Why it is not valid, a sentence each; empty when it is.
        all_admitted: Every offered call reached a media stream.
        punctual: The callers' own frames were on time, so that latencies are the server's.
        counts: Calls, turns, frames and so on, by name; see ``load_counts.count_up``.
        percent: Shares, by name.
        distributions: By name; of admitted calls only, but for ``voice_webhook_refused``, the time
            that it took to turn a call away.
        violations: What the server did against the protocol, by Twilio's error code.
        errors: What the carrier would log otherwise, by Twilio's error code.
        details: The first few of both, in words.
    """

    seed: int
    concurrent: int
    valid: bool
    reasons: tuple[str, ...]
    all_admitted: bool
    punctual: bool
    wall_s: float
    cpu_ms_per_call_second: float
    counts: dict[str, int]
    percent: dict[str, float]
    distributions: dict[str, Distribution]
    violations: dict[str, int]
    errors: dict[str, int]
    details: tuple[str, ...]

    @property
    def why_invalid(self) -> str:
        """The reasons in one line; empty when valid."""
        return "; ".join(self.reasons)

    @property
    def exit_code(self) -> int:
        """What the command ends with: valid, callers late, or calls not carried."""
        if self.valid:
            return EXIT_VALID
        return EXIT_NOT_CARRIED if self.punctual else EXIT_CALLERS_LATE

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"version": 2, **asdict(self), "why_invalid": self.why_invalid}


def build_report(
    seed: int, concurrent: int, results: Sequence[CallResult], effort: Effort
) -> LoadReport:
    """Add up the calls of a run."""
    admitted = [result for result in results if result.leg.admitted]
    turns = [turn for result in admitted for turn in result.turns]
    counts = count_up(results)
    lateness = lateness_distribution(effort.lateness)
    not_carried, late = _not_carried(counts, lateness), _late(lateness)
    # A refused caller listens to a polite text: those seconds are not seconds of a call.
    call_seconds = sum(result.leg.duration_s for result in admitted)
    return LoadReport(
        seed=seed,
        concurrent=concurrent,
        valid=not not_carried and not late,
        reasons=(*not_carried, *late),
        all_admitted=counts["calls_admitted"] == counts["calls_offered"],
        punctual=not late,
        wall_s=round(effort.wall_s, 3),
        cpu_ms_per_call_second=round(effort.cpu_s * 1_000 / call_seconds, 3) if call_seconds else 0,
        counts=counts,
        percent=shares(counts),
        distributions={
            "response_latency": distribution(_known(turn.latency_s for turn in turns)),
            "barge_in_stop": distribution(_known(turn.barge_in_stop_s for turn in turns)),
            "greeting": distribution(_known(result.greeting_s for result in admitted)),
            "first_frame": distribution(_known(result.first_frame_s for result in admitted)),
            "voice_webhook": distribution(_known(result.leg.webhook_s for result in admitted)),
            "voice_webhook_refused": distribution(
                _known(result.leg.webhook_s for result in results if result.leg.refusal)
            ),
            "handshake": distribution(_all(result.leg.handshake_s for result in admitted)),
            "stream_gap": distribution(_all(result.leg.stream_gaps_s for result in admitted)),
            "underrun": distribution(_all(result.leg.underruns_s for result in admitted)),
            "caller_lateness": lateness,
        },
        violations=_by_code(result.leg.violations.counts for result in results),
        errors=_by_code(result.leg.errors.counts for result in results),
        details=_details(results),
    )


def _not_carried(counts: dict[str, int], lateness: Distribution) -> list[str]:
    """Why these are not the figures of as many calls as were offered."""
    offered, admitted = counts["calls_offered"], counts["calls_admitted"]
    found = []
    if not offered:
        return ["no call was placed"]
    if counts["calls_refused"]:
        kinds = ", ".join(
            f"{kind} x{counts[f'calls_refused_{kind}']}"
            for kind in REFUSAL_KINDS
            if counts[f"calls_refused_{kind}"]
        )
        found.append(f"{counts['calls_refused']} of {offered} offered calls were refused ({kinds})")
    if counts["calls_failed"]:
        found.append(f"{counts['calls_failed']} of {offered} offered calls failed: see errors")
    if found and admitted:
        found.append(f"what is measured is a run of {admitted} calls, not of {offered}")
    if counts["calls_ended_early"]:
        found.append(
            f"{counts['calls_ended_early']} of {admitted} admitted calls were ended early by the"
            " server"
        )
    if admitted and not lateness.count:
        found.append("no frame was sent: every stream ended as soon as it had begun")
    return found


def _late(lateness: Distribution) -> list[str]:
    """Why these are the callers' own figures."""
    p99_ms = lateness.p99_ms
    if p99_ms is None or p99_ms < LATENESS_LIMIT_S * 1_000:
        return []
    return [
        f"the caller's own frames were {p99_ms:.1f} ms late at P99"
        f" (limit {LATENESS_LIMIT_S * 1_000:.0f} ms): this machine was too busy to measure with"
    ]


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _all(lists: Iterable[Iterable[float]]) -> list[float]:
    return [value for each in lists for value in each]


def _by_code(counters: Iterable[Counter[int]]) -> dict[str, int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter)
    return {str(code): count for code, count in sorted(total.items())}


def _details(results: Sequence[CallResult], at_most: int = 20) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for result in results:
        for finding in (*result.leg.violations.details, *result.leg.errors.details):
            seen.setdefault(f"{finding.code}: {finding.detail}")
    return tuple(seen)[:at_most]
