"""The providers of agents, as they are written and read."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_protocol.rest_agent_providers import (
    AgentProvider,
    AgentProviderChange,
    AgentProviders,
    AgentProvidersChange,
)


def test_a_key_is_in_no_representation() -> None:
    """Logs and tracebacks show objects as these do."""
    change = AgentProvidersChange(tts=(AgentProviderChange("cartesia", api_key="canary"),))
    assert "canary" not in repr(change)
    assert list(AgentProviderChange("cartesia", api_key="canary").__rich_repr__()) == [
        ("name", "cartesia")
    ]


@pytest.mark.parametrize("raw", [b'{"vad": []}', b'{"stt": [{"name": "x", "base_url": "y"}]}'])
def test_an_unknown_field_is_refused(raw: bytes) -> None:
    """An address least of all."""
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(raw, type=AgentProvidersChange)


def test_stages_that_the_server_serves_are_not_shown() -> None:
    """What is read can be written back."""
    shown = msgspec.json.encode(AgentProviders(stt=(AgentProvider("deepgram", {"model": "m"}),)))
    assert shown == b'{"stt":[{"name":"deepgram","options":{"model":"m"}}]}'
    assert msgspec.json.decode(shown, type=AgentProvidersChange).tts is None
