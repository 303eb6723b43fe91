"""A collector of traces on this machine: OTLP over HTTP, as the protocol's own messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SECONDS = 30.0
Answer = Literal["takes", "hangs"] | int


class Collector:
    """What it was sent. ``answer``: it takes what comes, never answers, or answers a status."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.news = threading.Condition()
        self.spans: list[Span] = []
        self.about: list[dict[str, Any]] = []
        """Of each batch: the attributes of the resource."""
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.released = threading.Event()
        """Lets go of those that hang."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """The base that settings name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Until ``stop``."""
        self._server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """Nobody is served any more."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """A request; returns the status it is answered with."""
        with self.news:
            self.headers.append(headers)
            self.bodies.append(body)
            self.news.notify_all()
        if self.answer == "hangs":
            self.released.wait()
            return 503
        if isinstance(self.answer, int):
            return self.answer
        if path != "/v1/traces":
            return 404
        request = ExportTraceServiceRequest.FromString(body)
        with self.news:
            for resource in request.resource_spans:
                self.about.append(attributes(resource.resource))
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            self.news.notify_all()
        return 200

    def until(self, name: str, count: int = 1) -> list[Span]:
        """The spans of a name, once there are so many. Raises ``TimeoutError``."""
        self.wait(lambda: len(self.named(name)) >= count)
        return self.named(name)

    def asked(self, count: int = 1) -> None:
        """Returns once it was sent so many requests. Raises ``TimeoutError``."""
        self.wait(lambda: len(self.bodies) >= count)

    def wait(self, until: Callable[[], object]) -> None:
        """Returns once that is so. Raises ``TimeoutError``."""
        with self.news:
            if not self.news.wait_for(until, SECONDS):
                raise TimeoutError([span.name for span in self.spans])

    def named(self, name: str) -> list[Span]:
        """The spans of a name so far."""
        return [span for span in self.spans if span.name == name]


def attributes(of: Any) -> dict[str, Any]:
    """The attributes of a span, an event or a resource."""
    return {
        pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in of.attributes
    }


@contextmanager
def collecting(answer: Answer = "takes") -> Iterator[Collector]:
    """A collector, for the block."""
    collector = Collector(answer)
    thread = threading.Thread(target=collector.serve, name="collector")
    thread.start()
    try:
        yield collector
    finally:
        collector.stop()
        thread.join()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands every POST to the collector."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = collector.take(self.path, headers, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_what: Any) -> None:
            """Says nothing."""

    return Handler
