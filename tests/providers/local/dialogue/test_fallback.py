"""What is said when nothing better is known."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.local.dialogue.conversation import Conversation, conversation_of
from antiphon_providers.local.dialogue.fallback import corrected, echoed, unheard
from providers.local.dialogue.talking import NOW, WEATHER


def heard(text: str, *tools: ToolSpec) -> Conversation:
    """One utterance."""
    return conversation_of(Prompt((Message(role="user", content=text),), tools), NOW)


def test_a_long_story_is_not_read_back() -> None:
    """Its first words show that it was heard."""
    answer = echoed(heard("once upon a time there was a very long story " * 20)).text
    assert '"once upon a time there was a very' in answer
    assert len(answer) < 200
    assert len(echoed(heard("x" * 2_000)).text) < 200


def test_a_way_on_is_always_shown() -> None:
    """With a tool where there is one."""
    assert "I can get the current weather" in echoed(heard("florble", WEATHER)).text
    assert echoed(heard("florble")).text.count(".") >= 2


def test_silence_is_answered_as_silence() -> None:
    """Punctuation is not a word; a word is not silence."""
    assert unheard(heard("?!")) is not None
    assert unheard(heard("a")) is None


def test_a_correction_is_taken_for_what_was_meant() -> None:
    """And is none where nothing follows."""
    meant = corrected(heard("No, I said: what time is it?"))
    assert meant is not None
    assert meant.utterance == "what time is it?"
    assert corrected(heard("no, I said")) is None
    assert corrected(heard("I like it")) is None
