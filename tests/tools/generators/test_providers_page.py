"""The page of providers."""

from __future__ import annotations

import pytest

from antiphon_providers import registry
from antiphon_providers.resilience.policy import Policy
from antiphon_server.settings import STAGE_OPTIONS, WHOLE_TURNS
from generators.providers_page import PATH, outputs

PAGE = outputs()[PATH]
OWN = [
    (stage, name)
    for stage in (STAGE_OPTIONS | WHOLE_TURNS).values()
    for name, entry in sorted(registry.installed(stage).items())
    if entry.dist is not None and entry.dist.name == "antiphon"
]


@pytest.mark.parametrize(("stage", "name"), OWN)
def test_every_provider_is_there_with_what_it_is_and_its_options(
    stage: registry.Stage, name: str
) -> None:
    """Under its stage; each option has a row of its own with a meaning."""
    title = f"## {stage.replace('_', ' ').capitalize()}\n"
    section = PAGE.partition(title)[2].partition("\n## ")[0]
    own = section.partition(f"\n### {name}\n\n")[2].partition("\n### ")[0]
    assert own.splitlines()[0].strip()
    for option in registry.options_of(registry.load(stage, name)).__struct_fields__:
        (row,) = (line for line in own.splitlines() if line.startswith(f"| `{option}` |"))
        assert row.split("|")[2].strip()


def test_the_policy_is_there_as_it_is_set() -> None:
    """By variable."""
    for option in Policy.__struct_fields__:
        assert f"| `ANTIPHON_POLICY_{option.upper()}` |" in PAGE
