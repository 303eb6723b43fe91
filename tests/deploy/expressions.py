"""What expressions of PromQL say of our metrics, checked against the table of metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from antiphon_server.observe import metrics

FROM_PROMETHEUS = frozenset({"job", "instance", "le"})
"""Labels that scraping adds, and that of a bucket."""
_SELECTOR = re.compile(r"\b(antiphon_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


def known() -> dict[str, frozenset[str]]:
    """Every name that a query may use, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for metric in vars(metrics).values():
        describe = getattr(metric, "describe", None)
        if describe is None or isinstance(metric, type) or metric is metrics.REGISTRY:
            continue
        (family,) = describe()
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        labels = frozenset(metric._labelnames)
        for suffix in suffixes.get(family.type, ("",)):
            found[family.name + suffix] = labels
    return found


def used(expr: str) -> dict[str, set[str]]:
    """The metrics that an expression asks for, each with the labels it is asked by."""
    found: dict[str, set[str]] = {}
    for name, matchers in _SELECTOR.findall(expr):
        found.setdefault(name, set()).update(_MATCHER.findall(matchers))
    return found


def mistakes(expr: str) -> Iterator[str]:
    """Names and labels of an expression that there are not."""
    names, offered = known(), set(FROM_PROMETHEUS)
    for name, labels in used(expr).items():
        if name not in names:
            yield f"{name} is no metric"
            continue
        offered |= names[name]
        for label in labels - names[name] - FROM_PROMETHEUS:
            yield f"{name} has no label {label}"
    for group in _GROUPING.findall(expr):
        for label in {each.strip() for each in group.split(",")} - offered:
            yield f"nothing has the label {label}"
