"""All that a call is served by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from antiphon_protocol.audio import Encoding
from antiphon_providers.interfaces import SpeechToSpeech, VoiceOptions
from antiphon_server.call.ears import Clean, HearingServices
from antiphon_server.call.http_tools import HttpTools
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.journal import JournalFile
from antiphon_server.call.records import Recorder
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.observe.usage import Usage


class AudioTracks(Protocol):
    """What records a session's audio. Nothing here blocks."""

    def user(self, raw: bytes, at_s: float) -> None:
        """Microphone audio as it came, and when."""
        ...

    def agent(self, raw: bytes, at_s: float) -> None:
        """Reply audio as it was sent, and from when it is heard."""
        ...

    def hush(self, at_s: float) -> None:
        """What was to be heard from then on was not."""
        ...

    async def finish(self) -> object:
        """The session is over: nothing more is recorded."""
        ...

    async def keep(self) -> None:
        """Puts what was recorded where recordings are kept."""
        ...


class Services(Struct, frozen=True):
    """The providers of a node, and what else its calls share."""

    hearing: HearingServices
    speaking: SpeakingServices
    audio_lead_ms: float = 200.0
    noise_suppression: Callable[[], Clean] | None = None
    """Makes the noise suppression of one call that asks for voice focus."""
    recorder: Recorder | None = None
    """Where the records of sessions go."""
    http_tools: HttpTools | None = None
    """Runs the tools that have an address."""
    journal: Callable[[str], JournalFile] | None = None
    """Opens the journal of a session, where calls are journalled."""
    recording: Callable[[str, Encoding, Encoding], AudioTracks] | None = None
    """Records a session's audio, where it is wanted."""
    usage: Usage = Usage()
    """Counts what providers were used for."""
    models: Callable[[str, str], str] = lambda _stage, _provider: ""
    """The model of a stage's provider, where settings name one."""
    clock: Callable[[], float] = time.monotonic
    """Seconds. Not ``loop.time``: uvloop's stands still while a callback runs."""
    speech_to_speech: SpeechToSpeech | None = None
    """Hears and answers calls in speech, instead of the recogniser and the language model, which
    stand in for it.
    """

    def conversing(self, voice: Callable[[], VoiceOptions]) -> Services:
        """For one call in speech: its ears and its replies share one conversation, if there is
        a model for it. ``voice`` is asked when it is opened.
        """
        model = self.speech_to_speech
        if model is None:
            return self
        interlocutor = Interlocutor(model, self.hearing.speech_to_text, voice)
        hearing = replace(self.hearing, speech_to_text=interlocutor)
        return replace(
            self, hearing=hearing, speaking=replace(self.speaking, interlocutor=interlocutor)
        )

    @property
    def names(self) -> dict[str, str]:
        """The provider of each stage of a call."""
        recogniser = self.hearing.speech_to_text.name
        judge = self.hearing.turn_model
        interlocutor = self.speaking.interlocutor
        spoken = {} if interlocutor is None else {"speech_to_speech": interlocutor.model.name}
        return {
            "voice_activity": self.hearing.voice_activity.name,
            "turn_detection": recogniser if judge is None else judge.name,
            "speech_to_text": recogniser,
            "language_model": self.speaking.language_model.name,
            "text_to_speech": self.speaking.text_to_speech.name,
            **spoken,
        }
