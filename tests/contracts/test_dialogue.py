"""The embedded agent keeps to the contract of language models."""

from __future__ import annotations

from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.interfaces import LanguageModel
from antiphon_providers.local.dialogue import Dialogue, DialogueOptions


class TestDialogue(LanguageModelContract):
    """It keeps to the contract."""

    def make(self) -> LanguageModel:
        """As it comes."""
        return Dialogue(DialogueOptions())
