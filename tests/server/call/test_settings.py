"""The settings of one call."""

import pytest

from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.conversation.manners import Manners


def test_the_defaults_are_those_of_the_wire() -> None:
    """No prompt, no greeting, PCM both ways, the default voice at native level (section 2.3)."""
    settings = CallSettings()
    assert (settings.system_prompt, settings.greeting, settings.tools) == ("", None, ())
    assert (settings.input, settings.output) == (PCM, PCM)
    assert (settings.voice.voice, settings.volume) == ("anna", None)
    assert settings.manners == Manners()
    assert not settings.voice_focus


def test_a_tool_waits_two_minutes() -> None:
    """Section 3.3, ``timeout_seconds``."""
    assert CallTool(ToolSpec("f")).timeout_ms == 120_000


def test_settings_are_frozen() -> None:
    """A call that changes them gets new ones."""
    with pytest.raises(AttributeError):
        CallSettings().greeting = "Hi."  # type: ignore[misc]


def test_what_is_to_be_said_of_an_outcome_is_found_once() -> None:
    """By the tool and whether it failed; tools without a note, or gone by now, have none."""
    settings = CallSettings(
        tools=(
            CallTool(ToolSpec("book"), success_note="Confirm it.", error_note="Say sorry."),
            CallTool(ToolSpec("look_up")),
        )
    )
    outcomes = [("book", False), ("look_up", False), ("gone", True), ("book", False)]
    assert settings.notes_on(outcomes) == ["Confirm it."]
    assert settings.notes_on([("book", True)]) == ["Say sorry."]
    assert settings.notes_on([]) == []


def test_calls_in_speech_may_be_conversations() -> None:
    """Both ways, and without a language model of their own."""
    assert CallSettings().converses
    assert not CallSettings(input_text=True).converses
    assert not CallSettings(output_text=True).converses
    assert not CallSettings(language_model=ScriptedLanguageModel()).converses
