"""The page of metrics."""

from __future__ import annotations

from antiphon_server.call.timeline import STAGES
from antiphon_server.observe.metrics import OVERHEAD, REGISTRY, RESPONSE, SESSIONS_STARTED
from generators.metrics_page import PATH, buckets, known, labels, name, outputs

PAGE = outputs()[PATH]


def test_every_registered_metric_has_a_row() -> None:
    """The registry is what is scraped."""
    scraped = {family.name for family in REGISTRY.collect()}
    listed = {name(metric).removesuffix("_total") for metric in known()}
    assert listed == scraped
    for metric in known():
        assert PAGE.count(f"| `{name(metric)}` | ") >= 1


def test_a_row_has_type_labels_and_meaning() -> None:
    """As declared."""
    (row,) = (line for line in PAGE.splitlines() if "antiphon_response_seconds` | hist" in line)
    assert "| histogram | `trigger` |" in row
    assert labels(RESPONSE) == ("trigger",)


def test_a_counter_has_the_name_it_is_scraped_by() -> None:
    """The library adds the ending."""
    assert name(SESSIONS_STARTED) == "antiphon_sessions_started_total"


def test_every_stage_is_explained() -> None:
    """The label alone says little."""
    for stage, meaning in STAGES.items():
        assert f"| `{stage}` | {meaning} |" in PAGE


def test_buckets_are_listed_for_histograms_only() -> None:
    """Without the unbounded last one."""
    assert buckets(SESSIONS_STARTED) == ""
    assert buckets(OVERHEAD).startswith("0.001, ")
    assert "inf" not in buckets(OVERHEAD)
