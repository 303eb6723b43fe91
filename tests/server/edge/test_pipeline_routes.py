"""A turn is given to one of several models as settings say: heard, in the timeline, counted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Chosen, Message, Prompt
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.observe.metrics import REGISTRY
from antiphon_server.settings import read
from server.edge.asgi_client import SCRIPTED, started
from server.edge.calls_in_progress import Caller, calling
from virtual_time import in_virtual_time

TWO = {"LLM": "scripted,scripted", "LLM_REPLIES": "A.", "LLM_2_REPLIES": "B."}


def reasons(caller: Caller) -> list[str | None]:
    """Why each turn's model answered, by its timeline."""
    timelines = caller.client.heard(wire.TurnTimeline)
    return [(each.reasons or {}).get("language_model") for each in timelines]


def counted(provider: str, reason: str) -> float:
    """Turns that were given to a model for a reason of this kind, so far."""
    of = {"stage": "language_model", "provider": provider, "reason": reason}
    return REGISTRY.get_sample_value("antiphon_provider_choices_total", of) or 0.0


def ruled(*rules: dict[str, Any], **more: str) -> dict[str, str]:
    """Settings of two models with these rules."""
    return {**TWO, "ROUTE": "rules", "ROUTE_RULES": json.dumps(rules), **more}


@in_virtual_time
async def test_rules_choose_the_model_of_a_turn() -> None:
    """By the user's words; the others are in order. What chose is in timeline and metric."""
    before = counted("scripted-2", "rule"), counted("scripted-1", "first in order")
    settings = ruled({"use": "scripted-2", "pattern": "weather"}, STT_UTTERANCES="the weather|hi")
    async with started(**settings) as node, calling(node) as caller:
        await caller.speaks()
        await caller.speaks()
        assert caller.said == ["B.", "A."]
        assert reasons(caller) == ["rule: matches weather", "first in order"]
        names = [served["language_model"] for served in caller.served]
        assert names == ["scripted-2", "scripted-1"]
    assert counted("scripted-2", "rule") == before[0] + 1
    assert counted("scripted-1", "first in order") == before[1] + 1


@in_virtual_time
async def test_a_small_model_classifies_where_rules_ask_for_it() -> None:
    """Its options are behind a prefix of their own."""
    settings = ruled(
        {"use": "scripted-2", "classes": ["order"]},
        ROUTE_SMALL="scripted",
        ROUTE_SMALL_REPLIES="chat|order",
    )
    async with started(**settings) as node, calling(node) as caller:
        await caller.speaks()
        await caller.speaks()
        assert caller.said == ["A.", "B."]
        assert reasons(caller) == ["first in order", "rule: classified as order"]


async def test_the_fastest_is_learned_from_the_turns() -> None:
    """In real time, as breakers and latencies are: each model is measured first, and then the
    faster one answers. The metric has the kind of the reason and not the time.
    """
    settings = {**TWO, "ROUTE": "fastest", "ROUTE_EXPLORE_EVERY": "0", "LLM_FIRST_TOKEN_MS": "120"}
    own = {f"ANTIPHON_{name}": text for name, text in settings.items()}
    pipeline = Pipeline(read({**SCRIPTED, **own}))
    pipeline.create()
    await pipeline.start()
    before = counted("scripted-2", "fastest")
    chosen = []
    for _ in range(8):
        prompt = Prompt((Message(role="user", content="hello"),))
        pieces = [piece async for piece in pipeline.speaking.language_model.reply(prompt)]
        chosen += [piece for piece in pieces if isinstance(piece, Chosen)]
    await pipeline.close()
    assert [each.provider for each in chosen] == ["scripted-1"] * 3 + ["scripted-2"] * 5
    assert [each.reason for each in chosen[:6]] == ["not yet measured"] * 6
    assert all(re.fullmatch(r"fastest: \d+ ms", each.reason) for each in chosen[6:])
    assert counted("scripted-2", "fastest") == before + 2


@in_virtual_time
async def test_the_cheapest_is_known_from_the_prices() -> None:
    """Those that the cost is counted by."""
    prices = "scripted-1.prompt_tokens=3,scripted-2.prompt_tokens=2"
    async with (
        started(**TWO, ROUTE="cheapest", PRICES=prices) as node,
        calling(node) as caller,
    ):
        await caller.speaks()
        assert (caller.said, reasons(caller)) == (["B."], ["cheapest"])


@in_virtual_time
async def test_a_model_that_was_chosen_and_fails_is_stood_in_for() -> None:
    """The turn is answered, and why by whom is told."""
    settings = ruled({"use": "scripted-2"}, LLM_2_FAULT="unavailable at open")
    async with started(**settings) as node, calling(node) as caller:
        await caller.speaks()
        assert (caller.said, reasons(caller)) == (["A."], ["provider_unavailable"])
        assert caller.trouble == []


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ROUTE": "fastest"}, "ANTIPHON_LLM names one"),
        ({**TWO, "ROUTE": "rules"}, "ANTIPHON_ROUTE_RULES"),
        ({**TWO, "ROUTE": "cheapest"}, "ANTIPHON_PRICES"),
        (ruled({"use": "large"}), "routing names large; there are scripted-1, scripted-2"),
        (ruled({"use": "scripted-1", "pattern": "("}), "no regular expression"),
        (
            ruled({"use": "scripted-1", "classes": ["a"]}, ROUTE_SMALL="nothing"),
            "there is no language model provider 'nothing'",
        ),
    ],
)
def test_a_route_that_cannot_be_stops_the_start(variables: dict[str, str], words: str) -> None:
    """With what is wrong, and what would do."""
    own = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    with pytest.raises(StartFailed, match=words):
        Pipeline(read({**SCRIPTED, **own})).create()
