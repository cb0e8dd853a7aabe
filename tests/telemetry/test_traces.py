from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from telemetry.errors import TracesUnavailable
from telemetry.traces import Span, Trace, TraceQueue, open_traces, span_builder

TRACE = Trace(
    Span("turn caller", 1_000_000, 3_000_000),
    (Span("committed", 1_000_000, 1_500_000), Span("first_token", 1_500_000, 1_200_000)),
    {"call_id": "c1", "turn_id": 4},
)


class FakeExporter(SpanExporter):
    """Keeps spans; answers as told; waits at ``gate`` first."""

    def __init__(self, *answers: SpanExportResult | Exception, open_gate: bool = True) -> None:
        self.spans: list[ReadableSpan] = []
        self.answers = list(answers)
        self.gate = threading.Event()
        self.is_in = threading.Event()
        self.is_shut = False
        if open_gate:
            self.gate.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.is_in.set()
        self.gate.wait()
        answer = self.answers.pop(0) if self.answers else SpanExportResult.SUCCESS
        if isinstance(answer, Exception):
            raise answer
        if answer is SpanExportResult.SUCCESS:
            self.spans += spans
        return answer

    def shutdown(self) -> None:
        self.is_shut = True


def test_a_trace_is_a_root_and_its_children() -> None:
    root, committed, token = span_builder()(TRACE)
    assert root.parent is None
    assert (root.start_time, root.end_time) == (1_000_000_000, 3_000_000_000)
    assert [span.name for span in (committed, token)] == ["committed", "first_token"]
    assert committed.parent == token.parent == root.context
    assert len({span.context.trace_id for span in (root, committed, token)}) == 1
    assert len({span.context.span_id for span in (root, committed, token)}) == 3
    assert token.end_time == token.start_time, "never ends before it begins"
    assert dict(token.attributes or {}) == {"call_id": "c1", "turn_id": 4}
    assert root.resource.attributes["service.name"] == "callcluster"


def test_everything_put_is_exported_by_the_close() -> None:
    exporter = FakeExporter()
    traces = TraceQueue(exporter, gather_s=0.01)
    for _ in range(250):
        traces.put(TRACE)
    traces.close(10)
    assert len(exporter.spans) == 750
    assert (traces.dropped, exporter.is_shut) == (0, True)


def test_a_collector_that_hangs_holds_nobody_up_and_what_is_too_much_is_counted() -> None:
    exporter = FakeExporter(open_gate=False)
    traces = TraceQueue(exporter, max_waiting=3, gather_s=0.001)
    traces.put(TRACE)
    assert exporter.is_in.wait(10)
    for _ in range(5):
        traces.put(TRACE)
    assert traces.dropped == 2
    traces.close(0.01)
    assert traces.dropped == 5, "what still waited is counted"
    traces.put(TRACE)
    assert traces.dropped == 6
    exporter.gate.set()


def test_a_failing_collector_is_said_once_and_its_return_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = (SpanExportResult.FAILURE, RuntimeError("no"), SpanExportResult.FAILURE)
    exporter = FakeExporter(*failures)
    traces = TraceQueue(exporter, gather_s=0.001)
    with caplog.at_level(logging.WARNING):
        for asked in range(4):
            traces.put(TRACE)
            for _ in range(1_000):
                if len(exporter.answers) + asked <= 2 or exporter.spans:
                    break
                threading.Event().wait(0.005)
        traces.close(10)
    assert traces.dropped == 3
    assert len(exporter.spans) == 3
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "traces are not exported",
        "traces are exported again; 3 were dropped",
    ]


def test_without_traces_there_is_no_thread() -> None:
    exporter = FakeExporter()
    traces = TraceQueue(exporter)
    traces.close()
    traces.close()
    assert exporter.is_shut


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_SDK_DISABLED": "TRUE"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_off_unless_an_endpoint_is_set(more: dict[str, str]) -> None:
    assert open_traces(more) is None


@pytest.mark.parametrize(
    "endpoint", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
)
def test_on_with_an_endpoint(endpoint: str) -> None:
    traces = open_traces({endpoint: "http://127.0.0.1:7709"})
    assert traces is not None
    traces.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(TracesUnavailable, match=f"{name} is '{value}'"):
        open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", name: value})


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(TracesUnavailable, match="pip install"):
        open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"})
