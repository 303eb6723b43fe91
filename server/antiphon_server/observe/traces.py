"""Traces of calls, for whoever collects them: on by a setting, and otherwise not there at all.

Which calls are traced is decided when a socket opens: as the caller's ``traceparent`` says, or
else by chance (``otlp_sample_ratio``). The exporter, and with it the library, is only loaded once
traces are on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import structlog
from msgspec import Struct

from antiphon_server.observe.spans import Span, Trace, new_span_id, new_trace_id
from antiphon_server.observe.traceparent import parse
from antiphon_server.settings import Settings

log = structlog.get_logger()

EXPORTER = "antiphon_server.observe.otlp"
SETTING = "ANTIPHON_OTLP_ENDPOINT"
BASE, EXACT = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
"""What others call it: a base, to which the path is added, and the very address."""
PATH = "/v1/traces"
MISSING = "traces need the extra `otel`: pip install 'antiphon[otel]'"

_HALF = (1 << 64) - 1


class BadEndpoint(Exception):
    """Traces cannot be sent as the settings say; the message says why and what to do."""


class Exporter(Protocol):
    """Where spans go."""

    def emit(self, span: Span) -> None:
        """Takes a span. It does not block and does not raise: what is too much is dropped."""
        ...

    async def close(self) -> None:
        """Sends what is left, for a moment at most."""
        ...


class Sampling(Struct, frozen=True):
    """Which calls are traced, and what is told of them."""

    ratio: float = 1.0
    """Of those whose caller does not say."""
    accepts_parent: bool = True
    """Whether the caller may say."""
    tells_content: bool = False
    spreads: bool = False


class Traces:
    """Those of one node."""

    def __init__(self, exporter: Exporter, sampling: Sampling) -> None:
        self._exporter = exporter
        self._sampling = sampling
        self._bound = round(sampling.ratio * (1 << 64))

    def begin(self, traceparent: str | None) -> Trace:
        """The trace of a session whose caller sent this header."""
        sampling = self._sampling
        parent = parse(traceparent) if sampling.accepts_parent else None
        trace_id = new_trace_id() if parent is None else parent.trace_id
        # Everybody who samples by this rule samples the same traces (OpenTelemetry's
        # TraceIdRatioBased, as its SDKs have it).
        by_chance = (trace_id & _HALF) < self._bound
        return Trace(
            trace_id,
            new_span_id(),
            None if parent is None else parent.span_id,
            by_chance if parent is None else parent.sampled,
            self._exporter.emit,
            sampling.tells_content,
            sampling.spreads,
        )

    async def close(self) -> None:
        """Sends what is left, for a moment at most."""
        await self._exporter.close()


def endpoint(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Where traces go; None: nowhere. Raises ``BadEndpoint``.

    ``OTEL_…`` are the names that OpenTelemetry gives these settings everywhere; ours wins.
    """
    if settings.otlp_endpoint:
        return _checked(SETTING, _with_path(settings.otlp_endpoint))
    if _says(environment, "OTEL_SDK_DISABLED", "true"):
        return None
    if _says(environment, "OTEL_TRACES_EXPORTER", "none"):
        return None
    if exact := environment.get(EXACT, "").strip():
        return _checked(EXACT, exact)
    base = environment.get(BASE, "").strip()
    return _checked(BASE, base.rstrip("/") + PATH) if base else None


def traces_of(settings: Settings, environment: Mapping[str, str]) -> Traces | None:
    """The traces that settings ask for; None where they ask for none.

    Raises ``BadEndpoint``. Where only an ``OTEL_…`` variable asks for them, which may be meant
    for others, a missing library is no more than a warning.
    """
    url = endpoint(settings, environment)
    if url is None:
        return None
    try:
        make: Callable[[str], Exporter] = importlib.import_module(EXPORTER).exporter
    except ImportError as missing:
        if settings.otlp_endpoint:
            raise BadEndpoint(f"{SETTING} is set, and {MISSING}") from missing
        log.warning("traces are off", reason=MISSING)
        return None
    sampling = Sampling(
        settings.otlp_sample_ratio,
        settings.otlp_accept_parent,
        settings.otlp_content,
        settings.otlp_propagate,
    )
    return Traces(make(url), sampling)


def _says(environment: Mapping[str, str], name: str, what: str) -> bool:
    return environment.get(name, "").strip().lower() == what


def _with_path(base: str) -> str:
    """A base, as ``http://collector:4318``, or the whole address."""
    trimmed = base.rstrip("/")
    return trimmed if trimmed.endswith(PATH) else trimmed + PATH


def _checked(name: str, url: str) -> str:
    """The address. Raises ``BadEndpoint``, which repeats nothing that may be a secret."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not url.isprintable() or " " in url:
        raise BadEndpoint(
            f"{name} cannot be used: write where a collector takes OTLP over HTTP, such as "
            "http://localhost:4318"
        )
    return url
