"""An exporter that keeps spans, for tests to look at."""

from __future__ import annotations

from antiphon_server.observe.spans import Span


class KeptSpans:
    """All spans that were emitted, in order."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.closed = 0

    def emit(self, span: Span) -> None:
        """Keeps it."""
        self.spans.append(span)

    async def close(self) -> None:
        """Counts."""
        self.closed += 1

    def named(self, name: str) -> list[Span]:
        """Those of a name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        """The only one of a name."""
        (span,) = self.named(name)
        return span
