"""Metrics: each says what it is, in the server and in the reference."""

import re
from pathlib import Path

from prometheus_client import generate_latest

from antiphon_server.call.timeline import STAGES
from antiphon_server.observe import metrics

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference/metrics.md"


def test_every_metric_has_a_help_text_and_a_name_of_ours() -> None:
    """A sentence; the name begins with ``antiphon_`` and carries its unit."""
    families = list(metrics.REGISTRY.collect())
    assert len(families) > 10
    for family in families:
        assert re.fullmatch(r"antiphon_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_every_metric_is_in_the_reference() -> None:
    """With its type and its help, under the name that a query uses."""
    page = REFERENCE.read_text("utf-8")
    for family in metrics.REGISTRY.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"| `{name}` | {family.type} |" in page
        assert family.documentation in page


def test_every_stage_is_in_the_reference() -> None:
    """With what it measures."""
    page = REFERENCE.read_text("utf-8")
    for stage, meaning in STAGES.items():
        assert f"`{stage}`" in page
        assert meaning in page


def test_the_text_format_is_complete() -> None:
    """HELP and TYPE of each metric come out of /metrics."""
    text = generate_latest(metrics.REGISTRY).decode()
    for family in metrics.REGISTRY.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"# HELP {name} " in text
        assert f"# TYPE {name} {family.type}" in text


def test_children_are_looked_up_once() -> None:
    """The same object each time, by its labels."""
    one = metrics.stage("speech_to_text", "test")
    assert metrics.stage("speech_to_text", "test") is one
    assert metrics.stage("speech_to_text", "other") is not one
    assert metrics.response("greeting") is metrics.response("greeting")


def test_buckets_rise() -> None:
    """And the goal of the server's own share, 25 ms, is an edge."""
    for buckets in (metrics.VOICE_BUCKETS, metrics.OVERHEAD_BUCKETS):
        assert list(buckets) == sorted(set(buckets))
    assert 0.025 in metrics.OVERHEAD_BUCKETS
