"""The settings of one call."""

import pytest

from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import ToolSpec
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
