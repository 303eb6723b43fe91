"""Voices that each break one promise, under their contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec

from antiphon_providers.contract.text_to_speech import TextToSpeechContract
from antiphon_providers.interfaces import Sound, VoiceOptions, Word
from antiphon_providers.scripted import ScriptedTextToSpeech


def of(
    twin: type[ScriptedTextToSpeech], patience_s: float = 2.5, *, unreachable: bool = False
) -> type:
    """The contract of a twin, with little patience where it is to be found out."""
    methods: dict[str, object] = {"make": lambda _: twin(), "patience_s": patience_s}
    if unreachable:
        methods["make_unreachable"] = lambda _: twin()
    return type("Contract", (TextToSpeechContract,), methods)


class Pure(ScriptedTextToSpeech):
    """Breaks none."""


class Changed(ScriptedTextToSpeech):
    """Speaks as it should; twins change its sounds."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Each sound changed."""
        async for sound in super().speak(sentences, options):
            for changed in self.changed(sound):
                yield changed

    def changed(self, sound: Sound) -> list[Sound]:
        """As it is."""
        return [sound]


class TwiceEnded(Changed):
    """Ends each sentence twice."""

    def changed(self, sound: Sound) -> list[Sound]:
        """One end too many."""
        return [sound, Sound(b"", sound.sentence, ends=True)] if sound.ends else [sound]


class Unended(Changed):
    """Ends no sentence."""

    def changed(self, sound: Sound) -> list[Sound]:
        """Without its end."""
        return [msgspec.structs.replace(sound, ends=False)]


class Halved(Changed):
    """Cuts samples in the middle."""

    def changed(self, sound: Sound) -> list[Sound]:
        """In two, at an odd byte."""
        first = Sound(sound.pcm[:1], sound.sentence)
        return [first, msgspec.structs.replace(sound, pcm=sound.pcm[1:])]


class Mistimed(Changed):
    """Times its words from the beginning of the world."""

    def changed(self, sound: Sound) -> list[Sound]:
        """An hour late."""
        words = tuple(
            Word(word.text, word.start_ms + 3_600_000, word.end_ms + 3_600_000)
            for word in sound.words
        )
        return [msgspec.structs.replace(sound, words=words)]


class Waiting(ScriptedTextToSpeech):
    """Wants to know everything first."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Begins when the last sentence is written."""
        text = [sentence async for sentence in sentences]

        async def known() -> AsyncIterator[str]:
            for sentence in text:
                yield sentence

        async for sound in super().speak(known(), options):
            yield sound


class Blocking(Changed):
    """Keeps the event loop from everybody else."""

    def changed(self, sound: Sound) -> list[Sound]:
        """Works there and then."""
        if sound.ends:
            threading.Event().wait(0.8)
        return [sound]


class Stubborn(ScriptedTextToSpeech):
    """Does not hear that it is interrupted."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Says all it has to say, whoever cancels."""
        waits_s = 0.01
        async for sound in super().speak(sentences, options):
            try:
                yield sound
                await asyncio.sleep(waits_s)
            except asyncio.CancelledError:
                waits_s = 0


class Mingling(ScriptedTextToSpeech):
    """Gives one call's sound to another."""

    calls = 0

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Says more where more are speaking."""
        self.calls += 1
        try:
            async for sound in super().speak(sentences, options):
                await asyncio.sleep(0)
                yield msgspec.structs.replace(sound, pcm=sound.pcm * self.calls)
        finally:
            self.calls -= 1


class Deafened(ScriptedTextToSpeech):
    """Takes a writer that fails for one that has finished."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """Swallows what it raises."""
        try:
            async for sound in super().speak(sentences, options):
                yield sound
        except LookupError:
            return


class Skipping(ScriptedTextToSpeech):
    """Leaves out what has no words."""

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """And does not count it either."""

        async def worded() -> AsyncIterator[str]:
            async for sentence in sentences:
                if sentence:
                    yield sentence

        async for sound in super().speak(worded(), options):
            yield sound


class Deserted(ScriptedTextToSpeech):
    """Forgets its speech when it closes."""

    async def close(self) -> None:
        """It goes on."""


class Untidy(ScriptedTextToSpeech):
    """Leaves work behind."""

    async def start(self) -> None:
        """Work without an end."""
        self.work = asyncio.create_task(asyncio.Event().wait())


class Talkative(ScriptedTextToSpeech):
    """Lets a library's error out."""

    async def start(self) -> None:
        """Its service is not there."""
        raise ConnectionRefusedError("port 9")


TestSound = of(Pure, patience_s=60)
TestTwiceEnded = of(TwiceEnded)
TestUnended = of(Unended)
TestHalved = of(Halved)
TestMistimed = of(Mistimed)
TestWaiting = of(Waiting)
TestBlocking = of(Blocking)
TestStubborn = of(Stubborn)
TestMingling = of(Mingling)
TestDeafened = of(Deafened)
TestSkipping = of(Skipping)
TestDeserted = of(Deserted)
TestUntidy = of(Untidy)
TestTalkative = of(Talkative, unreachable=True)
