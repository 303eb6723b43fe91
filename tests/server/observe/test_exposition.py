"""The metrics in the format that the scraper asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from antiphon_server.observe import metrics
from antiphon_server.observe.exposition import exposition

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
    "*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [
        (PROMETHEUS, True),
        ("application/openmetrics-text", True),
        ("Application/OpenMetrics-Text; Q=0.5, text/plain; q=0.4", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0,*/*", False),
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/openmetrics-text;q=much", False),
        ("application/openmetrics-text;q=nan", False),
        (",;;=,", False),
    ],
)
def test_openmetrics_is_for_those_who_prefer_it(accept: str, is_openmetrics: bool) -> None:
    """As Prometheus asks; a browser, curl and nonsense get the plain text."""
    _, content_type = exposition(accept)
    assert (content_type == OPENMETRICS) == is_openmetrics
    assert is_openmetrics or content_type.startswith("text/plain")


def test_all_metrics_can_be_read_as_openmetrics() -> None:
    """By a strict reader: names, kinds and labels."""
    text = exposition(PROMETHEUS)[0](metrics.REGISTRY).decode()
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    assert "antiphon_response_seconds" in {family.name for family in families}


@given(st.text())
def test_nothing_makes_it_raise(accept: str) -> None:
    """Whatever a client sends; and nothing of it comes back in the answer."""
    assert exposition(accept)[1] in {OPENMETRICS, exposition("")[1]}


def test_examples_are_in_openmetrics_and_not_in_plain_text() -> None:
    """What is rendered is what its content type says, and can be read."""
    registry = CollectorRegistry()
    histogram = Histogram("a_seconds", "Help.", buckets=(1, 2), registry=registry)
    histogram.observe(1.5, {"trace_id": "ab" * 16})
    text = exposition(PROMETHEUS)[0](registry).decode()
    (family,) = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    (example,) = [each.exemplar for each in family.samples if each.exemplar]
    assert example is not None
    assert (example.labels, example.value) == ({"trace_id": "ab" * 16}, 1.5)
    assert "trace_id" not in exposition("")[0](registry).decode()
