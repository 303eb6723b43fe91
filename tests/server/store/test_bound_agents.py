"""An agent as a session runs it."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from antiphon_protocol.errors import InvalidValue
from antiphon_protocol.rest_agent_providers import AgentProvider, AgentProviders
from antiphon_protocol.session_config import HttpTool, SessionConfig
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.models import ModelTarget
from antiphon_server.stages.offered import ProviderTarget
from antiphon_server.store.bound_agents import AgentSecrets, bound
from server.store.agent_bodies import CANARY, CLIENT_TOOL, FULL, KEYPAD_TOOL, PLAIN, SECRETS


def test_a_plain_agent_is_the_default_with_its_own_words() -> None:
    """The server's own model, no tools."""
    agent = bound(PLAIN, AgentSecrets())
    assert agent.config == SessionConfig("", system_prompt="Be brief.")
    assert (agent.http, agent.models) == ({}, ())


def test_a_full_agent_brings_its_tools_and_models_with_open_secrets() -> None:
    """Headers as they were named; a model that needs no key has an empty one."""
    agent = bound(FULL, SECRETS)
    assert agent.http == {
        "order": HttpTarget(
            "https://tools.example/order",
            "PUT",
            (("Authorization", "Bearer canary-1"), ("X-Trace", "canary-2")),
        )
    }
    assert agent.models == (
        ModelTarget("https://models.example/v1", "large", "canary-4", "low"),
        ModelTarget("http://10.0.0.1:8000/v1", "small", "", None),
    )


def test_what_a_client_sees_is_the_hosted_echo_without_secrets() -> None:
    """Section 2.3: a server's tool is known by its ``http``; what was sealed is empty."""
    config = bound(FULL, SECRETS).config
    assert (config.greeting, config.input, config.output) == (
        "Hello.",
        FULL.input,
        FULL.output,
    )
    mine, theirs = config.tools
    assert mine.http is None
    assert theirs.http == HttpTool("https://tools.example/order", "PUT")
    for name in ("parameters", "timeout_seconds", "execution_mode", "response_instructions"):
        assert getattr(mine, name) == getattr(CLIENT_TOOL, name)
    empty = {"api_key_ciphertext": "", "api_key_encrypted_data_key": "", "api_key_kms_key_id": ""}
    assert config.llm == (
        {
            "base_url": "https://models.example/v1",
            "model": "large",
            **empty,
            "reasoning_effort": "low",
        },
        {"base_url": "http://10.0.0.1:8000/v1", "model": "small", **empty},
    )
    (request,) = config.pre_connect_requests
    assert request["http"] == msgspec.to_builtins(HttpTool("https://tools.example/before"))
    assert (request["on_failure"], request["timeout_ms"]) == ("continue", 250)
    assert request["returns"] == [{"name": "tier", "path": "customer.tier", "default": "none"}]
    assert CANARY not in msgspec.json.encode(config).decode()


def test_nothing_that_may_be_logged_shows_a_secret() -> None:
    """However it is written out."""
    agent = bound(FULL, SECRETS)
    for value in (agent, SECRETS):
        assert CANARY not in f"{value!r} {value}"
    assert list(SECRETS.__rich_repr__()) == []


def test_an_agents_providers_come_with_their_keys() -> None:
    """By stage; options in one order, so that what is alike is shared; none where none are."""
    choice = AgentProvider("deepgram", {"model": "m", "language": "de"})
    body = replace(PLAIN, providers=AgentProviders(stt=(choice, AgentProvider("default"))))
    agent = bound(body, AgentSecrets(providers={"stt": (CANARY, "")}))
    first = ProviderTarget("deepgram", '{"language":"de","model":"m"}', CANARY)
    assert agent.providers == {"stt": (first, ProviderTarget("default"))}
    assert CANARY not in f"{agent!r} {agent}"
    assert bound(PLAIN, AgentSecrets()).providers == {}


def test_a_keypad_needs_a_telephone() -> None:
    """In the words of section 3.3, which a session ends with."""
    with pytest.raises(InvalidValue) as refused:
        bound(replace(PLAIN, tools=(CLIENT_TOOL, KEYPAD_TOOL)), AgentSecrets())
    assert refused.value.message == (
        "tool 'pay' collects 'pin' from the phone keypad (DTMF), which only exists on "
        "telephony calls"
    )
    assert refused.value.param == "tools[1].dtmf_collected_arguments"
