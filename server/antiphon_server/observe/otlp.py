"""Spans on their way to a collector: OpenTelemetry's SDK and its OTLP exporter over HTTP.

This is the one module that imports the library. The SDK's batch thread sends; what waits for it
is bounded, and what a slow or dead collector leaves no room for is dropped and counted. Headers,
timeouts, certificates and compression come from the ``OTEL_EXPORTER_OTLP_…`` variables, how often
a batch goes from ``OTEL_BSP_SCHEDULE_DELAY``, and what the server is called from
``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES``, as the library reads them (OpenTelemetry,
"Environment variable specification", looked up 2026-11-22).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from uuid import uuid4

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from antiphon_protocol import __version__
from antiphon_server.observe import metrics
from antiphon_server.observe.spans import Span, Value
from antiphon_server.security.urls import origin

log = structlog.get_logger()

QUEUE_SPANS = 8_192
"""What may wait: a collector may be away for about a minute of a hundred calls."""
BATCH_SPANS = 128
"""In one request: encoding them takes turns with the calls, so it is done in small portions."""
FLUSH_SECONDS = 3.0
"""How long the end of the server waits for a collector."""

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_SCOPE = InstrumentationScope("antiphon", __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_LIBRARY = logging.getLogger("opentelemetry")


def exporter(url: str) -> Otlp:
    """An exporter to the collector at this address."""
    return Otlp(url, OTLPSpanExporter(endpoint=url))


class Otlp:
    """One node's exporter. ``sender`` sends a batch, on the SDK's thread."""

    def __init__(self, url: str, sender: SpanExporter, queue_spans: int = QUEUE_SPANS) -> None:
        self._resource = resource()
        self._room = queue_spans
        self._taken = 0
        self._counted = _Counted(url, sender)
        self._batches = BatchSpanProcessor(
            self._counted,
            max_queue_size=queue_spans,
            max_export_batch_size=min(BATCH_SPANS, queue_spans),
        )
        # One line of ours says what is wrong, once; the library's would come with each batch.
        _LIBRARY.setLevel(logging.CRITICAL)

    def emit(self, span: Span) -> None:
        """Takes a span; drops it where there is no room."""
        if self._taken - self._counted.left >= self._room:
            metrics.SPANS.labels("dropped").inc()
            return
        self._taken += 1
        self._batches.on_end(readable(span, self._resource))

    async def close(self) -> None:
        """Sends what is left, for ``FLUSH_SECONDS`` at most."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._batches.shutdown()  # type: ignore[no-untyped-call]
            try:
                loop.call_soon_threadsafe(done.set)
            except RuntimeError:
                # The loop is closed: nobody waits any more.
                return

        # A thread of its own, which the process does not wait for at its end.
        threading.Thread(target=flush, name="traces-flush", daemon=True).start()
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await done.wait()
        except TimeoutError:
            self._counted.hurry()
        if lost := self._taken - self._counted.left:
            metrics.SPANS.labels("dropped").inc(lost)
            log.warning("spans were not sent before the end", spans=lost)


class _Counted(SpanExporter):
    """The sender, watched: how much it has dealt with, and whether it works."""

    def __init__(self, url: str, sender: SpanExporter) -> None:
        self.left = 0
        """Spans that are sent or lost. Written by the SDK's thread only."""
        self._collector = origin(url)
        self._sender = sender
        self._works = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch; whatever goes wrong costs these spans only."""
        try:
            result = self._sender.export(spans)
        except Exception:  # noqa: BLE001 - a fault of the library's must not end its thread.
            result = SpanExportResult.FAILURE
        sent = result is SpanExportResult.SUCCESS
        metrics.SPANS.labels("sent" if sent else "failed").inc(len(spans))
        self.left += len(spans)
        if sent is not self._works:
            self._works = sent
            say = log.info if sent else log.warning
            state = "takes traces again" if sent else "does not take traces"
            say(f"the collector {state}", collector=self._collector)
        return result

    def hurry(self) -> None:
        """Gives up between two attempts."""
        threading.Thread(target=self._sender.shutdown, daemon=True).start()

    def shutdown(self) -> None:
        """Nothing more is sent."""
        self._sender.shutdown()


def resource() -> Resource:
    """Which server this is; what the operator says of it in ``OTEL_…`` wins."""
    own = Resource(
        {
            "service.name": "antiphon",
            "service.version": __version__,
            "service.instance.id": str(uuid4()),
            "host.name": socket.gethostname(),
        }
    )
    return Resource.create().merge(own).merge(OTELResourceDetector().detect())


def readable(span: Span, about: Resource) -> ReadableSpan:
    """A span as the library has it."""
    parent = None
    if span.parent_id is not None:
        parent = SpanContext(span.trace_id, span.parent_id, span.is_remote, _SAMPLED)
    return ReadableSpan(
        span.name.encode("utf-8", "replace").decode(),
        context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED),
        parent=parent,
        resource=about,
        attributes=_encodable(span.attributes),
        events=[SdkEvent(e.name, _encodable(e.attributes), e.at_ns) for e in span.events],
        kind=_KINDS[span.kind],
        status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR),
        start_time=span.start_ns,
        end_time=max(span.start_ns, span.end_ns),
        instrumentation_scope=_SCOPE,
    )


def _encodable(attributes: dict[str, Value]) -> dict[str, Value]:
    """Without halves of characters, one of which would cost its whole batch."""
    return {
        name: value.encode("utf-8", "replace").decode()
        if isinstance(value, str) and not value.isascii()
        else value
        for name, value in attributes.items()
    }
