"""What of a reply goes on record, beside what was told."""

from __future__ import annotations

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Chosen, Said
from antiphon_server.call import records as r
from server.call.scripted_call import Stages, calling, llm, script, silent, stt, voiced
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time


@in_virtual_time
async def test_the_stages_on_record_are_those_that_the_client_was_told() -> None:
    """To the microsecond, with who served them: they read the same marks."""
    recorder = RecorderTwin()
    stages = Stages(llm=llm(first_token_ms=300), recorder=recorder)
    async with calling(stages, timeline=True, system_prompt="p") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
        (told,) = caller.heard(wire.TurnTimeline)
    (said,) = recorder.of(r.AgentSaid)
    assert said.stages == dict(told.stages)
    assert said.stages["language_model_first_token"] == pytest.approx(300, abs=1)
    assert said.stages["response"] == pytest.approx(said.time_to_first_audio_ms, abs=0.002)
    assert said.providers == dict(told.providers)


@in_virtual_time
async def test_what_was_cut_off_is_on_record_beside_what_was_heard() -> None:
    """Together they are what was written; words have their times in the call."""
    recorder = RecorderTwin()
    stages = Stages(stt=stt(utterances="wait a moment please"), recorder=recorder)
    long = "One two three four five six seven eight nine ten eleven twelve thirteen."
    async with calling(stages, greeting=long) as caller:
        await caller.until(wire.ReplyAudio)
        await caller.play(silent(1500) + voiced(1400))
        await caller.until(wire.ReplyDone)
    said = recorder.of(r.AgentSaid)[0]
    assert said.text
    assert said.unheard
    assert f"{said.text} {said.unheard}" == long
    heard = said.words[: len(said.text.split())]
    assert [word for word, _, _ in heard] == said.text.split()
    begins = [begin for _, begin, _ in said.words]
    assert begins == sorted(begins)
    assert begins[0] == pytest.approx(said.sounded_ms, abs=60)
    assert heard[-1][1] <= said.ended_ms


@in_virtual_time
async def test_a_whole_reply_has_all_of_its_words_and_nothing_unheard() -> None:
    """None of them twice."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), greeting="Hello there. How are you?") as caller:
        await caller.until(wire.ReplyDone)
    (said,) = recorder.of(r.AgentSaid)
    assert [word for word, _, _ in said.words] == ["Hello", "there.", "How", "are", "you?"]
    assert said.unheard == ""


@in_virtual_time
async def test_a_reply_in_text_has_no_times_of_words() -> None:
    """Nobody heard it."""
    recorder = RecorderTwin()
    async with calling(
        Stages(recorder=recorder), greeting="Hello there.", output={"type": "text"}
    ) as caller:
        await caller.until(wire.ReplyDone)
    (said,) = recorder.of(r.AgentSaid)
    assert (said.text, said.unheard, said.words) == ("Hello there.", "", ())


@in_virtual_time
async def test_who_was_chosen_is_on_record_with_the_model_and_the_reason() -> None:
    """Where several could have written it."""
    recorder = RecorderTwin()
    model = script([Chosen("openai-2", "large", "cheapest"), Said("It is seven.")])
    async with calling(Stages(llm=model, recorder=recorder), system_prompt="p") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
    (said,) = recorder.of(r.AgentSaid)
    assert said.providers["language_model"] == "openai-2"
    assert said.models == {"language_model": "large"}
    assert said.reasons == {"language_model": "cheapest"}


@in_virtual_time
async def test_of_a_reply_that_never_sounded_it_is_known_how_far_it_came() -> None:
    """Interrupted while the model thought: neither a response nor the server's share."""
    recorder = RecorderTwin()
    stages = Stages(llm=llm(first_token_ms=5_000), recorder=recorder)
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        await caller.play(silent(500) + voiced(900) + silent(400))
        await caller.until(wire.ReplyDone)
    said = recorder.of(r.AgentSaid)[0]
    assert said.sounded_ms is None
    assert "endpointing" in said.stages
    assert not {"response", "server_overhead"} & said.stages.keys()
    assert said.words == ()
