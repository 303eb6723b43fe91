"""Providers are replaced while calls run."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.contract.language_model import LanguageModelContract, replied, text_of
from antiphon_providers.contract.speech_to_text import SpeechToTextContract
from antiphon_providers.contract.text_to_speech import TextToSpeechContract
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import LanguageModel, Message, Prompt, SpeechToText, TextToSpeech
from antiphon_providers.observer import SILENT
from antiphon_providers.resilience.swap import (
    SwappableLanguageModel,
    SwappableSpeechToText,
    SwappableTextToSpeech,
)
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
)
from antiphon_providers.scripted.language_model import LanguageModelScript
from providers.resilience.hearing_calls import hears, resilient
from providers.resilience.voices import check, spoken, voice
from providers.resilience.witness import Witness
from virtual_time import in_virtual_time

HELLO = Prompt((Message(role="user", content="Hello!"),))


class TestSwappableLanguageModel(LanguageModelContract):
    """A model like any other."""

    def make(self) -> LanguageModel:
        """One that works."""
        return SwappableLanguageModel(ScriptedLanguageModel())


class TestSwappableVoice(TextToSpeechContract):
    """A voice like any other."""

    def make(self) -> TextToSpeech:
        """One that works."""
        return SwappableTextToSpeech(ScriptedTextToSpeech())


class TestSwappableRecogniser(SpeechToTextContract):
    """A recogniser like any other."""

    def make(self) -> SpeechToText:
        """One that works."""
        return SwappableSpeechToText(ScriptedSpeechToText())


class TestSwappableResilientRecogniser(SpeechToTextContract):
    """So is one around several recognisers, of which the first breaks off."""

    def make(self) -> SpeechToText:
        """The second one works."""
        return SwappableSpeechToText(resilient(hears("malformed"), ScriptedSpeechToText()))


class Counted(ScriptedLanguageModel):
    """A model that counts how often it is started and closed."""

    def __init__(self, says: str, failure: Exception | None = None) -> None:
        super().__init__(LanguageModelScript(replies=says, per_token_ms=100))
        self.life: list[str] = []
        self.observer = SILENT
        self.failure = failure

    async def start(self) -> None:
        """Counts, or fails."""
        self.life.append("started")
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        """Counts."""
        self.life.append("closed")
        await super().close()


@in_virtual_time
async def test_a_reply_is_ended_by_the_model_that_began_it() -> None:
    """The next one is the new model's, at once; the old one is closed after its last reply."""
    old, new = Counted("one two three"), Counted("four")
    model = SwappableLanguageModel(old)
    await model.start()
    running = asyncio.create_task(replied(model, HELLO))
    await asyncio.sleep(0.05)
    await model.swap(new)
    assert text_of(await replied(model, HELLO)) == "four"
    assert old.life == ["started"]
    assert text_of(await running) == "one two three"
    await asyncio.sleep(0)
    assert old.life == ["started", "closed"]
    await model.close()
    assert (old.life, new.life) == (["started", "closed"], ["started", "closed"])


@in_virtual_time
async def test_one_that_is_not_used_is_closed_at_once() -> None:
    """And swapping a provider for itself changes nothing."""
    old, new = Counted("one"), Counted("two")
    model = SwappableLanguageModel(old)
    await model.start()
    await model.swap(old)
    await asyncio.sleep(0)
    assert old.life == ["started"]
    await model.swap(new)
    await asyncio.sleep(0)
    assert old.life == ["started", "closed"]
    await model.close()


@in_virtual_time
async def test_one_that_does_not_start_changes_nothing() -> None:
    """It is closed again, and its refusal is told to whoever wanted it."""
    old, new = Counted("one"), Counted("two", Refused("wrong key"))
    model = SwappableLanguageModel(old)
    await model.start()
    with pytest.raises(Refused, match="wrong key"):
        await model.swap(new)
    assert text_of(await replied(model, HELLO)) == "one"
    assert (old.life, new.life) == (["started"], ["started", "closed"])
    await model.close()


@in_virtual_time
async def test_one_that_is_prepared_takes_over_without_another_start() -> None:
    """Until then the old one serves; one that cannot be prepared is closed."""
    old, new, bad = Counted("one"), Counted("two"), Counted("three", Refused("wrong key"))
    model = SwappableLanguageModel(old)
    await model.start()
    with pytest.raises(Refused, match="wrong key"):
        await model.prepare(bad)
    await model.prepare(new)
    assert text_of(await replied(model, HELLO)) == "one"
    await model.swap(new, prepared=True)
    assert text_of(await replied(model, HELLO)) == "two"
    await model.close()
    assert (old.life, new.life) == (["started", "closed"], ["started", "closed"])
    assert bad.life == ["started", "closed"]


@in_virtual_time
async def test_providers_that_others_own_are_neither_started_nor_closed() -> None:
    """Only swapped."""
    old, new = Counted("one"), Counted("two")
    model = SwappableLanguageModel(old, owns=False)
    await model.start()
    await model.swap(new)
    assert text_of(await replied(model, HELLO)) == "two"
    await model.close()
    assert (old.life, new.life) == ([], [])


@in_virtual_time
async def test_closing_closes_what_is_still_in_use() -> None:
    """A reply that runs is ended by that."""
    old, new = Counted("one two three"), Counted("four")
    model = SwappableLanguageModel(old)
    await model.start()
    running = asyncio.create_task(replied(model, HELLO))
    await asyncio.sleep(0.05)
    await model.swap(new)
    await model.close()
    await running
    assert (old.life, new.life) == (["started", "closed"], ["started", "closed"])


@in_virtual_time
async def test_each_provider_is_watched_by_the_same_observer() -> None:
    """Whenever it came."""
    old, new, witness = Counted("one"), Counted("two"), Witness()
    model = SwappableLanguageModel(old)
    model.observer = witness
    await model.swap(new)
    assert (old.observer, new.observer, model.observer) == (witness, witness, witness)
    assert model.name == new.name


@in_virtual_time
async def test_a_new_voice_speaks_at_the_old_rate() -> None:
    """So that nobody who listens must change anything; the reply under way keeps its voice."""
    old, new = voice(), voice(rate=16000)
    speaker = SwappableTextToSpeech(old)
    running = asyncio.create_task(spoken(speaker, "Hello there.", "How are you?"))
    await asyncio.sleep(0)
    await speaker.swap(new)
    check(await spoken(speaker, "I am new here."), ("I am new here.",))
    check(await running, ("Hello there.", "How are you?"))
    assert (list(old.spoken), list(new.spoken)) == (
        ["Hello there.", "How are you?"],
        ["I am new here."],
    )
    assert speaker.rate == 24000


@in_virtual_time
async def test_what_a_provider_raises_is_passed_on() -> None:
    """It is not counted as in use after that."""
    old = voice("unavailable after 2")
    speaker = SwappableTextToSpeech(old)
    with pytest.raises(Unavailable):
        await spoken(speaker, "Hello there.")
    await speaker.swap(voice())
    check(await spoken(speaker, "Hello."), ("Hello.",))
