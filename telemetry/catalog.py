"""Every metric of the product in one table: name, unit, help, kind, labels.

Names follow Prometheus: base units (seconds, bytes), ``_total`` for counters. Labels hold few
values: never a call, a number or a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["counter", "gauge", "summary"]
GaugeMerge = Literal["sum", "max"]

_AGENT = ("tenant_id", "agent_id")


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured thing.

    Attributes:
        unit: ``seconds``, ``bytes``, ``calls``, ``turns``, ...; part of the name for base units.
        kind: ``summary`` is a mergeable sketch, shown as quantiles.
        labels: Label names in the order in which values are given.
        merge: How a gauge of many processes becomes one number.
    """

    name: str
    unit: str
    help: str
    kind: Kind
    labels: tuple[str, ...] = ()
    merge: GaugeMerge = "sum"


RESPONSE_LATENCY: Final = Metric(
    "callcluster_response_latency_seconds",
    "seconds",
    "End of the caller's speech to the first frame of the reply handed to the carrier.",
    "summary",
    _AGENT,
)
TURN_STAGE: Final = Metric(
    "callcluster_turn_stage_seconds",
    "seconds",
    "End of the caller's speech to each stage of the turn; negative when prepared ahead.",
    "summary",
    ("stage",),
)
COMMIT_TO_FRAME: Final = Metric(
    "callcluster_commit_to_first_frame_seconds",
    "seconds",
    "From taking the turn to the first frame out: the part that is ours alone.",
    "summary",
)
PROVIDER_LATENCY: Final = Metric(
    "callcluster_provider_latency_seconds",
    "seconds",
    "Request to the first useful result of a provider.",
    "summary",
    ("provider", "work"),
)
ADMISSION_LATENCY: Final = Metric(
    "callcluster_admission_seconds",
    "seconds",
    "Time to answer the carrier's webhook for a new call.",
    "summary",
)
CALL_DURATION: Final = Metric(
    "callcluster_call_duration_seconds", "seconds", "Length of finished calls.", "summary", _AGENT
)
LOOP_LAG: Final = Metric(
    "callcluster_event_loop_lag_seconds",
    "seconds",
    "How late the event loop ran a timer.",
    "summary",
    ("process",),
)
CALLS: Final = Metric("callcluster_calls_total", "calls", "Calls answered.", "counter", _AGENT)
CALLS_ENDED: Final = Metric(
    "callcluster_calls_ended_total", "calls", "Calls that ended, by reason.", "counter", ("reason",)
)
CALLS_REFUSED: Final = Metric(
    "callcluster_calls_refused_total",
    "calls",
    "Calls not taken, by reason.",
    "counter",
    ("reason",),
)
CALLS_RESUMED: Final = Metric(
    "callcluster_calls_resumed_total",
    "calls",
    "Calls that got a new stream.",
    "counter",
    ("reason",),
)
CALLS_REPLACED: Final = Metric(
    "callcluster_calls_replaced_total", "calls", "Calls moved to another CallActor.", "counter"
)
TURNS: Final = Metric(
    "callcluster_turns_total", "turns", "Turns settled, by outcome.", "counter", ("kind", "outcome")
)
BARGE_INS: Final = Metric(
    "callcluster_barge_ins_total", "barge-ins", "Replies cut by the caller.", "counter"
)
UNDERRUNS: Final = Metric(
    "callcluster_underruns_total", "underruns", "Playouts that ran dry within a reply.", "counter"
)
GUESSES: Final = Metric(
    "callcluster_guesses_total", "guesses", "Replies prepared early, by fate.", "counter", ("fate",)
)
PROTOCOL_ERRORS: Final = Metric(
    "callcluster_protocol_errors_total",
    "errors",
    "Messages of a peer that break its protocol.",
    "counter",
    ("protocol",),
)
PROVIDER_ERRORS: Final = Metric(
    "callcluster_provider_errors_total",
    "errors",
    "Failures of a provider, by kind.",
    "counter",
    ("provider", "kind"),
)
CACHE_LOOKUPS: Final = Metric(
    "callcluster_cache_lookups_total",
    "lookups",
    "Cache lookups, by cache and result.",
    "counter",
    ("cache", "result"),
)
FRAMES: Final = Metric(
    "callcluster_frames_total", "frames", "Media frames of 20 ms.", "counter", ("direction",)
)
RECORDS_DROPPED: Final = Metric(
    "callcluster_records_dropped_total", "rows", "Rows the call store never got.", "counter"
)
OBSERVATIONS_REFUSED: Final = Metric(
    "callcluster_observations_refused_total",
    "observations",
    "Measurements not taken: not finite, or too many label values.",
    "counter",
)
ACTIVE_CALLS: Final = Metric(
    "callcluster_active_calls", "calls", "Calls in progress.", "gauge", ("process",)
)
CAPACITY: Final = Metric(
    "callcluster_capacity_calls", "calls", "Calls that can be held at once.", "gauge", ("process",)
)
RECORDS_PENDING: Final = Metric(
    "callcluster_records_pending", "rows", "Rows waiting for the call store.", "gauge"
)
CACHE_BYTES: Final = Metric(
    "callcluster_cache_bytes", "bytes", "Memory held by a cache.", "gauge", ("cache",)
)
MEMORY: Final = Metric(
    "callcluster_resident_memory_bytes",
    "bytes",
    "Resident memory of our largest process of a kind.",
    "gauge",
    ("process",),
    "max",
)

METRICS: Final = (
    RESPONSE_LATENCY,
    TURN_STAGE,
    COMMIT_TO_FRAME,
    PROVIDER_LATENCY,
    ADMISSION_LATENCY,
    CALL_DURATION,
    LOOP_LAG,
    CALLS,
    CALLS_ENDED,
    CALLS_REFUSED,
    CALLS_RESUMED,
    CALLS_REPLACED,
    TURNS,
    BARGE_INS,
    UNDERRUNS,
    GUESSES,
    PROTOCOL_ERRORS,
    PROVIDER_ERRORS,
    CACHE_LOOKUPS,
    FRAMES,
    RECORDS_DROPPED,
    OBSERVATIONS_REFUSED,
    ACTIVE_CALLS,
    CAPACITY,
    RECORDS_PENDING,
    CACHE_BYTES,
    MEMORY,
)
BY_NAME: Final = MappingProxyType({metric.name: metric for metric in METRICS})
