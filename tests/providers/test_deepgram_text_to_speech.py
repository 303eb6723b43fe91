"""Aura as a voice, against a fake that the vendor's SDK has proven."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from antiphon_providers.contract.text_to_speech import (
    SENTENCES,
    TextToSpeechContract,
    each,
    pcm_of,
    spoken,
)
from antiphon_providers.deepgram_text_to_speech import DeepgramVoice, DeepgramVoiceOptions
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from fakes.assemblyai_voice import sound
from fakes.deepgram import KEY, FakeDeepgram, Fault


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


def voice(fake: FakeDeepgram, **options: Any) -> DeepgramVoice:
    """Aura at the fake."""
    return DeepgramVoice(DeepgramVoiceOptions(**{"api_key": KEY, "base_url": fake.url, **options}))


@pytest.fixture
async def provider(fake: FakeDeepgram) -> AsyncIterator[DeepgramVoice]:
    """Aura at the fake, running."""
    aura = voice(fake, first_ms=400, progress_ms=400, connect_ms=400)
    await aura.start()
    yield aura
    await aura.close()


class TestContract(TextToSpeechContract):
    """Aura keeps to what every voice must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeDeepgram) -> None:
        self.fake = fake

    def make(self) -> DeepgramVoice:
        """Aura at the fake."""
        return voice(self.fake)


async def test_sentences_sound_as_they_were_said(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """All sound of each sentence, from one connection that the start has opened."""
    sounds = await spoken(provider, "anna", *SENTENCES)
    for number, sentence in enumerate(SENTENCES):
        assert pcm_of([one for one in sounds if one.sentence == number]) == sound(sentence)
    session = fake.sessions[0]
    assert len(fake.sessions) == 1
    assert session.headers["Authorization"] == f"Token {KEY}"
    assert session.query == {
        "model": ["aura-2-thalia-en"],
        "encoding": ["linear16"],
        "sample_rate": ["24000"],
    }
    assert session.types() == ["Speak", "Flush"] * 3


async def test_a_name_has_the_voice_that_it_was_given(fake: FakeDeepgram) -> None:
    """Names of the catalogue are mapped; the vendor's own are taken as they are."""
    options = DeepgramVoiceOptions(voices='{"anna": "aura-2-luna-en"}', voice="aura-2-zeus-en")
    assert options.voice_of("anna") == "aura-2-luna-en"
    assert options.voice_of("aura-asteria-en") == "aura-asteria-en"
    assert options.voice_of("charles") == "aura-2-zeus-en"
    aura = voice(fake, voices=options.voices)
    await aura.start()
    await spoken(aura, "anna", "Hello.")
    assert fake.sessions[-1].parameter("model") == "aura-2-luna-en"
    await aura.close()


async def test_what_is_given_up_is_cleared_and_never_heard(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """``Clear`` is said at once; the next reply hears nothing of the one before."""
    async with aclosing(provider.speak(each(*SENTENCES), VoiceOptions("anna"))) as sounds:
        await anext(sounds)
    await fake.sessions[0].until("Clear")
    again = await spoken(provider, "anna", SENTENCES[2])
    assert pcm_of(again) == sound(SENTENCES[2])


async def test_a_connection_that_does_not_confirm_is_given_up(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """Without ``Cleared`` another connection speaks."""
    fake.sessions[0].fault.deaf.add("Clear")
    async with aclosing(provider.speak(each(*SENTENCES), VoiceOptions("anna"))) as sounds:
        await anext(sounds)
    assert pcm_of(await spoken(provider, "anna", "Goodbye.")) == sound("Goodbye.")
    assert len(fake.sessions) == 2
    await fake.sessions[0].connection.wait_closed()


async def test_a_long_reply_goes_on_with_another_connection(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """The vendor takes 20 sentences in a minute on each; nothing of 45 is lost."""
    sentences = [f"Number {number}." for number in range(45)]
    sounds = await spoken(provider, "anna", *sentences)
    assert pcm_of(sounds) == b"".join(map(sound, sentences))
    assert [one.sentence for one in sounds if one.ends] == list(range(45))
    flushes = [session.types().count("Flush") for session in fake.sessions]
    assert flushes == [20, 20, 5]


async def test_a_long_sentence_is_sent_in_parts(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """A ``Speak`` has at most 2000 characters."""
    sentence = "a" * 2001
    assert pcm_of(await spoken(provider, "anna", sentence)) == sound(sentence)
    texts = [frame["text"] for frame in fake.sessions[0].frames if frame["type"] == "Speak"]
    assert list(map(len, texts)) == [2000, 1]


async def test_sound_that_is_cut_in_the_middle_of_a_sample_is_put_together(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """Messages of any length give whole samples."""
    fake.sessions[0].fault.instead["Sound"] = [b"\x01", b"\x02\x03", b"\x04"]
    sounds = await spoken(provider, "anna", "Hi")
    assert pcm_of(sounds) == b"\x01\x02\x03\x04"
    assert all(len(one.pcm) % 2 == 0 for one in sounds)


async def test_refusals_are_in_the_vendors_own_words(fake: FakeDeepgram) -> None:
    """A wrong key or voice is found at the start; one of a caller when it speaks."""
    with pytest.raises(Refused, match=r"Invalid credentials\."):
        await voice(fake, api_key="another-key").start()
    with pytest.raises(Refused, match="No such model: nobody"):
        await voice(fake, voice="nobody").start()
    aura = voice(fake, voices='{"anna": "nobody"}')
    await aura.start()
    with pytest.raises(Refused, match="No such model: nobody"):
        await spoken(aura, "anna", "Hello.")
    await aura.close()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(deaf={"Flush"}), TooSlow),
        (Fault(mute=True), TooSlow),
        (Fault(delays={"Flushed": 5}), TooSlow),
        (Fault(instead={"Sound": []}), Malformed),
        (Fault(instead={"Flushed": ["no JSON"]}), Malformed),
        (Fault(instead={"Flushed": ["[1]"]}), Malformed),
        (Fault(instead={"Flushed": ['{"type": 5}']}), Malformed),
        (Fault(close={"Flush": (1011, "See NET-0001")}), Unavailable),
        (Fault(close={"Flush": (1008, "See DATA-0000")}), Refused),
        (Fault(close={"Flush": (1000, "")}), Unavailable),
        (Fault(close={"Flush": (1006, "")}), Unavailable),
        (Fault(after={"Flush": ['{"type": "Error", "description": "no GPU"}']}), Unavailable),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeDeepgram, provider: DeepgramVoice, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong is one of our errors, and the next reply is whole."""
    fake.fault = fault
    # Another voice, so that the connection is new.
    with pytest.raises(ProviderError) as failed:
        await spoken(provider, "aura-asteria-en", "Hello.")
    assert type(failed.value) is kind
    assert failed.value.provider == "deepgram"
    fake.fault = Fault()
    assert pcm_of(await spoken(provider, "aura-asteria-en", "Hello.")) == sound("Hello.")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "3"}), Unavailable),
        (Fault(status=500), Unavailable),
        (Fault(hang=True), TooSlow),
    ],
)
async def test_a_connection_that_cannot_be_had_fails_the_reply(
    fake: FakeDeepgram, provider: DeepgramVoice, fault: Fault, kind: type[ProviderError]
) -> None:
    """The vendor's refusal to connect is the reply's failure."""
    fake.fault = fault
    with pytest.raises(ProviderError) as failed:
        await spoken(provider, "aura-asteria-en", "Hello.")
    assert type(failed.value) is kind
    assert failed.value.retry_after_s == (3 if fault.headers else None)


async def test_a_warning_is_told_with_the_failure_that_follows(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """A vendor that warns and then says nothing is quoted."""
    warning = json.dumps({"type": "Warning", "code": "X", "description": "you are too fast"})
    fake.sessions[0].fault.after["Speak"] = [warning]
    fake.sessions[0].fault.deaf.add("Flush")
    with pytest.raises(TooSlow, match="you are too fast"):
        await spoken(provider, "anna", "Hello.")


async def test_a_connection_that_was_lost_between_replies_is_replaced(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """What the vendor closed is not used again."""
    living = set(provider._pool.sessions)
    await fake.sessions[0].connection.close(1011, "idle")
    await asyncio.wait(living)
    assert pcm_of(await spoken(provider, "anna", "Hello.")) == sound("Hello.")
    assert len(fake.sessions) == 2


async def test_replies_at_one_time_have_connections_of_their_own(
    fake: FakeDeepgram, provider: DeepgramVoice
) -> None:
    """No reply hears another's sound; a connection is used again when it is free."""
    replies = await asyncio.gather(*(spoken(provider, "anna", one) for one in SENTENCES))
    assert [pcm_of(reply) for reply in replies] == [sound(one) for one in SENTENCES]
    opened = len(fake.sessions)
    assert opened <= len(SENTENCES)
    await spoken(provider, "anna", "Hello.")
    assert len(fake.sessions) == opened


async def test_nothing_is_said_before_the_start_or_after_the_end(fake: FakeDeepgram) -> None:
    """A voice that does not run says so."""
    aura = voice(fake)
    with pytest.raises(Unavailable):
        await spoken(aura, "anna", "Hello.")
    await aura.start()
    await aura.close()
    with pytest.raises(Unavailable):
        await spoken(aura, "anna", "Hello.")


def test_options_are_checked_and_hide_the_key() -> None:
    """A wrong address, map or JSON is found when they are made."""
    assert "a-secret" not in repr(DeepgramVoiceOptions(api_key="a-secret"))
    assert "a-secret" not in str(DeepgramVoiceOptions(api_key="a-secret").__rich_repr__())
    with pytest.raises(ValueError, match="base_url"):
        DeepgramVoiceOptions(base_url="x")
    with pytest.raises(ValueError, match="voices"):
        DeepgramVoiceOptions(voices='{"a": 1}')
    with pytest.raises(ValueError, match="JSON"):
        DeepgramVoiceOptions(extra_query="[")
