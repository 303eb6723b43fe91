"""Who has the floor: one type for each phase of a call."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_server.conversation import states
from antiphon_server.conversation.states import STATES, Books, Call, State, Wish
from server.conversation.scenes import EVERY

FULL = Books(
    replies=3, calls=(Call("a", 1), Call("b", 3)), owed="tool_result", wish=Wish("x"), steps=2
)


def test_the_list_of_states_is_complete() -> None:
    """Generators and tests go by it."""
    assert set(STATES) == set(State.__subclasses__())
    assert all(isinstance(getattr(states, kind.__name__), type) for kind in STATES)


@pytest.mark.parametrize("kind", STATES)
def test_every_state_says_what_it_means(kind: type[State]) -> None:
    """In its docstring, which the reference page shows."""
    assert len((kind.__doc__ or "").split()) >= 4
    assert kind.__doc__ != State.__doc__


@pytest.mark.parametrize("kind", STATES)
def test_every_state_carries_the_books(kind: type[State]) -> None:
    """What is true whoever has the floor is in all of them, first, and new in each."""
    assert kind.__struct_fields__[0] == "books"
    assert kind().books == Books()


@pytest.mark.parametrize("state", EVERY)
def test_a_state_is_frozen_and_can_be_compared(state: State) -> None:
    """Two that hold the same are the same, and can be kept in a set."""
    assert msgspec.structs.replace(state) == state
    assert hash(msgspec.structs.replace(state)) == hash(state)
    with pytest.raises(AttributeError):
        state.books = FULL  # type: ignore[misc]


@pytest.mark.parametrize("kind", STATES)
def test_a_state_survives_json(kind: type[State]) -> None:
    """With its name, so that it can be written beside the events that led to it."""
    state = kind(FULL)
    text = msgspec.json.encode(state)
    assert msgspec.json.decode(text, type=kind) == state
    assert msgspec.json.decode(text)["type"] == kind.__name__


def test_what_does_not_exist_in_a_state_cannot_be_stored_in_it() -> None:
    """Only who speaks has words, only a reply has a number."""
    with_words = {kind.__name__ for kind in STATES if "words" in kind.__struct_fields__}
    with_reply = {kind.__name__ for kind in STATES if "reply" in kind.__struct_fields__}
    assert with_words == {"Listening", "Pausing", "Contested", "Doubtful", "Detached"}
    assert with_reply == {"Thinking", "Speaking", "Contested", "Doubtful", "Waiting"}
