"""The scripted twins keep to the contracts of what they stand in for."""

from __future__ import annotations

from antiphon_providers import scripted
from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.contract.speech_to_speech import SpeechToSpeechContract
from antiphon_providers.contract.speech_to_text import SpeechToTextContract
from antiphon_providers.contract.text_to_speech import TextToSpeechContract
from antiphon_providers.contract.turn_model import TurnModelContract
from antiphon_providers.contract.voice_activity import VoiceActivityContract
from antiphon_providers.interfaces import (
    LanguageModel,
    SpeechToSpeech,
    SpeechToText,
    TextToSpeech,
    TurnModel,
    VoiceActivity,
)


class TestVoiceActivity(VoiceActivityContract):
    """It keeps to the contract."""

    def make(self) -> VoiceActivity:
        """As it comes."""
        return scripted.ScriptedVoiceActivity()


class TestTurnModel(TurnModelContract):
    """It keeps to the contract."""

    def make(self) -> TurnModel:
        """As it comes."""
        return scripted.ScriptedTurnModel()


class TestSpeechToText(SpeechToTextContract):
    """It keeps to the contract."""

    def make(self) -> SpeechToText:
        """As it comes."""
        return scripted.ScriptedSpeechToText()


class TestTextToSpeech(TextToSpeechContract):
    """It keeps to the contract."""

    def make(self) -> TextToSpeech:
        """As it comes."""
        return scripted.ScriptedTextToSpeech()


class TestLanguageModel(LanguageModelContract):
    """It keeps to the contract."""

    def make(self) -> LanguageModel:
        """As it comes."""
        return scripted.ScriptedLanguageModel()


class TestSpeechToSpeech(SpeechToSpeechContract):
    """It keeps to the contract."""

    def make(self) -> SpeechToSpeech:
        """As it comes."""
        return scripted.ScriptedSpeechToSpeech()
