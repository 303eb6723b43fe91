"""The share of requests that wait longer than a time, as an SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hedging.experiment import Outcome

WIDTH, HEIGHT = 960, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 930, 76, 396
_LONGEST_S = 3.5
_SMALLEST = 0.005
_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
_COLOURS = ("#718096", "#b7791f", "#2b6cb0")
_STEPS = 300
_P95 = 0.05


_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
    'aria-labelledby="t d" font-family="system-ui, sans-serif">'
)


def x_of(seconds: float) -> float:
    """Where a time is."""
    return _LEFT + (_RIGHT - _LEFT) * min(seconds, _LONGEST_S) / _LONGEST_S


def y_of(share: float) -> float:
    """Where a share is, on a logarithmic scale: the tail is what this is about."""
    part = math.log(max(share, _SMALLEST)) / math.log(_SMALLEST)
    return _TOP + (_BOTTOM - _TOP) * part


def drawing(outcomes: Sequence[Outcome]) -> str:
    """The plot; the same for the same outcomes."""
    parts = [
        _HEAD,
        '<title id="t">Hedging: how many requests wait longer than a time</title>',
        f'<desc id="d">{_told(outcomes)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#ffffff"/>',
        _text(24, 36, "Requests that wait longer for their first words", 18, "#1a202c", "600"),
        *_grid(),
    ]
    for outcome, colour in zip(outcomes, _COLOURS, strict=False):
        parts.append(_curve(outcome, colour))
        x = x_of(outcome.quantile(1 - _P95))
        parts.append(f'<circle cx="{x:.1f}" cy="{y_of(_P95):.1f}" r="5" fill="{colour}"/>')
    for row, (outcome, colour) in enumerate(zip(outcomes, _COLOURS, strict=False)):
        y = _TOP + 24 + 26 * row
        parts.append(f'<rect x="520" y="{y - 11}" width="22" height="5" fill="{colour}"/>')
        parts.append(_text(550, y - 4, _legend(outcome), 14, "#2d3748"))
    return "\n".join([*parts, "</svg>", ""])


def _grid() -> list[str]:
    lines = []
    for share in _SHARES:
        y = y_of(share)
        colour = "#a0aec0" if share == _P95 else "#edf2f7"
        lines.append(
            f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>'
        )
        label = f"{share:.1%}".replace(".0%", "%").replace("%", " %")
        lines.append(_text(24, y + 5, label, 14, "#2d3748"))
    seconds = [half / 2 for half in range(int(_LONGEST_S * 2) + 1)]
    y = _BOTTOM + 26
    return [*lines, *(_text(x_of(at) - 12, y, f"{at:g} s", 14, "#2d3748") for at in seconds)]


def _curve(outcome: Outcome, colour: str) -> str:
    points = []
    for step in range(_STEPS + 1):
        seconds = _LONGEST_S * step / _STEPS
        longer = sum(time > seconds for time in outcome.times) / len(outcome.times)
        points.append(f"{x_of(seconds):.1f},{y_of(longer):.1f}")
        if longer < _SMALLEST:
            break
    return (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5" '
        'stroke-linejoin="round"/>'
    )


def _legend(outcome: Outcome) -> str:
    p95_ms = outcome.quantile(1 - _P95) * 1000
    return f"{outcome.case.name}: p95 {p95_ms:,.0f} ms, {outcome.extra:.1%} extra calls"


def _told(outcomes: Sequence[Outcome]) -> str:
    return ". ".join(_legend(outcome) for outcome in outcomes) + "."


def _text(x: float, y: float, words: str, size: int, colour: str, weight: str = "400") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{words}</text>'
    )
