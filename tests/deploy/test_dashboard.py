"""The dashboard shows what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.expressions import known, mistakes, used
from promtool import promtool

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/antiphon.json"
UNSHOWN = frozenset[str]()
"""Metrics that are on no panel, and why not: none so far."""


def panels() -> list[dict[str, Any]]:
    """All but the rows."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every query, with the title of its panel."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target


def test_every_panel_asks_for_metrics_that_there_are() -> None:
    """Names, labels of matchers and labels of groupings."""
    wrong = {title: list(mistakes(target["expr"])) for title, target in targets()}
    assert {title: found for title, found in wrong.items() if found} == {}


def test_every_legend_names_labels_that_its_query_has() -> None:
    """Otherwise it would be empty."""
    for title, target in targets():
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        groups = re.findall(r"by \(([^)]*)\)", target["expr"])
        grouped = {label.strip() for group in groups for label in group.split(",")}
        assert named <= grouped, title


def test_prometheus_can_read_every_expression(tmp_path: Path) -> None:
    """Once Grafana has put its variables in."""
    exprs = [target["expr"].replace("$__rate_interval", "1m") for _, target in targets()]
    rules = [{"record": f"r{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    status, told = promtool("check", "rules", file)
    assert status == 0, told


def test_every_metric_is_on_some_panel() -> None:
    """What is measured is worth looking at."""
    shown = {name for _, target in targets() for name in used(target["expr"])}
    families = {name.removesuffix("_bucket") for name in known() if not _is_part(name)}
    seen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert families - seen == UNSHOWN


def _is_part(name: str) -> bool:
    return name.endswith(("_sum", "_count"))


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    """Grafana would move them about."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_query_is_of_the_servers_that_are_looked_at() -> None:
    """By the variables at the top, all of which there are."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert variables == {"datasource", "job", "instance", "stage", "provider"}
    for title, target in targets():
        asked = re.findall(r"antiphon_\w+(\{[^}]*\})?", target["expr"])
        assert all('job=~"$job",instance=~"$instance"' in each for each in asked), title
        names = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
        assert names <= variables
        assert target["datasource"]["uid"] == "${datasource}"
