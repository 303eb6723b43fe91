"""The metrics in the format that the scraper asks for.

OpenMetrics has room for examples (a trace that fell into a bucket), the plain text has not.
Source: Prometheus documentation, "Content negotiation" and OpenMetrics 1.0 (looked up
2026-11-22); RFC 9110, section 12.5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

Render = Callable[[CollectorRegistry], bytes]

_OPENMETRICS = "application/openmetrics-text"
_PLAIN = {"text/plain", "text/*", "*/*"}


def exposition(accept: str) -> tuple[Render, str]:
    """What renders the metrics for a request with this ``Accept``, and the content type of that.

    Plain text for everybody who does not prefer OpenMetrics.
    """
    wanted = {media: quality for media, quality in _ranges(accept) if quality > 0}
    plain = max((wanted.get(media, 0.0) for media in _PLAIN), default=0.0)
    if wanted.get(_OPENMETRICS, -1.0) >= plain:
        return openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest, CONTENT_TYPE_LATEST


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Media types with how much they are wanted, the best of each last."""
    found = []
    for entry in accept.split(","):
        media, *parameters = (part.strip().lower() for part in entry.split(";"))
        found.append((media, _quality(parameters)))
    return iter(sorted(found, key=lambda pair: pair[1]))


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
