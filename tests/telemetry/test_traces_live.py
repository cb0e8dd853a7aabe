"""Traces over OTLP, from the real exporter to a collector on a socket."""

from __future__ import annotations

import socket

import pytest

from telemetry.traces import Span, Trace, TraceQueue, open_traces
from tests.support.otlp_collector import collector

pytestmark = pytest.mark.e2e

TRACE = Trace(
    Span("turn caller", 1_700_000_000_000_000, 1_700_000_003_000_000),
    (Span("committed", 1_700_000_000_000_000, 1_700_000_000_500_000),),
    {"call_id": "c1", "turn_id": 4},
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "10")


def opened(monkeypatch: pytest.MonkeyPatch, url: str) -> TraceQueue:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    traces = open_traces()
    assert traces is not None
    return traces


def test_a_trace_arrives_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "front desk")
    with collector() as there:
        traces = opened(monkeypatch, there.url)
        for _ in range(3):
            traces.put(TRACE)
        traces.close(20)
        assert traces.dropped == 0
        assert len(there.traces()) == 3
        root, (child,) = there.traces()[0]
    assert (root.name, root.start_ns, root.end_ns) == (
        "turn caller",
        1_700_000_000_000_000_000,
        1_700_000_003_000_000_000,
    )
    assert (child.name, child.end_ns) == ("committed", 1_700_000_000_500_000_000)
    assert root.attributes == child.attributes == {"call_id": "c1", "turn_id": 4}
    assert root.service == "front desk"


def test_a_collector_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with collector([503]) as there:
        traces = opened(monkeypatch, there.url)
        traces.put(TRACE)
        traces.close(20)
        assert there.asked == 2
        assert len(there.traces()) == 1
    assert traces.dropped == 0


def test_what_a_collector_does_not_take_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with collector([400]) as there:
        traces = opened(monkeypatch, there.url)
        traces.put(TRACE)
        traces.close(20)
    assert (traces.dropped, there.spans) == (1, [])
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in caplog.text


def test_nobody_there_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    traces = opened(monkeypatch, f"http://127.0.0.1:{port}")
    traces.put(TRACE)
    traces.close(20)
    assert traces.dropped == 1
