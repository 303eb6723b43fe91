"""The table of the conversation."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_server.conversation import machine, states, vocabulary
from antiphon_server.conversation.manners import ADAPTIVE, Manners, Patience
from antiphon_server.conversation.states import State
from antiphon_server.conversation.vocabulary import StartReply, Wait
from generators.state_table import EVENTS, MANNERS, PATH, STATES, meanings_of, outputs, written

PAGE = outputs()[PATH]


def test_every_state_and_every_event_has_an_example() -> None:
    """A new state or event must be added to the examples."""
    assert {type(state) for state in STATES} == set(states.STATES)
    assert {type(event) for event in EVENTS} == set(vocabulary.EVENTS)


@pytest.mark.parametrize("kind", states.STATES, ids=lambda kind: kind.__name__)
def test_every_state_has_a_section_with_its_meaning(kind: type[State]) -> None:
    """In the order of the states' module."""
    section = PAGE.split(f"\n## {kind.__name__}\n")[1].split("\n## ")[0]
    assert (kind.__doc__ or "").split()[0] in section
    assert "From `" in section


def test_every_timer_is_listed_with_its_time_and_where_it_matters() -> None:
    """Those of the manners, in milliseconds."""
    section = PAGE.split("\n## Timers\n")[1].split("\n## ")[0]
    assert f"\n| `grace` | {MANNERS.grace_ms} | `Waiting` |" in section
    assert f"\n| `first_sound` | {MANNERS.first_sound_ms} | `Thinking` |" in section
    for timer in ("utterance", "silence", "words", "insist", "reply", "session", "tool:call_1"):
        assert f"\n| `{timer}` | " in section


def test_every_time_of_the_manners_is_explained() -> None:
    """A number without its meaning is of no use."""
    section = PAGE.split("\n## Manners\n")[1].split("\n## ")[0]
    for name in Manners.__struct_fields__:
        if name != "patience":
            assert f"\n| `{name}` | " in section, name
    section = PAGE.split("\n## Patience\n")[1].split("\n## ")[0]
    for name in Patience.__struct_fields__:
        assert f"\n| `{name}` | {getattr(ADAPTIVE['min_latency'], name)} | " in section


def test_the_text_under_a_field_is_its_meaning() -> None:
    """A field without one has none."""
    assert meanings_of(Patience)["hanging"] == "It sounded final, but the last word promises more."
    assert "patience" not in meanings_of(Manners)


def test_every_event_and_every_command_is_explained() -> None:
    """In two lists at the end."""
    glossary = PAGE.split("\n## Events\n")[1]
    for kind in (*vocabulary.EVENTS, *vocabulary.COMMANDS):
        assert f"\n| `{kind.__name__}` | " in glossary


def test_every_event_matters_somewhere() -> None:
    """An example that changes nothing anywhere would show nothing."""
    for event in EVENTS:
        if event != vocabulary.SessionOpened(greets=False):
            assert f"\n| `{written(event)}` |" in PAGE, event


def test_an_event_of_another_reply_changes_nothing() -> None:
    """The page says so in one sentence instead of a row for each."""
    for state in STATES:
        for event in EVENTS:
            if hasattr(event, "reply"):
                stale = msgspec.structs.replace(event, reply=99)
                assert machine.step(state, stale, MANNERS) == (state, ())


def test_what_is_noted_for_later_is_shown() -> None:
    """Otherwise a request made while the user speaks would seem to be lost."""
    section = PAGE.split("\n## Listening\n")[1].split("\n## ")[0]
    (row,) = (line for line in section.splitlines() if line.startswith("| `ReplyRequested`"))
    assert 'noted: `wish={"instructions":null}`' in row


def test_defaults_and_books_are_left_out() -> None:
    """What is written is what matters for the row."""
    assert written(Wait("reply", 600_000)) == 'Wait("reply", 600000)'
    assert written(StartReply(2, "greeting")) == 'StartReply(2, "greeting")'
    assert written(StartReply(2, "greeting", tools=False)).endswith('"greeting", tools=false)')
    assert written(states.Quiet()) == "Quiet"
