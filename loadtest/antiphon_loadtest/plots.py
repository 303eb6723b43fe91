"""Curves as inline SVG, without a script: lines over one axis, and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDE, HIGH = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 40
Point = tuple[float, float]
LEAST = 1e-9
"""What an axis can show: less is drawn as nothing."""


def scale(most: float, marks: int = 4) -> list[float]:
    """Round numbers from 0 to at least ``most``, for an axis."""
    if not math.isfinite(most) or most < LEAST:
        return [0.0, 1.0]
    rough = most / marks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * one for one in (1, 2, 2.5, 5) if power * one >= rough), power * 10)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def lines(title: str, x_name: str, y_name: str, series: Mapping[str, Sequence[Point]]) -> str:
    """A figure of curves with a legend; nothing where there is no point."""
    points = [point for one in series.values() for point in one]
    if not points:
        return ""
    xs, ys = scale(max(x for x, _ in points)), scale(max(y for _, y in points))
    drawn = [_axes(xs, ys, x_name)]
    for number, curve in enumerate(series.values()):
        placed = [(_x(x / xs[-1]), _y(y / ys[-1])) for x, y in sorted(curve) if math.isfinite(y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        drawn.append(f'<polyline class="c{number}" points="{path}"/>')
        drawn += [
            f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in placed
        ]
    return _figure(title, y_name, "".join(drawn), list(series))


def bars(title: str, y_name: str, rows: Mapping[str, float]) -> str:
    """A figure of bars, each with its name and number; nothing where there is none."""
    if not rows:
        return ""
    most = max(rows.values()) or 1.0
    drawn = "".join(
        f"<li><span>{escape(name)}</span><b>{number:g}</b>"
        f'<i style="width:{100 * number / most:.1f}%"></i></li>'
        for name, number in rows.items()
    )
    return (
        f"<figure><figcaption>{escape(title)} <small>{escape(y_name)}</small></figcaption>"
        f'<ul class="bars">{drawn}</ul></figure>'
    )


def _figure(title: str, y_name: str, drawn: str, names: list[str]) -> str:
    legend = "".join(
        f'<span><i class="k{number}"></i>{escape(name)}</span>' for number, name in enumerate(names)
    )
    label = escape(f"{title}, {y_name}: {', '.join(names)}", quote=True)
    return (
        f"<figure><figcaption>{escape(title)} <small>{escape(y_name)}</small></figcaption>"
        f'<p class="legend">{legend}</p>'
        f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">{drawn}</svg></figure>'
    )


def _axes(xs: Sequence[float], ys: Sequence[float], x_name: str) -> str:
    drawn = []
    for mark in ys:
        y = _y(mark / ys[-1])
        drawn.append(f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="end">{mark:g}</text>')
    for mark in xs:
        x = _x(mark / xs[-1])
        drawn.append(f'<text x="{x:.1f}" y="{HIGH - BOTTOM + 16}" class="mid">{mark:g}</text>')
    middle = (LEFT + WIDE - RIGHT) / 2
    drawn.append(f'<text x="{middle}" y="{HIGH - 6}" class="mid">{escape(x_name)}</text>')
    return "".join(drawn)


def _x(share: float) -> float:
    return LEFT + share * (WIDE - LEFT - RIGHT)


def _y(share: float) -> float:
    return HIGH - BOTTOM - share * (HIGH - TOP - BOTTOM)
