"""Traces to an OpenTelemetry collector, made after the fact and sent by a thread of their own.

Whoever has something to tell puts a whole ``Trace`` (plain data with start and end of every span)
into a bounded queue and goes on: a microsecond, no lock that is held for long, no I/O. The thread
makes spans of it and exports them in batches. When the collector is slow or away, the queue fills
and further traces are dropped and counted; nobody waits.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry.errors import TracesUnavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

_log = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
SERVICE_NAME = "callcluster"
MAX_WAITING = 1_000
MAX_BATCH = 100
GATHER_S = 1.0
CLOSE_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time; UTC microseconds."""

    name: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Trace:
    """A span and its children.

    Attributes:
        attributes: Of the root span and of every child: identifiers only, no text, no numbers.
    """

    root: Span
    children: tuple[Span, ...]
    attributes: Mapping[str, str | int]


class TraceQueue:
    """Takes traces from the event loop and exports them from a thread.

    Args:
        exporter: Sends spans; called from the thread only. May block.
        max_waiting: Traces that wait at most.
        gather_s: How long the thread waits for company before it sends.
    """

    def __init__(
        self, exporter: SpanExporter, *, max_waiting: int = MAX_WAITING, gather_s: float = GATHER_S
    ) -> None:
        self._refused = 0  # counted by the loop
        self._lost = 0  # counted by the thread
        self._exporter = exporter
        self._gather_s = gather_s
        self._waiting: queue.Queue[Trace] = queue.Queue(max_waiting)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._build: Callable[[Trace], list[ReadableSpan]] | None = None
        self._is_broken = False

    @property
    def dropped(self) -> int:
        """Traces that were not exported: the queue was full, or the exporter failed."""
        return self._refused + self._lost

    def put(self, trace: Trace) -> None:
        """Take a trace; never blocks, never raises."""
        if self._closing.is_set():
            self._refused += 1
            return
        try:
            self._waiting.put_nowait(trace)
        except queue.Full:
            self._refused += 1
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Send what waits, for at most ``within_s``; blocks for so long. Idempotent."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(within_s)
            if self._thread.is_alive():
                self._refused += self._waiting.qsize()
                return  # a daemon thread: it ends with the process
        self._exporter.shutdown()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._export(batch)
            except Exception as error:  # noqa: BLE001 - a library's trouble ends no thread of ours
                self._failed(len(batch), type(error).__name__)

    def _next_batch(self) -> list[Trace]:
        """Some traces, as soon as there are any; empty once the queue is closed and empty."""
        batch: list[Trace] = []
        while not batch:
            try:
                batch.append(self._waiting.get(timeout=self._gather_s))
            except queue.Empty:
                if self._closing.is_set():
                    return batch
        self._closing.wait(self._gather_s)
        while len(batch) < MAX_BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return batch

    def _export(self, batch: Sequence[Trace]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        if self._build is None:
            self._build = span_builder()
        spans = [span for trace in batch for span in self._build(trace)]
        if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
            self._failed(len(batch), "not taken")
        elif self._is_broken:
            self._is_broken = False
            _log.warning("traces are exported again; %d were dropped", self.dropped)

    def _failed(self, traces: int, why: str) -> None:
        self._lost += traces
        if not self._is_broken:
            self._is_broken = True
            _log.warning("traces are not exported (%s): look at %s", why, ENDPOINT)


def span_builder() -> Callable[[Trace], list[ReadableSpan]]:
    """A function that makes OpenTelemetry's spans of a trace, the root first.

    Resource attributes come from ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES``.
    """
    from opentelemetry.sdk.resources import SERVICE_NAME as NAME_ATTRIBUTE
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, TraceFlags

    named = os.environ.get("OTEL_SERVICE_NAME", "") or SERVICE_NAME
    resource = Resource.create({NAME_ATTRIBUTE: named})
    scope = InstrumentationScope(SERVICE_NAME)
    ids = RandomIdGenerator()
    sampled = TraceFlags(TraceFlags.SAMPLED)

    def build(trace: Trace) -> list[ReadableSpan]:
        trace_id = ids.generate_trace_id()

        def span(part: Span, parent: SpanContext | None) -> ReadableSpan:
            return ReadableSpan(
                part.name,
                context=SpanContext(trace_id, ids.generate_span_id(), False, sampled),
                parent=parent,
                resource=resource,
                attributes=trace.attributes,
                start_time=part.start_us * 1_000,
                end_time=max(part.end_us, part.start_us) * 1_000,
                instrumentation_scope=scope,
            )

        root = span(trace.root, None)
        return [root, *(span(child, root.context) for child in trace.children)]

    return build


def open_traces(environment: Mapping[str, str] = os.environ) -> TraceQueue | None:
    """The queue that the standard variables of OpenTelemetry ask for; None without an endpoint.

    Read are ``OTEL_EXPORTER_OTLP_ENDPOINT``, its ``_TRACES_`` form, ``OTEL_SDK_DISABLED``,
    ``OTEL_TRACES_EXPORTER`` and ``OTEL_EXPORTER_OTLP_PROTOCOL``; headers, certificates, compression
    and time limits are read by the exporter itself.

    Raises:
        TracesUnavailable: An endpoint is set, but traces cannot be sent as the environment says.
    """
    if not (environment.get(TRACES_ENDPOINT) or environment.get(ENDPOINT)):
        return None
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    wanted = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if wanted == "none":
        return None
    if wanted != "otlp":
        raise TracesUnavailable(f"OTEL_TRACES_EXPORTER is {wanted!r}: only otlp and none are known")
    name = TRACES_PROTOCOL if environment.get(TRACES_PROTOCOL) else PROTOCOL
    protocol = environment.get(name, "").strip() or "http/protobuf"
    if protocol != "http/protobuf":
        raise TracesUnavailable(
            f"{name} is {protocol!r}: traces are sent as http/protobuf (port 4318 of a collector)"
        )
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise TracesUnavailable(
            f"{ENDPOINT} is set, but a package is missing ({error.name}): pip install "
            "opentelemetry-exporter-otlp-proto-http"
        ) from None
    try:
        return TraceQueue(OTLPSpanExporter())
    except (ValueError, OSError) as error:
        raise TracesUnavailable(f"{ENDPOINT}: {error}") from None
