"""The report as one page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from antiphon_loadtest.plots import Point, bars, lines

_STYLE = """
:root{color-scheme:light dark;--back:#fff;--card:#f6f7f9;--ink:#16181d;--soft:#555b66;
--rule:#d5d9e0;--c0:#0b62c4;--c1:#a34700;--c2:#a3195b;--good:#12692f;--bad:#b3161b}
@media(prefers-color-scheme:dark){:root{--back:#111317;--card:#1a1d23;--ink:#eceef2;
--soft:#a9b0bc;--rule:#363b45;--c0:#6db3ff;--c1:#ffb066;--c2:#ff8fc1;--good:#6fd68d;--bad:#ff8a8a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:24px 16px 48px;background:var(--back);
color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:32px 0 12px}
p.sub{margin:4px 0 20px;color:var(--soft);overflow-wrap:anywhere}
.cards{display:grid;gap:12px;grid-template-columns:repeat(auto-fit,minmax(140px,1fr))}
.card{background:var(--card);border-radius:10px;padding:12px 14px}
.card b{display:block;font-size:1.4rem;font-variant-numeric:tabular-nums}
.card span,small,.legend{color:var(--soft);font-size:.85rem;font-weight:400}
.plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr))}
figure{margin:0;background:var(--card);border-radius:10px;padding:14px}
figcaption{font-weight:600}
svg{width:100%;height:auto;display:block}svg line{stroke:var(--rule)}
svg text{fill:var(--soft);font-size:12px}.end{text-anchor:end}.mid{text-anchor:middle}
polyline{fill:none;stroke-width:2;stroke-linejoin:round}
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}
.d0{fill:var(--c0)}.d1{fill:var(--c1)}.d2{fill:var(--c2)}
.k0{background:var(--c0)}.k1{background:var(--c1)}.k2{background:var(--c2)}
.legend{margin:2px 0 6px;display:flex;gap:14px;flex-wrap:wrap}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:5px}
.bars{list-style:none;margin:10px 0 0;padding:0}
.bars li{display:grid;grid-template-columns:1fr auto;gap:2px 12px;margin-bottom:8px}
.bars i{grid-column:1/-1;height:8px;border-radius:4px;background:var(--c0);min-width:2px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap;
font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}
.good{color:var(--good)}.bad{color:var(--bad)}
.warn{border-left:4px solid var(--bad);background:var(--card);padding:10px 14px;margin:16px 0}
"""


def page(report: dict[str, Any]) -> str:
    """The whole document."""
    runs = report["runs"]
    last = runs[-1]
    title = f"Load test: {report['profile']}, {last['callers']} callers"
    parts = [_head(report, title), _cards(report, last)]
    parts += [f'<p class="warn">{escape(one)}</p>' for one in report["warnings"]]
    parts.append(f'<h2>Curves</h2><div class="plots">{"".join(_plots(report, last))}</div>')
    parts.append(f"<h2>Objective</h2>{_objectives(last)}")
    parts.append(f"<h2>Times</h2>{_times(last)}")
    if len(runs) > 1:
        parts.append(f"<h2>Every load that was tried</h2>{_tries(runs)}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(report: dict[str, Any], title: str) -> str:
    when = f"{report['url']} · {report['started']} · seed {report['seed']}"
    return f'<h1>{escape(title)}</h1><p class="sub">{escape(when)}</p>'


def _cards(report: dict[str, Any], last: dict[str, Any]) -> str:
    response = last["times_ms"]["response"]
    shown: list[tuple[str, Any, str]] = [
        ("response p50", response.get("p50"), "ms"),
        ("response p99", response.get("p99"), "ms"),
        ("errors", last["errors_percent"], "%"),
        ("late sound", last["late_percent"], "%"),
        ("CPU per session", last["cpu_ms"], "ms/s"),
        ("memory per session", last["memory_mb"], "MB"),
    ]
    if report["find_capacity"]:
        shown.insert(0, ("capacity", report["capacity"], "callers"))
    cards = "".join(
        f'<div class="card"><span>{name}</span><b>{number:g} <small>{unit}</small></b></div>'
        for name, number, unit in shown
        if number is not None
    )
    return f'<div class="cards">{cards}</div>'


def _plots(report: dict[str, Any], last: dict[str, Any]) -> list[str]:
    over_load = (
        [
            {"callers": run["callers"], **run["times_ms"]["response"]}
            for run in report["runs"]
            if run["times_ms"]["response"]["count"]
        ]
        if len(report["runs"]) > 1
        else last["over_load"]
    )
    return [
        _percentiles("Response over load", over_load, "callers", "callers in a call"),
        _percentiles("Response over time", last["over_time"], "at", "seconds"),
        _over_time("Callers", "in a call", last["over_time"], {"callers": "callers"}),
        _over_time("Server CPU per session", "ms per second", last["server"], {"CPU": "cpu_ms"}),
        _over_time("Server memory per session", "MB", last["server"], {"memory": "memory_mb"}),
        _over_time("Server CPU", "% of a core", last["server"], {"CPU": "cpu"}),
        bars("Sound", "pieces", _sound(last)),
        bars("Errors by kind", "count", last["errors"]),
        _over_time("The load tool's own lag", "ms", last["over_time"], {"lag": "lag_ms"}),
    ]


def _sound(last: dict[str, Any]) -> dict[str, float]:
    counts = last["counts"]
    return {
        "in time": counts.get("pieces", 0) - counts.get("late", 0),
        "late": counts.get("late", 0),
        "of the caller's, not taken by the network": counts.get("blocked", 0),
    }


def _percentiles(title: str, points: Sequence[dict[str, float]], x: str, x_name: str) -> str:
    return _drawn(title, "ms", points, {one: one for one in ("p50", "p95", "p99")}, (x, x_name))


def _over_time(
    title: str, unit: str, points: Sequence[dict[str, float]], names: dict[str, str]
) -> str:
    return _drawn(title, unit, points, names, ("at", "seconds"))


def _drawn(
    title: str,
    unit: str,
    points: Sequence[dict[str, float]],
    names: dict[str, str],
    x: tuple[str, str],
) -> str:
    series: dict[str, list[Point]] = {
        name: [(max(0.0, one[x[0]]), one[key]) for one in points if key in one]
        for name, key in names.items()
    }
    return lines(title, x[1], unit, series)


def _objectives(last: dict[str, Any]) -> str:
    rows = [
        [
            one["name"],
            "not measured" if one["measured"] is None else f"{one['measured']:.4g}",
            f"{one['limit']:g}",
            '<span class="good">met</span>' if one["met"] else '<span class="bad">missed</span>',
        ]
        for one in last["objectives"]
    ]
    return _table("objective", ["objective", "measured", "at most", ""], rows)


def _times(last: dict[str, Any]) -> str:
    names = ("count", "p50", "p90", "p95", "p99", "max")
    rows = [
        [kind, *(f"{times[name]:g}" for name in names)]
        for kind, times in last["times_ms"].items()
        if times["count"]
    ]
    return _table("times", ["ms", *names], rows)


def _tries(runs: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            str(run["callers"]),
            *(_shown(run["times_ms"]["response"].get(name)) for name in ("p50", "p99")),
            *(_shown(run[name]) for name in ("errors_percent", "late_percent", "cpu_ms")),
            "held" if run["held"] else "did not hold",
        ]
        for run in sorted(runs, key=lambda run: run["callers"])
    ]
    return _table(
        "loads", ["callers", "p50 ms", "p99 ms", "errors %", "late %", "CPU ms", ""], rows
    )


def _shown(number: float | None) -> str:
    return "-" if number is None else f"{number:g}"


def _table(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(one)}</th>' if one else "<td></td>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
