"""Spans on their way to a collector, which may be slow, dead or in a bad mood."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from antiphon_server.observe import otlp
from antiphon_server.observe.otlp import FLUSH_SECONDS, Otlp, exporter, resource
from antiphon_server.observe.spans import Event, Span, Value
from otlp_collector import attributes, collecting
from server.call.scripted_call import sample

NOW = 1_700_000_000_123_456_789
SPAN = Span(
    name="turn",
    trace_id=(5 << 64) + 7,
    span_id=3,
    parent_id=2,
    start_ns=NOW,
    end_ns=NOW + 1_000,
    kind="client",
    attributes={"text": "words", "number": 7, "share": 0.5, "is": True},
    events=(Event("interrupted", NOW + 10, {"by": "the user"}),),
    error="provider_timeout",
)


def counted(outcome: str) -> float:
    """How many spans ended so."""
    return sample("antiphon_spans_total", outcome=outcome)


class Sender(SpanExporter):
    """Sends when it is let, as often as it may; keeps what it was given."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked = threading.Event()
        self.given: list[ReadableSpan] = []
        self.breaks = False
        self.shut = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Waits until it is let."""
        self.asked.set()
        self.let.wait()
        if self.breaks:
            raise ZeroDivisionError
        self.given += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Is noticed."""
        self.shut.set()


async def test_a_span_arrives_as_it_is() -> None:
    """Names, ids, times to the nanosecond, attributes, events, and what went wrong."""
    before = counted("sent")
    with collecting() as collector:
        sends = exporter(f"{collector.url}/v1/traces")
        sends.emit(SPAN)
        await sends.close()
        (span,) = collector.until("turn")
    assert int.from_bytes(span.trace_id) == SPAN.trace_id
    assert int.from_bytes(span.span_id) == 3
    assert int.from_bytes(span.parent_span_id) == 2
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (NOW, NOW + 1_000)
    assert span.kind == SentSpan.SPAN_KIND_CLIENT
    assert attributes(span) == SPAN.attributes
    assert (span.events[0].name, span.events[0].time_unix_nano) == ("interrupted", NOW + 10)
    assert attributes(span.events[0]) == {"by": "the user"}
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert counted("sent") == before + 1


async def test_headers_are_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every exporter: a collector may want a key."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
    with collecting() as collector:
        sends = exporter(f"{collector.url}/v1/traces")
        sends.emit(SPAN)
        await sends.close()
    assert collector.headers[0]["x-key"] == "secret"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"


def test_a_span_that_ends_before_it_began_took_no_time() -> None:
    """Collectors refuse others."""
    backwards = Span(name="x", trace_id=1, span_id=1, parent_id=None, start_ns=10, end_ns=5)
    read = otlp.readable(backwards, resource())
    assert (read.start_time, read.end_time) == (10, 10)
    assert read.parent is None


async def test_half_a_character_does_not_cost_the_batch() -> None:
    """A model may write one, and UTF-8 cannot carry it."""
    odd: dict[str, Value] = {"text": "a\ud800b", "more": "Zürich"}
    half = replace(SPAN, name="execute_tool \udc00", attributes=odd, events=(Event("e", 1, odd),))
    with collecting() as collector:
        sends = exporter(f"{collector.url}/v1/traces")
        sends.emit(half)
        sends.emit(SPAN)
        await sends.close()
        collector.until("turn")
    (span,) = collector.named("execute_tool ?")
    assert attributes(span) == {"text": "a?b", "more": "Zürich"}


async def test_what_there_is_no_room_for_is_dropped_and_counted() -> None:
    """While the collector hangs: nobody waits, and what is kept is bounded."""
    sender, before = Sender(), counted("dropped")
    sends = Otlp("http://c", sender, queue_spans=4)
    for _ in range(20):
        sends.emit(SPAN)
    assert counted("dropped") - before == 16
    sender.let.set()
    await sends.close()
    assert len(sender.given) == 4
    assert counted("dropped") - before == 16


async def test_the_end_waits_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that hangs does not keep the server; what it did not get is counted."""
    monkeypatch.setattr(otlp, "FLUSH_SECONDS", 0.2)
    sender, before = Sender(), counted("dropped")
    sends = Otlp("http://c", sender)
    sends.emit(SPAN)
    began = time.monotonic()
    await sends.close()
    assert time.monotonic() - began < FLUSH_SECONDS
    assert counted("dropped") == before + 1
    assert await asyncio.to_thread(sender.shut.wait, 10)
    sender.let.set()


def test_a_library_that_breaks_costs_its_spans_only() -> None:
    """The next batch goes; that it fails, and that it works again, is told once each."""
    sender, before = Sender(), (counted("failed"), counted("sent"))
    sender.let.set()
    watched = otlp._Counted("http://user:secret@c:4318/v1/traces", sender)
    spans = [otlp.readable(SPAN, resource())]
    with capture_logs() as lines:
        for breaks in (True, True, False, False):
            sender.breaks = breaks
            watched.export(spans)
    assert watched.left == 4
    assert (counted("failed"), counted("sent")) == (before[0] + 2, before[1] + 2)
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert {line["collector"] for line in lines} == {"http://c:4318"}


def test_the_server_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operator says of it wins."""
    assert resource().attributes["service.name"] == "antiphon"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "birds")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=7,team=x%20y")
    about = resource().attributes
    assert (about["service.name"], about["service.version"], about["team"]) == ("birds", "7", "x y")
    assert about["telemetry.sdk.name"] == "opentelemetry"
