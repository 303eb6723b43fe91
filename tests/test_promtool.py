"""The checker that the tests of dashboards and alerts ask."""

from __future__ import annotations

from pathlib import Path

import pytest

import promtool


def test_a_rule_that_is_wrong_is_found(tmp_path: Path) -> None:
    """It parses PromQL: status and words."""
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{record: a, expr: 'sum(rate(x[5m])'}]}]\n")
    status, told = promtool.promtool("check", "rules", rules)
    assert status != 0
    assert "could not parse expression" in told


def test_a_machine_without_it_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than a missing file."""
    monkeypatch.setattr(promtool, "UNPACKED", tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(promtool.PromtoolMissing, match="scripts/test"):
        promtool.program()
