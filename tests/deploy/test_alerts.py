"""Alerts fire when they should, and only then."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.expressions import mistakes
from promtool import promtool

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"
ALERTS = FOLDER / "alerts.yml"
AT = 'job="antiphon",instance="a:8400"'
MINUTES = 40


class Case(NamedTuple):
    """Series, by name and labels, in promtool's notation a minute: those that make an alert fire,
    and those that do not.
    """

    fires: dict[str, str]
    quiet: dict[str, str]


def buckets(name: str, bounds: dict[str, int], labels: str = "") -> dict[str, str]:
    """A histogram of which so many observations a minute are at most as large as each bound."""
    series = {f'{name}_bucket{{{labels}le="{bound}",{AT}}}': n for bound, n in bounds.items()}
    return {name: f"0+{n}x{MINUTES}" for name, n in series.items()}


def counter(name: str, each_minute: int, labels: str = "") -> dict[str, str]:
    """One that grows so much a minute."""
    return {f"{name}{{{labels}{AT}}}": f"0+{each_minute}x{MINUTES}"}


def gauge(name: str, values: str, labels: str = "") -> dict[str, str]:
    """One with these values."""
    return {f"{name}{{{labels}{AT}}}": values}


SPEECH = 'trigger="user_speech",'
OF = 'stage="language_model",provider="openai",'
CASES = {
    "AntiphonSlowResponses": Case(
        buckets("antiphon_response_seconds", {"1.5": 90, "2.0": 100, "+Inf": 100}, SPEECH),
        buckets("antiphon_response_seconds", {"1.5": 99, "2.0": 100, "+Inf": 100}, SPEECH),
    ),
    "AntiphonSessionsFail": Case(
        counter("antiphon_sessions_ended_total", 6, 'ending="failed",')
        | counter("antiphon_sessions_ended_total", 60, 'ending="client_ended",'),
        counter("antiphon_sessions_ended_total", 1, 'ending="failed",')
        | counter("antiphon_sessions_ended_total", 60, 'ending="client_ended",'),
    ),
    "AntiphonSessionsRefused": Case(
        counter("antiphon_sessions_refused_total", 1, 'code="at_capacity",'),
        counter("antiphon_sessions_refused_total", 9, 'code="unauthorized",'),
    ),
    "AntiphonLateAudio": Case(
        counter("antiphon_audio_late_total", 3)
        | counter("antiphon_replies_total", 60, 'trigger="user_speech",status="completed",'),
        counter("antiphon_audio_late_total", 1)
        | counter("antiphon_replies_total", 60, 'trigger="user_speech",status="completed",'),
    ),
    "AntiphonProviderFails": Case(
        counter("antiphon_provider_errors_total", 12, f'{OF}code="provider_timeout",'),
        counter("antiphon_provider_errors_total", 2, f'{OF}code="provider_timeout",'),
    ),
    "AntiphonBreakerOpen": Case(
        gauge("antiphon_provider_breaker", f"2x{MINUTES}", OF),
        gauge("antiphon_provider_breaker", f"1x{MINUTES}", OF),
    ),
    "AntiphonServerSlow": Case(
        buckets("antiphon_server_overhead_seconds", {"0.025": 90, "0.03": 100, "+Inf": 100}),
        buckets("antiphon_server_overhead_seconds", {"0.025": 99, "0.03": 100, "+Inf": 100}),
    ),
    "AntiphonNotReady": Case(
        gauge("antiphon_not_ready", f"1x{MINUTES}", 'reason="records",'),
        gauge("antiphon_not_ready", f"0x{MINUTES}", 'reason="records",'),
    ),
    "AntiphonRecordsLost": Case(
        counter("antiphon_records_lost_total", 1) | counter("antiphon_records_rejected_total", 0),
        counter("antiphon_records_lost_total", 0) | counter("antiphon_records_rejected_total", 0),
    ),
    "AntiphonSpoolGrows": Case(
        gauge("antiphon_spool_bytes", f"2000000+1000x{MINUTES}"),
        gauge("antiphon_spool_bytes", f"90000000-1000x{MINUTES}"),
    ),
    "AntiphonDatabaseAway": Case(
        gauge("antiphon_database_outages_total", "0x25 1x15"),
        gauge("antiphon_database_outages_total", f"7x{MINUTES}"),
    ),
    "AntiphonWebhooksWait": Case(
        gauge("antiphon_webhooks_pending", f"1001x{MINUTES}"),
        gauge("antiphon_webhooks_pending", f"900x{MINUTES}"),
    ),
    "AntiphonTelemetryDropped": Case(
        counter("antiphon_spans_total", 1, 'outcome="failed",'),
        counter("antiphon_spans_total", 9, 'outcome="sent",')
        | counter("antiphon_log_lines_dropped_total", 0),
    ),
    "AntiphonNoMetrics": Case({}, gauge("antiphon_sessions", f"0x{MINUTES}")),
}


def firing(series: dict[str, str], alert: str, count: int, folder: Path) -> tuple[int, str]:
    """What promtool says of an alert that fires so often after half an hour of these series."""
    expected = [{"labels": "{}", "value": count}] if count else []
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": each, "values": v} for each, v in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": "30m",
                        "exp_samples": expected,
                    }
                ],
            }
        ],
    }
    file = folder / "case.yml"
    # Whatever is JSON is YAML.
    file.write_text(json.dumps(test))
    return promtool("test", "rules", file)


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_when_it_should(alert: str, tmp_path: Path) -> None:
    """And not a little below that."""
    fires, quiet = CASES[alert]
    for series, count in ((fires, 1), (quiet, 0)):
        status, told = firing(series, alert, count, tmp_path)
        assert status == 0, told


def test_every_alert_has_a_case() -> None:
    """None is only believed in."""
    assert re.findall(r"- alert: (\w+)", ALERTS.read_text("utf-8")) == list(CASES)


def test_alerts_ask_for_metrics_that_there_are() -> None:
    """Names and labels, of each expression."""
    exprs = re.findall(r"expr: \|\n +(.+)\n", ALERTS.read_text("utf-8"))
    assert len(exprs) == len(CASES)
    assert {expr: list(mistakes(expr)) for expr in exprs} == {expr: [] for expr in exprs}


def test_prometheus_takes_the_rules_and_its_configuration() -> None:
    """As it would at its start."""
    for what, file in (("rules", ALERTS), ("config", FOLDER / "prometheus.yml")):
        status, told = promtool("check", what, file)
        assert (status, "SUCCESS" in told) == (0, True), told


def test_every_alert_is_in_the_guide() -> None:
    """It says what to do."""
    guide = (FOLDER.parents[1] / "docs/how-to/read-the-metrics.md").read_text("utf-8")
    assert [alert for alert in CASES if f"`{alert}`" not in guide] == []
