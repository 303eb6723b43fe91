"""The Grafana dashboard: rows of panels, from the table below.

Source of the format: Grafana documentation, "Dashboard JSON model" (looked up 2026-11-22);
version 41 of it is that of Grafana 12, which newer ones read too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

PATH = "deploy/grafana/antiphon.json"
SCHEMA_VERSION = 41
COLUMNS = 24
"""Of Grafana's grid."""
ROW_HEIGHT, STAT_HEIGHT, PANEL_HEIGHT = 1, 4, 8
RATE = "$__rate_interval"
HERE = 'job=~"$job",instance=~"$instance"'
"""The servers that are looked at."""

Shape = Literal["timeseries", "stat", "heatmap", "state-timeline"]


class Query(NamedTuple):
    """An expression of PromQL; ``{…}`` after a metric is completed with ``HERE``."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """A panel; ``width`` in columns of the grid."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    shape: Shape = "timeseries"
    note: str = ""
    stacked: bool = False
    limits: tuple[float, ...] = ()
    """Where the colour turns to yellow and to red."""
    examples: bool = False
    """Whether traces are shown where they fell."""


def at(share: float, histogram: str, by: str = "", where: str = "") -> str:
    """A percentile of a histogram."""
    labels = f"le, {by}" if by else "le"
    rates = f"rate({histogram}_bucket{{{where}}}[{RATE}])"
    return f"histogram_quantile({share}, sum by ({labels}) ({rates}))"


def rate(counter: str, by: str = "", where: str = "") -> str:
    """A counter's growth a second."""
    group = f" by ({by})" if by else ""
    return f"sum{group} (rate({counter}{{{where}}}[{RATE}]))"


def mean(histogram: str, by: str = "", where: str = "") -> str:
    """The mean of a histogram."""
    total, count = (rate(f"{histogram}_{part}", by, where) for part in ("sum", "count"))
    return f"{total} / {count}"


RESPONSE, STAGE = "antiphon_response_seconds", "antiphon_stage_seconds"
OVERHEAD = "antiphon_server_overhead_seconds"
PROVIDER = "antiphon_provider_seconds"
SPEECH = 'trigger="user_speech"'
OURS = 'stage=~"$stage",provider=~"$provider"'
FIRST = f'{OURS},phase="first"'
CRITICAL = 'stage=~"endpointing|.*_first_.*"'
"""The stages that follow one another; the others run beside ``endpointing``."""
_SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


def shares(histogram: str, where: str = "") -> tuple[Query, ...]:
    """The usual percentiles."""
    return tuple(Query(at(share, histogram, where=where), name) for name, share in _SHARES)


_FAILED = rate("antiphon_sessions_ended_total", where='ending="failed"')
_ENDED = rate("antiphon_sessions_ended_total")
_REPLIES = rate("antiphon_replies_total")

ROWS: dict[str, tuple[Panel, ...]] = {
    "Now": (
        Panel("Live sessions", (Query("sum(antiphon_sessions{})"),), width=6, shape="stat"),
        Panel("Response p95", (Query(at(0.95, RESPONSE, where=SPEECH)),), "s", 6, "stat",
              limits=(1.0, 1.5)),
        Panel("Server's own share p95", (Query(at(0.95, OVERHEAD)),), "s", 6, "stat",
              limits=(0.015, 0.025)),
        Panel("Sessions that failed", (Query(f"{_FAILED} / {_ENDED}"),), "percentunit", 6, "stat",
              limits=(0.01, 0.05)),
    ),
    "Traffic": (
        Panel("Sessions", (
            Query("sum(antiphon_sessions{})", "live"),
            Query("sum(antiphon_sessions_detached{})", "without a socket"),
        )),
        Panel("Sessions started and ended", (
            Query(rate("antiphon_sessions_started_total"), "started"),
            Query(rate("antiphon_sessions_ended_total", "ending"), "{{ending}}"),
        ), "ops"),
        Panel("Refused", (
            Query(rate("antiphon_sessions_refused_total", "code"), "{{code}}"),
            Query(rate("antiphon_session_resumes_total", "outcome"), "resume: {{outcome}}"),
        ), "ops"),
        Panel("Turns and replies", (
            Query(rate("antiphon_turns_total"), "turns"),
            Query(rate("antiphon_replies_total", "trigger"), "{{trigger}}"),
        ), "ops"),
        Panel("Audio", (
            Query(rate("antiphon_audio_received_seconds_total"), "heard"),
            Query(rate("antiphon_audio_sent_seconds_total"), "spoken"),
        ), note="Seconds of audio a second: how many speak at once."),
        Panel("Errors told to clients", (
            Query(rate("antiphon_client_errors_total", "code"), "{{code}}"),
        ), "ops"),
    ),
    "Response time": (
        Panel("Response to speech", shares(RESPONSE, SPEECH), "s", 12, limits=(1.0, 1.5),
              note="From the end of the user's words to the first audio sent.", examples=True),
        Panel("Where it goes, on average", (
            Query(mean(STAGE, "stage", CRITICAL), "{{stage}}"),
            Query(mean(OVERHEAD), "server_overhead"),
        ), "s", 12, stacked=True,
            note="Stages that follow one another; a model that speaks by itself has one."),
        Panel("Spread of responses", (
            Query(f"sum by (le) (increase({RESPONSE}_bucket{{{SPEECH}}}[{RATE}]))", "{{le}}"),
        ), "s", 12, "heatmap"),
        Panel("Stages p95", (
            Query(at(0.95, STAGE, "stage, provider", OURS), "{{stage}} {{provider}}"),
        ), "s", 12, examples=True),
    ),
    "Providers": (
        Panel("First useful byte p50", (
            Query(at(0.5, PROVIDER, "stage, provider", FIRST), "{{stage}} {{provider}}"),
        ), "s"),
        Panel("First useful byte p95", (
            Query(at(0.95, PROVIDER, "stage, provider", FIRST), "{{stage}} {{provider}}"),
        ), "s"),
        Panel("Failures", (
            Query(rate("antiphon_provider_errors_total", "stage, provider, code", OURS),
                  "{{stage}} {{provider}} {{code}}"),
        ), "ops"),
        Panel("Breakers", (
            Query(f"max by (stage, provider) (antiphon_provider_breaker{{{OURS}}})",
                  "{{stage}} {{provider}}"),
        ), shape="state-timeline", note="0 closed, 1 asked once to see, 2 open."),
        Panel("Hedges", (
            Query(rate("antiphon_provider_hedges_total", "stage, provider, outcome", OURS),
                  "{{stage}} {{provider}} {{outcome}}"),
        ), "ops"),
        Panel("Switches and choices", (
            Query(rate("antiphon_provider_switches_total", "stage, provider, to, reason", OURS),
                  "{{stage}} {{provider}} to {{to}}: {{reason}}"),
            Query(rate("antiphon_provider_choices_total", "stage, provider, reason", OURS),
                  "{{stage}} {{provider}}: {{reason}}"),
        ), "ops"),
    ),
    "Taking turns": (
        Panel("Replies that were interrupted", (
            Query(f"{rate('antiphon_interruptions_total')} / {_REPLIES}", "interrupted"),
        ), "percentunit"),
        Panel("How replies ended", (
            Query(rate("antiphon_replies_total", "status"), "{{status}}"),
        ), "ops", stacked=True),
        Panel("Tool calls", (
            Query(rate("antiphon_tool_calls_total", "outcome"), "{{outcome}}"),
        ), "ops"),
    ),
    "Cost and use": (
        Panel("Cost an hour", (
            Query(f"3600 * {rate('antiphon_provider_cost_total', 'stage, provider', OURS)}",
                  "{{stage}} {{provider}}"),
        ), stacked=True, note="By ANTIPHON_PRICES, in their currency."),
        Panel("Cost of a minute of calls", (
            Query(f"{rate('antiphon_provider_cost_total')} * 60 / sum(antiphon_sessions{{}})",
                  "cost"),
        )),
        Panel("Use", (
            Query(rate("antiphon_provider_usage_total", "provider, unit", OURS),
                  "{{provider}} {{unit}}"),
        ), note="Units that vendors charge by, a second."),
    ),
    "Server health": (
        Panel("Server's own share", shares(OVERHEAD), "s", limits=(0.015, 0.025), examples=True,
              note="What is neither endpointing nor a provider's time; the goal is 25 ms."),
        Panel("Audio that ran dry", (Query(rate("antiphon_audio_late_total"), "late"),), "ops"),
        Panel("What was dropped", (
            Query(rate("antiphon_log_lines_dropped_total"), "log lines"),
            Query(rate("antiphon_spans_total", "outcome", 'outcome!="sent"'),
                  "spans {{outcome}}"),
        ), "ops"),
        Panel("Records", (
            Query(rate("antiphon_records_total"), "durable"),
            Query(rate("antiphon_records_lost_total"), "lost"),
            Query(rate("antiphon_records_rejected_total"), "rejected"),
            Query(rate("antiphon_undurable_events_total"), "told too early"),
        ), "ops"),
        Panel("Time to be durable", shares("antiphon_record_durable_seconds"), "s"),
        Panel("Spool", (Query("sum by (instance) (antiphon_spool_bytes{})", "{{instance}}"),),
              "bytes", note="Records that the database has not taken yet."),
        Panel("Database outages", (
            Query(f"sum (increase(antiphon_database_outages_total{{}}[{RATE}]))", "outages"),
        )),
        Panel("Webhooks that wait", (Query("max(antiphon_webhooks_pending{})", "waiting"),)),
        Panel("Webhook attempts", (
            Query(rate("antiphon_webhook_attempts_total", "outcome"), "{{outcome}}"),
        ), "ops"),
        Panel("Not ready", (
            Query("max by (instance, reason) (antiphon_not_ready{})", "{{instance}} {{reason}}"),
        ), note="Servers that are to be given no new call, and why."),
        Panel("What the disk did not take", (
            Query(rate("antiphon_recordings_broken_total"), "recordings"),
            Query(rate("antiphon_journals_broken_total"), "journals"),
        ), "ops", note="Those that broke off. Records that were lost are under Records."),
    ),
}  # fmt: skip


def outputs() -> dict[str, str]:
    """The dashboard."""
    return {PATH: json.dumps(dashboard(), indent=2) + "\n"}


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    return {
        "title": "Antiphon",
        "uid": "antiphon",
        "description": "Calls of an Antiphon voice agent server.",
        "tags": ["antiphon", "voice"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(_variables())},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels()),
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    for name, query in (
        ("job", "label_values(antiphon_sessions, job)"),
        ("instance", 'label_values(antiphon_sessions{job=~"$job"}, instance)'),
        ("stage", "label_values(antiphon_stage_seconds_count, stage)"),
        ("provider", "label_values(antiphon_stage_seconds_count, provider)"),
    ):
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": _SOURCE,
            "definition": query,
            "query": {"query": query, "refId": name},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _panels() -> Iterator[dict[str, Any]]:
    """Rows, and below each its panels, from left to right."""
    number, y = 0, 0
    for title, panels in ROWS.items():
        number += 1
        place = {"x": 0, "y": y, "w": COLUMNS, "h": ROW_HEIGHT}
        yield {"id": number, "type": "row", "title": title, "gridPos": place, "collapsed": False,
               "panels": []}  # fmt: skip
        x, y, height = 0, y + ROW_HEIGHT, 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            number += 1
            height = STAT_HEIGHT if panel.shape == "stat" else PANEL_HEIGHT
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height})
            x += panel.width
        y += height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.shape,
        "title": panel.title,
        "description": panel.note,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [_target(panel, place, query) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _target(panel: Panel, place: int, query: Query) -> dict[str, Any]:
    target: dict[str, Any] = {
        "refId": chr(ord("A") + place),
        "datasource": _SOURCE,
        "editorMode": "code",
        "expr": _here(query.expr),
        "legendFormat": query.legend or "__auto",
        "range": True,
        "exemplar": panel.examples,
    }
    if panel.shape == "heatmap":
        target["format"] = "heatmap"
    return target


def _here(expr: str) -> str:
    """The expression, of the servers that are looked at."""
    return re.sub(r'(\{|")\}', lambda end: f"{end[1]}{',' * (end[1] != '{')}{HERE}}}", expr)


def _defaults(panel: Panel) -> dict[str, Any]:
    colours = ("yellow", "red")
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": c, "value": v} for c, v in zip(colours, panel.limits, strict=False)]
    custom: dict[str, Any] = {}
    if panel.shape == "timeseries":
        custom = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 40 if panel.stacked else 10,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
        }
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": custom,
    }
    if panel.shape == "state-timeline":
        words = (("closed", "green"), ("to see", "yellow"), ("open", "red"))
        options = {
            str(value): {"text": text, "color": colour, "index": value}
            for value, (text, colour) in enumerate(words)
        }
        defaults["mappings"] = [{"type": "value", "options": options}]
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.shape == "stat":
        calculation = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": calculation, "colorMode": "value", "graphMode": "area"}
    if panel.shape == "heatmap":
        return {"calculate": False, "yAxis": {"unit": "s"}, "color": {"scheme": "Turbo"}}
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"]}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
