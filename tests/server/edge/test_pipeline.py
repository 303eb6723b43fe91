"""The providers of a node, as settings choose them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Chosen, Message, Prompt, Said
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.settings import read
from server.edge.asgi_client import SCRIPTED

PROMPT = Prompt((Message(role="user", content="hello"),), conversation="one")


def made(**variables: str) -> Pipeline:
    """A pipeline of twins with these settings, not yet started."""
    own = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    pipeline = Pipeline(read({**SCRIPTED, **own}))
    pipeline.create()
    return pipeline


@asynccontextmanager
async def running(**variables: str) -> AsyncIterator[Pipeline]:
    """The same, started."""
    pipeline = made(**variables)
    await pipeline.start()
    try:
        yield pipeline
    finally:
        await pipeline.close()


async def test_the_second_language_model_answers_when_the_first_cannot() -> None:
    """With options of its own; who did is said, and the first one's failure is on its watch."""
    async with running(
        LLM="scripted,scripted", LLM_FAULT="unavailable at open", LLM_2_REPLIES="Here I am."
    ) as pipeline:
        model = pipeline.speaking.language_model
        pieces = [piece async for piece in model.reply(PROMPT)]
        assert model.name == "scripted-1"
    chosen = pieces[0]
    assert isinstance(chosen, Chosen)
    assert (chosen.provider, chosen.reason) == ("scripted-2", "provider_unavailable")
    assert "".join(piece.text for piece in pieces if isinstance(piece, Said)) == "Here I am."
    health = pipeline.watches["llm"].health
    assert health["scripted-1"].last_failure == "provider_unavailable"
    assert (health["scripted-2"].attempts, health["scripted-2"].failures) == (1, 0)


def test_the_model_of_a_provider_is_known_where_settings_name_it() -> None:
    """By the stage as calls name it, and the provider as it is told."""
    address = "http://127.0.0.1:9/v1"
    model = made(
        LLM="openai,openai,scripted",
        LLM_MODEL="large",
        LLM_BASE_URL=address,
        LLM_2_MODEL="small",
        LLM_2_BASE_URL=address,
    ).model
    assert model("language_model", "openai-1") == "large"
    assert model("language_model", "openai-2") == "small"
    assert model("language_model", "scripted") == ""
    assert model("turn_detection", "scripted") == ""
    assert model("language_model", "nobody") == model("nothing", "scripted") == ""


async def test_the_policy_of_failures_is_the_operators() -> None:
    """A model that is slower than the policy allows has failed."""
    async with running(LLM_FAULT="stall at open", POLICY_BUDGET_MS="50") as pipeline:
        with pytest.raises(ProviderError) as failed:
            async for _ in pipeline.speaking.language_model.reply(PROMPT):
                pass
    assert failed.value.code == "provider_timeout"


def test_a_policy_that_cannot_be_is_told_with_its_options() -> None:
    """A wrong name or value."""
    for option, value in (("HEDGE", "perhaps"), ("COLOUR", "red")):
        with pytest.raises(StartFailed, match=r"ANTIPHON_POLICY_… cannot be used.*budget_ms"):
            made(**{f"POLICY_{option}": value})


def test_a_stage_of_one_provider_is_not_given_two() -> None:
    """Voice activity and the turn model have no stand-in."""
    with pytest.raises(StartFailed, match="one provider serves this stage, and 2 are named"):
        made(VAD="scripted,scripted")


async def test_the_recogniser_may_judge_turns() -> None:
    """Then there is no turn model."""
    async with running(TURN="recogniser") as pipeline:
        assert pipeline.hearing.turn_model is None
        assert pipeline.hearing.speech_to_text.name == "scripted"


async def test_a_pipeline_closes_all_it_has() -> None:
    """Nobody is answered after that."""
    async with running() as pipeline:
        model = pipeline.providers["llm"]
    (only,) = model.current.candidates
    assert [piece async for piece in only.provider.reply(PROMPT)] == []


def test_prices_that_cannot_be_are_told() -> None:
    """With what they should look like."""
    with pytest.raises(StartFailed, match=r"ANTIPHON_PRICES cannot be used: 'free' is no price"):
        made(PRICES="scripted.seconds=1,free")
