"""The best voice that this machine can speak with, without a network."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from msgspec import Meta, Struct

from antiphon_providers.errors import NotInstalled
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.local import flite_library
from antiphon_providers.local.espeak import Espeak, EspeakOptions
from antiphon_providers.local.flite import Flite, FliteOptions


class LocalVoiceOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the embedded voice, whichever it is."""

    pace: Annotated[
        float, Meta(ge=0.5, le=2, description="Of all voices: 1.2 is a fifth faster.")
    ] = 1.0


class LocalVoice:
    """flite where its libraries load, else espeak-ng; ``engine`` tells which."""

    Options = LocalVoiceOptions
    name = "local"

    def __init__(self, options: LocalVoiceOptions | None = None) -> None:
        self.options = options or LocalVoiceOptions()
        self._voice: Flite | Espeak
        try:
            flite_library.library()
            self._voice = Flite(FliteOptions(pace=self.options.pace))
        except NotInstalled:
            self._voice = Espeak(EspeakOptions(pace=self.options.pace))

    @property
    def engine(self) -> str:
        """Name of the provider that speaks: ``flite`` or ``espeak``."""
        return self._voice.name

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self._voice.rate

    async def start(self) -> None:
        """Loads the engine. Raises ``ProviderError``."""
        await self._voice.start()

    async def close(self) -> None:
        """Releases it."""
        await self._voice.close()

    def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The engine's sound. Raises ``ProviderError``."""
        return self._voice.speak(sentences, options)


best_local_voice = LocalVoice
