"""What the data between the server and its providers promises."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.interfaces import (
    HEARING_RATE,
    HearingOptions,
    Message,
    Prompt,
    Recognised,
    Said,
    Sound,
    Spent,
    ToolSpec,
    ToolUse,
    Used,
    VoiceOptions,
    Word,
)

VALUES: list[msgspec.Struct] = [
    HearingOptions(),
    Recognised("a"),
    ToolUse("c", "t", {}),
    Message(role="user"),
    ToolSpec("t"),
    Prompt(()),
    Said("a"),
    Used(ToolUse("c", "t", {})),
    Spent(1, 2),
    VoiceOptions("v"),
    Word("a", 0, 1),
    Sound(b"", 0),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_was_handed_over_cannot_be_changed(value: msgspec.Struct) -> None:
    """Server and provider may both keep it, whoever made it."""
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, name, None)


def test_a_recogniser_knows_nothing_and_shows_words_unless_told_otherwise() -> None:
    """The defaults of a call that sets nothing."""
    options = HearingOptions()
    assert (options.keyterms, options.prompt, options.language_codes) == ((), None, ())
    assert options.partials


def test_results_and_sounds_are_not_last_unless_they_say_so() -> None:
    """A provider marks the end of a segment or sentence on purpose."""
    assert not Recognised("a").flushed
    assert not Sound(b"", 0).ends
    assert Sound(b"", 0).words == ()


def test_tools_do_not_share_their_schema() -> None:
    """A default that can be changed belongs to one object only."""
    assert ToolSpec("a").parameters is not ToolSpec("b").parameters


def test_all_providers_hear_at_a_rate_that_fits_their_windows() -> None:
    """16 samples a millisecond: the windows of all models are whole milliseconds."""
    assert HEARING_RATE == 16_000


MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=st.text(),
    tool_uses=st.lists(
        st.builds(ToolUse, st.text(), st.text(), st.dictionaries(st.text(), st.integers(-9, 9)))
    ).map(tuple),
    call_id=st.none() | st.text(),
    is_error=st.booleans(),
)


@given(st.builds(Prompt, messages=st.lists(MESSAGES, max_size=3).map(tuple)))
def test_a_prompt_survives_being_written_down(prompt: Prompt) -> None:
    """So that a recorded call can be asked again."""
    assert msgspec.json.decode(msgspec.json.encode(prompt), type=Prompt) == prompt


@pytest.mark.parametrize("role", ["developer", "", None])
def test_a_message_of_another_role_cannot_be_read(role: object) -> None:
    """Providers need to know four roles and no more."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"role": role}, Message)
