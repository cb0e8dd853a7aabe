"""Every metric of the product in one table: name, unit, help, kind, labels.

Names follow Prometheus: base units (seconds, bytes), ``_total`` for counters. Labels hold few
values: never a call, a number or a text. What stands here is written somewhere; a test holds that.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["counter", "gauge", "summary"]
GaugeMerge = Literal["sum", "max"]

_AGENT = ("tenant_id", "agent_id", "language")


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


def _counter(name: str, unit: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(f"callcluster_{name}_total", unit, text, "counter", labels)


def _summary(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(f"callcluster_{name}_seconds", "seconds", text, "summary", labels)


def _gauge(
    name: str, unit: str, text: str, labels: tuple[str, ...] = (), merge: GaugeMerge = "sum"
) -> Metric:
    return Metric(f"callcluster_{name}", unit, text, "gauge", labels, merge)


# --- how quick the answers are --------------------------------------------------------------------

RESPONSE_LATENCY: Final = _summary(
    "response_latency",
    "End of the caller's speech to the first frame of the reply handed to the carrier.",
    _AGENT,
)
TURN_STAGE: Final = _summary(
    "turn_stage",
    "End of the caller's speech to each stage of the turn; negative when prepared ahead.",
    ("stage", *_AGENT),
)
COMMIT_TO_FRAME: Final = _summary(
    "commit_to_first_frame",
    "From taking the turn to the first frame out: the part that is ours when a guess was held.",
)
PROVIDER_LATENCY: Final = _summary(
    "provider_latency",
    "How late a provider's result was: think first_token and speak first_audio after the request, "
    "recognise final_words after the end of speech, recognise open after the request.",
    ("provider", "work", "language"),
)
ADMISSION_LATENCY: Final = _summary(
    "admission", "Time to answer the carrier's webhook for a new call."
)
LOOP_LAG: Final = _summary(
    "event_loop_lag",
    "How late an event loop ran its timers: the worst of each second.",
    ("process",),
)

# --- calls and turns ------------------------------------------------------------------------------

CALLS: Final = _counter("calls", "calls", "Calls whose first stream has begun.", _AGENT)
STREAMS: Final = _counter(
    "streams",
    "streams",
    "Streams and sessions that have become a call, or one that goes on, by how they are carried.",
    ("tenant_id", "agent_id", "mode"),
)
RELAY_LATENCY: Final = _summary(
    "relay_response",
    "Of calls whose ear and mouth are the carrier's: its words to the first of ours sent.",
    _AGENT,
)
CALL_DURATION: Final = _summary("call_duration", "Length of finished calls.", _AGENT)
CALLS_ENDED: Final = _counter(
    "calls_ended",
    "calls",
    "Calls that ended, by reason; lost ones once nobody resumed them.",
    ("reason",),
)
CALLS_LOST: Final = _counter(
    "calls_lost",
    "calls",
    "Of calls that ended, those that nobody had ended: lost, and not taken up again.",
)
CALLS_REFUSED: Final = _counter(
    "calls_refused", "calls", "Calls not taken, by reason.", ("reason",)
)
CALLS_RESUMED: Final = _counter(
    "calls_resumed", "calls", "Calls that were given a new stream, by what was lost.", ("lost",)
)
CALLS_REPLACED: Final = _counter(
    "calls_replaced", "calls", "Calls moved to another CallActor by their ingress replica."
)
TURNS: Final = _counter(
    "turns", "turns", "Turns settled, by outcome.", (*_AGENT, "kind", "outcome")
)
BARGE_INS: Final = _counter(
    "barge_ins", "barge-ins", "Replies that the caller cut by voice or key.", _AGENT
)
TOOLS: Final = _counter(
    "tools_used",
    "uses",
    "Tools that agents used, by what came of it; a transfer that comes back counts again.",
    ("tenant_id", "agent_id", "tool", "status"),
)
UNDERRUNS: Final = _counter("underruns", "underruns", "Times the ear ran dry within a reply.")
RETREATS: Final = _counter(
    "retreats",
    "turns",
    "Turns taken back because the caller had not finished: silent yet, or within a syllable.",
    _AGENT,
)
GUESSES: Final = _counter(
    "guesses",
    "guesses",
    "Replies prepared early: taken, dropped, or given_up after they were taken.",
    ("fate",),
)
GUESSED_CALLS: Final = _counter(
    "speculative_calls",
    "requests",
    "Replies asked of the language model before the turn was taken.",
    _AGENT,
)
WASTED_CALLS: Final = _counter(
    "wasted_calls",
    "requests",
    "Replies asked of the language model that were never spoken: other words came.",
    _AGENT,
)
GUESS_PATIENCE: Final = _gauge(
    "guess_patience_ratio",
    "ratio",
    "How choosy guessing is because of its waste: 0 at once, 1 only the surest.",
    ("tenant_id",),
    "max",
)
DIGITS: Final = _counter("dtmf_digits", "digits", "Keys pressed by callers.")
FRAMES: Final = _counter(
    "frames", "frames", "Media frames of 20 ms, in and out; counted as each turn ends.", ("way",)
)

# --- what goes wrong ------------------------------------------------------------------------------

ERRORS: Final = _counter(
    "errors", "errors", "Failures of our own or of a line, by kind.", ("kind",)
)
PROVIDER_ERRORS: Final = _counter(
    "provider_errors", "errors", "Failures of a provider, by kind.", ("provider", "kind")
)
PROVIDER_REQUESTS: Final = _counter(
    "provider_requests",
    "requests",
    "Requests where an agent names more than one provider, by why this one was asked: first, "
    "hedge, failover, again, continued.",
    ("provider", "work", "why"),
)
FAILOVER_WAIT: Final = _summary(
    "failover_wait",
    "From a request to its first useful output, where the first who was asked did not give it; of"
    " a recogniser from its failure until another one listens.",
    ("work",),
)
PROVIDER_LEFT: Final = _gauge(
    "provider_left",
    "state",
    "1 while a provider is left because it fails, in the view of any process.",
    ("provider", "operation"),
    "max",
)
PROVIDER_QUOTA_USED: Final = _gauge(
    "provider_quota_used_ratio",
    "ratio",
    "Share of a limit that is set (CALLCLUSTER_PROVIDER_LIMITS) in use in the whole cluster.",
    ("provider", "work"),
    "max",
)
PROTOCOL_ERRORS: Final = _counter(
    "protocol_errors", "errors", "Messages of a peer that break its protocol.", ("protocol",)
)
EVENTS: Final = _counter(
    "edge_events", "events", "What else the edge counts, by name, as in /readyz.", ("event",)
)

# --- cost -----------------------------------------------------------------------------------------

UNITS: Final = _counter(
    "provider_units",
    "units",
    "Units of finished calls that somebody bills, by unit and the service's name.",
    ("unit", "item"),
)
COST: Final = _counter(
    "cost_usd",
    "dollars",
    "Cost of finished calls by the price table, US dollars.",
    ("component", "tenant_id", "agent_id"),
)
WASTED_COST: Final = _counter(
    "wasted_cost_usd",
    "dollars",
    "The part of the cost that went into replies that were never spoken, US dollars.",
    ("component", "tenant_id", "agent_id"),
)
CHECKED_COST: Final = _counter(
    "checked_cost_usd",
    "dollars",
    "The part of the cost that went into asking answers of the response cache again, US dollars.",
    ("component", "tenant_id", "agent_id"),
)
UNPRICED: Final = _counter(
    "unpriced_units",
    "units",
    "Units of finished calls that the price table has no price for; not part of the cost.",
    ("unit", "item"),
)

# --- the processes --------------------------------------------------------------------------------

ACTIVE_CALLS: Final = _gauge(
    "active_calls", "calls", "Calls in progress, by kind of process that holds them.", ("process",)
)
AGENT_ACTIVE_CALLS: Final = _gauge(
    "agent_active_calls", "calls", "Calls in progress of each agent, by their CallActors.", _AGENT
)
CAPACITY: Final = _gauge(
    "capacity_calls", "calls", "Calls that processes of a kind can hold at once.", ("process",)
)
UTILISATION: Final = _gauge(
    "utilization_ratio", "ratio", "Calls in progress to calls the cluster can hold.", (), "max"
)
PEAK_CALLS: Final = _gauge(
    "peak_calls", "calls", "Most calls in progress at once, seen about once a second.", (), "max"
)
PROCESSES: Final = _gauge("processes", "processes", "Processes that report.", ("process",))
MEMORY: Final = _gauge(
    "resident_memory_bytes",
    "bytes",
    "Resident memory of our largest process of a kind.",
    ("process",),
    "max",
)
TASKS: Final = _gauge(
    "tasks", "tasks", "Tasks of the event loops of processes of a kind.", ("process",)
)
CACHE_LOOKUPS: Final = _counter(
    "cache_lookups", "lookups", "Cache lookups, by cache and result.", ("cache", "result")
)
CACHE_TURNS: Final = _counter(
    "response_cache_turns",
    "turns",
    "Turns for which the response cache was asked, by what it said to the guess that was spoken.",
    ("tenant_id", "agent_id", "outcome", "tier", "reason"),
)
CACHE_LOOKUP: Final = _summary(
    "response_cache_lookup", "How long the response cache took to answer.", ("outcome",)
)
CACHE_EXPECTED: Final = _counter(
    "response_cache_expected",
    "turns",
    "Turns for which answers were prepared after the turn before, by whether one was given.",
    ("tenant_id", "agent_id", "result"),
)
CACHE_CHECKS: Final = _counter(
    "response_cache_checks",
    "checks",
    "Answers of the response cache that were to be asked again in the background, by result.",
    ("tenant_id", "agent_id", "result"),
)
CACHE_BYTES: Final = _gauge("cache_bytes", "bytes", "Memory held by a cache.", ("cache",))
RECORDS_PENDING: Final = _gauge("records_pending", "rows", "Rows waiting for the call store.")
RECORDS_DROPPED: Final = _counter("records_dropped", "rows", "Rows the call store never got.")
TRACES_DROPPED: Final = _counter(
    "traces_dropped", "turns", "Turns whose trace was not exported: the queue full or a failure."
)
OBSERVATIONS_REFUSED: Final = _counter(
    "observations_refused",
    "observations",
    "Measurements not taken: not finite, or too many label values.",
)
REPORTS: Final = _counter(
    "metrics_reports", "reports", "Reports of processes to the MetricsActor, by fate.", ("fate",)
)

VIEW_AGE: Final = _gauge(
    "view_age_seconds", "seconds", "Age of this view of the cluster when it was served."
)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
BY_NAME: Final = MappingProxyType({metric.name: metric for metric in METRICS})
