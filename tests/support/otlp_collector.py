"""A small OpenTelemetry collector: takes OTLP over HTTP, as real ones do, and shows what came."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PATH = "/v1/traces"
GIVES_UP_AFTER_S = 40.0  # so that a test that waits for itself ends


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it was on the wire; times in nanoseconds since 1970."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    service: str


@dataclass
class Collector:
    """What came, and how it is answered.

    Attributes:
        url: Of the collector; ``PATH`` comes after it.
        spans: What it has taken.
        asked: Requests that have arrived; ``answered`` of them went out again.
        gate: Cleared while no request is answered.
        statuses: Answers to the next requests; 200 once there are no more.
    """

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    asked: int = 0
    answered: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    statuses: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def traces(self) -> list[tuple[ReceivedSpan, list[ReceivedSpan]]]:
        """Each root with its children, in the order of their beginnings."""
        by_trace: defaultdict[bytes, list[ReceivedSpan]] = defaultdict(list)
        for span in self.spans:
            by_trace[span.trace_id].append(span)
        found = []
        for spans in by_trace.values():
            (root,) = [span for span in spans if not span.parent_id]
            children = [span for span in spans if span.parent_id]
            assert {span.parent_id for span in children} <= {root.span_id}
            found.append((root, children))
        return sorted(found, key=lambda trace: trace[0].start_ns)

    def take(self, body: bytes) -> int:
        """The status that answers this request."""
        with self.lock:
            self.asked += 1
            status = self.statuses.pop(0) if self.statuses else 200
        if not self.gate.wait(GIVES_UP_AFTER_S):
            self.gate.set()
        with self.lock:
            self.answered += 1
            if status == 200:
                self.spans += _read(body)
        return status


@contextmanager
def collector(statuses: Sequence[int] = (), *, is_open: bool = True) -> Iterator[Collector]:
    """A collector on a port of its own.

    Args:
        statuses: How the first requests are answered.
        is_open: Whether it answers at all, before its gate is opened.
    """
    state = Collector(statuses=list(statuses))
    if is_open:
        state.gate.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            is_ours = self.path == PATH
            is_ours = is_ours and self.headers["Content-Type"] == "application/x-protobuf"
            status = state.take(body) if is_ours else 404
            answer = ExportTraceServiceResponse().SerializeToString()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                return  # who asked has gone

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, name="collector")
    thread.start()
    try:
        yield state
    finally:
        state.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _read(body: bytes) -> Iterator[ReceivedSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        named = {item.key: item.value.string_value for item in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    {
                        item.key: getattr(item.value, str(item.value.WhichOneof("value")))
                        for item in span.attributes
                    },
                    named.get("service.name", ""),
                )
