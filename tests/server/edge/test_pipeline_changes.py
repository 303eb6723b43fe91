"""Providers are changed while calls go on: each stage, many calls, and what cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.edge.pipeline import START_SECONDS, Pipeline
from antiphon_server.observe.metrics import REGISTRY
from antiphon_server.settings import STAGE_OPTIONS, Candidate, read
from antiphon_server.stages.changes import ChangeFailed
from server.edge.asgi_client import SCRIPTED, started
from server.edge.calls_in_progress import calling
from server.edge.starting import FAILURES, Starting, starting
from virtual_time import in_virtual_time

__all__ = ["starting"]

CALLERS = 20


def chosen(setting: str, *options: dict[str, str], name: str = "scripted") -> list[Candidate]:
    """Scripted providers with these options, in order."""
    return [
        Candidate(setting if place == 1 else f"{setting}_{place}", name, each)
        for place, each in enumerate(options, 1)
    ]


OTHERS: dict[str, Sequence[Candidate]] = {
    "vad": chosen("vad", {"voice": "0.9"}),
    "turn": chosen("turn", {"fault": ""}),
    "stt": chosen("stt", {"utterances": "another recogniser"}),
    "llm": chosen("llm", {"replies": "Another model."}),
    "tts": chosen("tts", {"chunk_ms": "40"}),
}
"""For each stage, another that does the same work."""


def provider_of(pipeline: Pipeline, setting: str) -> Any:
    """The provider that new work of a stage goes to, without its wrappers."""
    lineup = pipeline.lineups[setting]
    return lineup.candidates[0].provider if lineup.candidates else lineup.provider


async def until_left(desk: Any) -> None:
    """Fails unless a provider is left by everybody within some seconds of virtual time."""
    await asyncio.sleep(5)
    assert desk.active == 0


@pytest.mark.parametrize("setting", STAGE_OPTIONS)
@in_virtual_time
async def test_a_stage_is_changed_in_the_middle_of_a_call(setting: str) -> None:
    """While the caller speaks: that turn and the next are answered, the next by the new one, and
    nobody uses the old one any more. The client is told what it would have been told without a
    change, event by event.
    """
    async with started() as node, calling(node) as undisturbed:
        for _ in range(3):
            await undisturbed.speaks()
    async with started() as node, calling(node) as caller:
        await caller.speaks()
        old = provider_of(node.pipeline, setting)
        change = {setting: OTHERS[setting]}
        tasks = []
        await caller.speaks(lambda: tasks.append(asyncio.create_task(node.pipeline.change(change))))
        changed = await tasks[0]
        new = provider_of(node.pipeline, setting)
        await caller.speaks()
        assert list(changed) == [setting]
        assert new is not old
        assert new.desk.opened >= 1
        assert (len(caller.said), len(caller.understood), caller.trouble) == (3, 3, [])
        assert caller.client.kinds == undisturbed.client.kinds
        await until_left(old.desk)


@in_virtual_time
async def test_what_a_new_provider_says_is_heard_from_the_next_turn_on() -> None:
    """The recogniser's words, the model's answer, and the timeline's names."""
    said = {"LLM_REPLIES": "One.", "STT_UTTERANCES": "first"}
    async with started(**said) as node, calling(node) as caller:
        await caller.speaks()
        two = chosen("llm", {"replies": "Another model."}, {})
        await node.pipeline.change({"stt": OTHERS["stt"], "llm": two})
        await caller.speaks()
        assert caller.said == ["One.", "Another model."]
        assert caller.understood == ["first", "another recogniser"]
        names = [served["language_model"] for served in caller.served]
        assert names == ["scripted", "scripted-1"]


@in_virtual_time
async def test_a_model_that_hears_and_speaks_is_changed_in_the_middle_of_a_call() -> None:
    """Who heard the caller answers; the next turn is the new one's."""
    async with started(S2S="scripted", S2S_REPLIES="One.") as node, calling(node) as caller:
        await caller.speaks()
        old = provider_of(node.pipeline, "s2s")
        change = {"s2s": chosen("s2s", {"replies": "Another model.", "rate": "16000"})}
        tasks = []
        await caller.speaks(lambda: tasks.append(asyncio.create_task(node.pipeline.change(change))))
        await tasks[0]
        await caller.speaks()
        assert caller.said == ["One.", "One.", "Another model."]
        assert (len(caller.understood), caller.trouble) == (3, [])
        await until_left(old.desk)


@in_virtual_time
async def test_all_stages_are_changed_under_twenty_calls() -> None:
    """Each call says and hears all of its turns, whatever it was in the middle of."""
    async with started() as node, AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(calling(node)) for _ in range(CALLERS)]

        async def talks(number: int) -> None:
            # Not in step: each is somewhere else in its turn.
            await asyncio.sleep(number * 0.13)
            for _ in range(3):
                await callers[number].speaks()

        talking = [asyncio.create_task(talks(number)) for number in range(CALLERS)]
        desks = [provider_of(node.pipeline, setting).desk for setting in STAGE_OPTIONS]
        for setting in STAGE_OPTIONS:
            await asyncio.sleep(0.9)
            await node.pipeline.change({setting: OTHERS[setting]})
        await asyncio.gather(*talking)
        for caller in callers:
            assert (len(caller.said), len(caller.understood)) == (3, 3)
            assert caller.trouble == []
        for desk in desks:
            await until_left(desk)


@in_virtual_time
async def test_an_old_provider_is_closed_when_its_last_turn_is_over() -> None:
    """Not before: the reply that it writes is written to its end."""
    slow = {"LLM_REPLIES": "one two three four five six", "LLM_PER_TOKEN_MS": "300"}
    async with started(**slow) as node, calling(node) as caller:
        old = provider_of(node.pipeline, "llm")
        speaking = asyncio.create_task(caller.speaks())
        await caller.client.until(wire.ReplyStarted)
        await asyncio.sleep(0)
        await node.pipeline.change({"llm": OTHERS["llm"]})
        assert old.desk.active == 1
        await speaking
        assert caller.said == ["one two three four five six"]
        await until_left(old.desk)


@in_virtual_time
async def test_two_changes_at_once_come_one_after_the_other() -> None:
    """Both are made; the later one stays, and the version counts both."""
    async with started() as node:
        pipeline = node.pipeline
        first, second = (chosen("llm", {"replies": text}) for text in ("A", "B"))
        await asyncio.gather(pipeline.change({"llm": first}), pipeline.change({"llm": second}))
        lineup = pipeline.lineups["llm"]
        assert (lineup.version, lineup.chosen[0].options) == (3, {"replies": "B"})


@in_virtual_time
async def test_the_same_again_changes_nothing() -> None:
    """No new version, no new provider."""
    async with started() as node:
        await node.pipeline.change({"llm": OTHERS["llm"]})
        before = node.pipeline.lineups["llm"]
        assert await node.pipeline.change({"llm": OTHERS["llm"]}) == {}
        assert node.pipeline.lineups["llm"] is before


@pytest.mark.parametrize(
    ("setting", "wanted", "words"),
    [
        ("llm", chosen("llm", {}, name="nothing"), "installed: "),
        ("llm", chosen("llm", {"temperature": "1"}), "its options: "),
        ("llm", chosen("llm", {"first_token_ms": "soon"}), "first_token_ms"),
        ("stt", chosen("stt", {}, {"fault": "nonsense"}), "'nonsense' is no fault"),
        ("vad", chosen("vad", {}, {}), "one provider serves this stage, and 2 are named"),
    ],
)
async def test_what_cannot_be_made_is_refused_and_the_old_one_stays(
    setting: str, wanted: Sequence[Candidate], words: str
) -> None:
    """In the provider's own words; also where another stage of the same change could be."""
    pipeline = Pipeline(read(SCRIPTED))
    pipeline.create()
    await pipeline.start()
    before = dict(pipeline.lineups)
    with pytest.raises(ChangeFailed, match=words) as failed:
        await pipeline.change({"tts": OTHERS["tts"], setting: wanted})
    assert failed.value.setting == setting
    assert pipeline.lineups == before
    await pipeline.close()


async def test_a_stage_that_the_recogniser_judges_is_not_changed() -> None:
    """There is no turn model that another could take over from."""
    pipeline = Pipeline(read({**SCRIPTED, "ANTIPHON_TURN": "recogniser"}))
    pipeline.create()
    with pytest.raises(ChangeFailed, match="needs a restart"):
        await pipeline.change({"turn": OTHERS["turn"]})


def start(setting: str, how: str) -> dict[str, Sequence[Candidate]]:
    """A stage's change to a provider that starts so."""
    return {setting: chosen(setting, {"start": how}, name="starting")}


@pytest.mark.parametrize("how", FAILURES)
async def test_a_provider_that_does_not_start_takes_nothing_over(
    starting: list[Starting], how: str
) -> None:
    """It is closed, and so is one that started for another stage of the same change."""
    pipeline = Pipeline(read(SCRIPTED))
    pipeline.create()
    await pipeline.start()
    before = dict(pipeline.lineups)
    with pytest.raises(ChangeFailed, match=FAILURES[how].message) as failed:
        await pipeline.change({**start("tts", "works"), **start("llm", how)})
    assert failed.value.setting == "llm"
    assert pipeline.lineups == before
    assert [each.closed for each in starting] == [1, 1]
    await pipeline.close()


@in_virtual_time
async def test_a_provider_that_never_starts_is_given_up(starting: list[Starting]) -> None:
    """After a minute, and the stage can be changed again."""
    async with started() as node:
        with pytest.raises(ChangeFailed, match="not started within 60 s"):
            await node.pipeline.change(start("llm", "hangs"))
        assert asyncio.get_running_loop().time() >= START_SECONDS
        assert [each.closed for each in starting] == [1]
        await node.pipeline.change({"llm": OTHERS["llm"]})
        assert node.pipeline.lineups["llm"].version == 2


@in_virtual_time
async def test_a_change_that_comes_with_the_end_leaves_nothing_running(
    starting: list[Starting],
) -> None:
    """What was started for it is closed, and so it is where the change is called off."""
    async with started() as node:
        changing = asyncio.create_task(
            node.pipeline.change({**start("tts", "works"), **start("llm", "hangs")})
        )
        await asyncio.sleep(1)
        changing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await changing
        await node.pipeline.close()
        with pytest.raises(ChangeFailed, match="the server stops"):
            await node.pipeline.change(start("llm", "works"))
    assert [each.closed for each in starting] == [1, 1, 1]


@in_virtual_time
async def test_the_breaker_in_metrics_is_that_of_who_serves() -> None:
    """What the old one's breaker does later is not told of the new one of the same name."""
    of = {"stage": "language_model", "provider": "scripted"}
    async with started(LLM_FAULT="refused at open") as node:
        old = node.pipeline.lineups["llm"]
        old.watch.breaker("scripted", "open")
        assert REGISTRY.get_sample_value("antiphon_provider_breaker", of) == 2
        await node.pipeline.change({"llm": OTHERS["llm"]})
        assert REGISTRY.get_sample_value("antiphon_provider_breaker", of) == 0
        old.watch.breaker("scripted", "half_open")
        assert REGISTRY.get_sample_value("antiphon_provider_breaker", of) == 0
