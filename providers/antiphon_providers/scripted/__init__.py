"""Public in-memory twins of all stages, for tests, load tests and demonstrations.

They need no model, no network and no wall clock: all delays are the event loop's, all answers
follow from their options, so the same run gives the same results. Everything in ``Options``
can be set from text (``ANTIPHON_LLM=scripted ANTIPHON_LLM_FIRST_TOKEN_MS=300``); what text
cannot say (a callable, a fault chosen between two calls) is given in Python.

Each has a ``desk`` that counts its streams (``opened``, ``closed``, ``active``) and holds the
``Fault`` by which the next streams fail.
"""

from antiphon_providers.scripted.desk import Desk, Fault
from antiphon_providers.scripted.language_model import ScriptedLanguageModel
from antiphon_providers.scripted.speech_to_speech import ScriptedSpeechToSpeech
from antiphon_providers.scripted.speech_to_text import ScriptedSpeechToText
from antiphon_providers.scripted.text_to_speech import ScriptedTextToSpeech
from antiphon_providers.scripted.turn_model import ScriptedTurnModel
from antiphon_providers.scripted.voice_activity import ScriptedVoiceActivity

__all__ = [
    "Desk",
    "Fault",
    "ScriptedLanguageModel",
    "ScriptedSpeechToSpeech",
    "ScriptedSpeechToText",
    "ScriptedTextToSpeech",
    "ScriptedTurnModel",
    "ScriptedVoiceActivity",
]
