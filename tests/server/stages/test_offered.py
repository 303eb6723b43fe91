"""Which providers agents may bring keys for, and what they may set."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Refused
from antiphon_server.settings import ALL_STAGES
from antiphon_server.stages.offered import (
    OFFERED,
    ProviderTarget,
    check_name,
    check_options,
    make,
)

EVERY = [(setting, name) for setting, names in OFFERED.items() for name in names]
_NEVER = ("base_url", "api_key", "extra_body", "extra_query", "extra_session", "bearer", "version")


@pytest.mark.parametrize(("setting", "name"), EVERY)
def test_what_is_offered_exists_and_leads_nowhere_else(setting: str, name: str) -> None:
    """Each option is one of the provider's; none says where to connect, or with what."""
    struct = registry.options_of(registry.load(ALL_STAGES[setting], name))
    offered = OFFERED[setting][name]
    assert set(offered) <= set(struct.__struct_fields__)
    assert not set(offered) & set(_NEVER)
    assert not [option for option in offered if option.endswith("_ms")]
    assert struct.__struct_config__.forbid_unknown_fields
    check_name(setting, name)


@pytest.mark.parametrize("option", [*_NEVER, "connect_ms", "max_connections", "fault", ""])
@pytest.mark.parametrize(("setting", "name"), EVERY)
def test_what_is_the_operators_cannot_be_set(setting: str, name: str, option: str) -> None:
    """Whether the provider has it or not."""
    with pytest.raises(ValueError, match=r"is no option that an agent may set; its options: "):
        check_options(setting, name, {option: "http://169.254.169.254/"}, "key")


@pytest.mark.parametrize("name", ["scripted", "moonshine", "nobody", "../deepgram"])
def test_local_and_unknown_providers_are_not_chosen(name: str) -> None:
    """Those who may be are told."""
    with pytest.raises(ValueError, match="there are: default, assemblyai, deepgram"):
        check_name("stt", name)


@pytest.mark.parametrize(
    ("name", "options", "key", "told"),
    [
        ("cartesia", {"speed": 9}, "k", "cannot use its options: .*<= 1.5.*speed"),
        ("cartesia", {"voices": "{"}, "k", "no JSON object"),
        ("cartesia", {"voice": "a\0b"}, "k", "no text of at most 4096"),
        ("cartesia", {"voice": "a" * 4097}, "k", "no text of at most 4096"),
        ("cartesia", {"voices": {"anna\0": "v"}}, "k", "no text of at most 4096"),
        ("cartesia", {"voices": {"anna": {}}}, "k", "must map names to texts"),
        ("cartesia", {"voice": ["a"]}, "k", "cannot use its options"),
        ("cartesia", {}, "", "needs the api_key"),
        ("default", {"voice": "a"}, "", "operator's to set"),
        ("default", {}, "canary", "operator's to set"),
    ],
)
def test_options_that_cannot_be_are_told(
    name: str, options: dict[str, Any], key: str, told: str
) -> None:
    """In the provider's words; without a key the operator's would be used."""
    with pytest.raises(ValueError, match=told) as refused:
        check_options("tts", name, options, key)
    assert "canary" not in str(refused.value)


def test_a_provider_is_made_with_its_key_where_the_operator_has_it() -> None:
    """Objects reach it as settings would write them; its key is in no representation."""
    target = ProviderTarget("cartesia", '{"voices":{"anna":"v-1"},"speed":1.2}', "canary")
    made = make("tts", target, "ws://127.0.0.1:1")
    assert (made.options.speed, made.options.api_key) == (1.2, "canary")
    assert (made.options.base_url, made.options.voices) == ("ws://127.0.0.1:1", '{"anna":"v-1"}')
    assert make("tts", target, None).options.base_url.startswith("wss://")
    assert "canary" not in repr(target)
    assert list(target.__rich_repr__()) == [("name", "cartesia")]


def test_what_is_not_offered_any_more_is_refused() -> None:
    """An agent may have been stored by a server that had it."""
    with pytest.raises(Refused, match=r"cannot use its options any more: .*speed"):
        make("tts", ProviderTarget("cartesia", '{"speed":9}', "k"), None)
    with pytest.raises(Refused, match="not offered"):
        make("tts", ProviderTarget("scripted", "{}", "k"), None)
