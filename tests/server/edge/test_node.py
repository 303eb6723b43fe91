"""What all calls of a process share: providers that start or say why not, and capacity."""

from __future__ import annotations

import pytest

from antiphon_protocol.errors import AtCapacity, Unauthorized
from antiphon_providers.errors import NotInstalled
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
)
from antiphon_server.edge.node import Node, StartFailed
from antiphon_server.settings import STAGE_OPTIONS, Settings, read

SCRIPTED = {f"ANTIPHON_{stage.upper()}": "scripted" for stage in STAGE_OPTIONS}


def _settings(**variables: str) -> Settings:
    return read({**SCRIPTED, **{f"ANTIPHON_{name}": text for name, text in variables.items()}})


async def test_a_node_makes_and_starts_its_providers() -> None:
    """By name, with their options as types; ready once all have started, not after the end."""
    node = Node(_settings(TTS_CHUNK_MS="300", AUDIO_LEAD_MS="120"))
    node.create()
    assert not node.ready
    await node.start()
    assert node.ready
    services = node.services
    assert isinstance(services.speaking.text_to_speech, ScriptedTextToSpeech)
    assert services.speaking.text_to_speech.options.chunk_ms == 300
    assert isinstance(services.hearing.speech_to_text, ScriptedSpeechToText)
    assert services.audio_lead_ms == 120
    assert set(services.names.values()) == {"scripted"}
    await node.close()
    assert not node.ready


@pytest.mark.parametrize("stage", sorted(STAGE_OPTIONS))
def test_a_provider_that_is_not_there_is_told_with_those_that_are(stage: str) -> None:
    """Which setting, which name, and what would do."""
    with pytest.raises(StartFailed) as failed:
        Node(_settings(**{stage.upper(): "nothing"})).create()
    message = str(failed.value)
    assert STAGE_OPTIONS[stage].replace("_", " ") in message
    assert "'nothing'" in message
    assert "scripted" in message
    assert f"ANTIPHON_{stage.upper()}" in message


def test_an_option_that_cannot_be_is_told() -> None:
    """A wrong type, a wrong name: with the options there are."""
    for option, raw in (("FIRST_TOKEN_MS", "soon"), ("TEMPERATURE", "1")):
        with pytest.raises(StartFailed, match="first_token_ms"):
            Node(_settings(**{f"LLM_{option}": raw})).create()


def test_noise_suppression_that_is_unknown_is_a_mistake() -> None:
    """Unlike one that is merely not installed, which costs voice focus only."""
    with pytest.raises(StartFailed, match="ANTIPHON_NOISE"):
        Node(_settings(NOISE="nothing")).create()


async def test_a_provider_that_cannot_start_stops_the_others() -> None:
    """The message says which; nothing is left running."""
    node = Node(_settings())
    node.create()
    closed: list[str] = []

    class Missing(ScriptedLanguageModel):
        async def start(self) -> None:
            raise NotInstalled("it needs a file that is not there", provider="missing")

        async def close(self) -> None:
            closed.append("llm")

    class Watched(ScriptedSpeechToText):
        async def close(self) -> None:
            closed.append("stt")

    node._providers.update(llm=Missing(), stt=Watched())
    with pytest.raises(StartFailed, match="language model cannot start: it needs a file"):
        await node.start()
    assert sorted(closed) == ["llm", "stt"]
    assert not node.ready


async def test_a_provider_that_fails_to_close_keeps_no_other_from_it() -> None:
    """All are closed, whatever one of them does."""
    node = Node(_settings())
    node.create()
    closed: list[str] = []

    class Stuck(ScriptedLanguageModel):
        async def close(self) -> None:
            raise ZeroDivisionError

    class Watched(ScriptedSpeechToText):
        async def close(self) -> None:
            closed.append("stt")

    node._providers.update(llm=Stuck(), stt=Watched())
    await node.start()
    await node.close()
    assert closed == ["stt"]


def test_capacity_is_what_the_operator_set() -> None:
    """One more is refused; one that left makes room for one."""
    node = Node(_settings(MAX_SESSIONS="2"))
    node.enter()
    node.enter()
    with pytest.raises(AtCapacity) as refused:
        node.enter()
    assert refused.value.close_code == 1008
    node.leave()
    node.enter()
    with pytest.raises(AtCapacity):
        node.enter()


async def test_keys_are_the_operators() -> None:
    """Those of the settings."""
    keys = Node(_settings(API_KEYS="a,b")).keys
    await keys.admit("b")
    with pytest.raises(Unauthorized):
        await keys.admit("c")
