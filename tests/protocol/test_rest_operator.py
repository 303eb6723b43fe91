"""What an operator sends and is told."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from antiphon_protocol.rest_operator import (
    BREAKERS,
    MOST_PROVIDERS,
    STAGES,
    ProviderChoice,
    StageChange,
)
from antiphon_providers.observer import BreakerState
from antiphon_server.settings import ALL_STAGES


def test_a_change_names_providers_in_order() -> None:
    """Options are text, and may be absent."""
    raw = b'{"providers": [{"name": "a", "options": {"model": "m"}}, {"name": "b"}]}'
    change = msgspec.json.decode(raw, type=StageChange)
    assert change.providers == (
        ProviderChoice(name="a", options={"model": "m"}),
        ProviderChoice(name="b"),
    )


@pytest.mark.parametrize("raw", [b"{}", b'{"providers": [{}]}', b'{"providers": [1]}'])
def test_a_change_without_names_is_none(raw: bytes) -> None:
    """What it must have it must have."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=StageChange)


def test_limits_reach_the_schema() -> None:
    """The server checks them by the same notes."""
    schema = msgspec.json.schema(StageChange)["$defs"]
    assert schema["StageChange"]["properties"]["providers"]["maxItems"] == MOST_PROVIDERS
    assert schema["ProviderChoice"]["properties"]["name"]["minLength"] == 1


def test_names_are_those_of_the_server() -> None:
    """The protocol knows no server: here the two are held together."""
    assert tuple(ALL_STAGES.values()) == STAGES
    assert set(get_args(BreakerState)) == set(BREAKERS)
