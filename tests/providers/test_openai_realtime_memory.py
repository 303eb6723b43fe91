"""A list of items is brought in line with a prompt, whatever either of them is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse
from antiphon_providers.openai_realtime_hearing import Segment
from antiphon_providers.openai_realtime_memory import (
    AnyItem,
    Call,
    Change,
    Content,
    HeardItem,
    Item,
    Result,
    Words,
    added,
    change,
    contents_of,
    instructions_of,
    tools_of,
)
from antiphon_providers.openai_realtime_wire import (
    CallDone,
    OutputItem,
    OutputItemAdded,
    SpokenDelta,
    WrittenDelta,
)


def heard(name: str, told: str | None) -> HeardItem:
    """Speech that was told as this."""
    segment = Segment()
    segment.item_id, segment.told = name, told
    return HeardItem(segment)


def said(name: str, text: str) -> Item:
    """An answer."""
    return Item(name, "assistant", text)


def made(items: list[AnyItem], *wanted: Content) -> Change:
    """The change to what is wanted; what it says it leads to is what it leads to."""
    told = change(items, wanted)
    assert applied(items, told) == [item.id for item in told.items]
    return told


def applied(items: list[AnyItem], told: Change) -> list[str]:
    """The ids that the vendor has after the change."""
    ids = [item.id for item in items]
    for deletion in told.deletions:
        ids.remove(deletion.item_id)
    for creation in told.creations:
        before = creation.previous_item_id
        place = len(ids) if before is UNSET else 0 if before == "root" else ids.index(before) + 1
        ids.insert(place, creation.item["id"])
    return ids


def kept(told: Change) -> list[str]:
    """The items that are left as they are, in order."""
    new = {creation.item["id"] for creation in told.creations}
    return [item.id for item in told.items if item.id not in new]


def texts(told: Change) -> list[str]:
    """What new messages say."""
    return [creation.item["content"][0]["text"] for creation in told.creations]


def test_what_is_the_same_is_left_alone() -> None:
    """White space is no difference."""
    items: list[AnyItem] = [heard("a", "One  two."), said("b", " Three.\n")]
    told = made(items, Words("user", "One two. "), Words("assistant", "Three."))
    assert (told.deletions, told.creations) == ([], [])


def test_speech_is_kept_where_together_it_says_a_message() -> None:
    """Noise, what was forgotten and what has no words yet go."""
    items: list[AnyItem] = [
        heard("a", "I would"),
        heard("b", ""),
        heard("c", "forgotten"),
        heard("d", "like tea."),
        heard("e", None),
    ]
    told = made(items, Words("user", "I would like tea."))
    assert kept(told) == ["a", "d"]
    assert [deletion.item_id for deletion in told.deletions] == ["b", "c", "e"]


def test_what_was_typed_between_is_made_anew() -> None:
    """Before, between and after what was spoken."""
    items: list[AnyItem] = [heard("a", "one"), heard("b", "two")]
    told = made(items, Words("user", "x one y y two z"))
    assert kept(told) == ["a", "b"]
    assert texts(told) == ["x", "y y", "z"]


def test_a_message_does_not_take_what_comes_after_the_next_answer() -> None:
    """The same word twice is two items."""
    items: list[AnyItem] = [heard("a", "lost"), said("b", "Hm."), heard("c", "yes")]
    told = made(items, Words("user", "yes"), Words("assistant", "Hm."), Words("user", "yes"))
    assert kept(told) == ["b", "c"]
    assert texts(told) == ["yes"]


def test_an_answer_that_was_cut_is_made_anew_in_its_place() -> None:
    """As the words that were heard, with the white space that they have."""
    items: list[AnyItem] = [heard("a", "one"), said("b", "Two three four."), heard("c", "five")]
    wanted = (Words("user", "one"), Words("assistant", "Two  three"), Words("user", "five"))
    told = made(items, *wanted)
    assert [deletion.item_id for deletion in told.deletions] == ["b"]
    assert [creation.previous_item_id for creation in told.creations] == ["a"]
    assert texts(told) == ["Two  three"]


def test_calls_and_results_are_compared_by_what_they_say() -> None:
    """An interim result is replaced by the real one."""
    call = Call("call_1", {"where": "up"}, "look")
    items: list[AnyItem] = [Item("a", None, made=Call("call_1", {"where": "up"}))]
    told = made(items, call, Result("call_1", "pending"))
    assert told.creations[0].item == {
        "id": told.items[1].id,
        "type": "function_call_output",
        "call_id": "call_1",
        "output": "pending",
    }
    again = made(told.items, call, Result("call_1", "sky"))
    assert kept(again) == ["a"]
    assert again.creations[0].item["output"] == "sky"
    assert [deletion.item_id for deletion in again.deletions] == [told.items[1].id]
    anew = made([], call)
    assert anew.creations[0].item == {
        "id": anew.items[0].id,
        "type": "function_call",
        "call_id": "call_1",
        "name": "look",
        "arguments": '{"where":"up"}',
    }


WORDS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(" ".join)
CONTENTS: Any = st.one_of(
    st.builds(Words, st.sampled_from(["user", "assistant", "system"]), WORDS),
    st.builds(Call, st.sampled_from(["1", "2"]), st.just({})),
    st.builds(Result, st.sampled_from(["1", "2"]), WORDS),
)


@st.composite
def items_of(draw: Any) -> list[AnyItem]:
    """What a vendor may have."""
    items: list[AnyItem] = []
    for number, content in enumerate(draw(st.lists(CONTENTS, max_size=6))):
        name = f"old_{number}"
        if isinstance(content, Words) and content.role == "user":
            items.append(heard(name, draw(st.sampled_from([content.text, "", None]))))
        elif isinstance(content, Words):
            items.append(Item(name, content.role, content.text))
        else:
            items.append(Item(name, None, made=content))
    return items


def spelled(contents: list[Content | None]) -> list[object]:
    """What is said, one word after the other, whoever has how many items for it."""
    told: list[object] = []
    for content in contents:
        if isinstance(content, Words) and content.role == "user":
            told += [("user", word) for word in content.words]
        else:
            told.append(content)
    return told


@given(items_of(), st.lists(CONTENTS, max_size=6))
def test_the_vendor_then_has_what_is_wanted(items: list[AnyItem], wanted: list[Content]) -> None:
    """Word for word, in order; and a second time there is nothing to do."""
    told = made(items, *wanted)
    assert spelled([item.content for item in told.items]) == spelled(list(wanted))
    again = made(told.items, *wanted)
    assert (again.deletions, again.creations) == ([], [])


def test_a_prompt_is_its_system_prompt_and_what_was_said() -> None:
    """Notes and errors of tools are part of what was said; nothing is where nothing is."""
    use = ToolUse("call_1", "look", {})
    prompt = Prompt(
        (
            Message(role="system", content="Be kind."),
            Message(role="assistant", content="Hm.", tool_uses=(use,)),
            Message(role="tool", content="no", call_id="call_1", is_error=True),
            Message(role="system", content="It is late."),
            Message(role="user", content=" "),
        )
    )
    assert instructions_of(prompt) == "Be kind."
    assert contents_of(prompt) == [
        Words("assistant", "Hm."),
        Call("call_1", {}),
        Result("call_1", "Error: no"),
        Words("system", "It is late."),
    ]
    assert (instructions_of(Prompt(())), contents_of(Prompt(()))) == ("", [])


def test_tools_are_flat() -> None:
    """As this interface has them."""
    assert tools_of([ToolSpec("look")]) == [
        {
            "type": "function",
            "name": "look",
            "description": "",
            "parameters": {"type": "object", "properties": {}},
        }
    ]


def test_what_a_response_writes_is_remembered_as_it_grows() -> None:
    """Each item once; a call that was cut off is none."""
    items: list[AnyItem] = []
    for _ in range(2):
        added(items, OutputItemAdded("r", OutputItem("a", "message")))
    added(items, SpokenDelta("r", "a", "One"))
    added(items, WrittenDelta("r", "a", " two."))
    added(items, SpokenDelta("r", "unknown", "Three."))
    added(items, OutputItemAdded("r", OutputItem("b", "function_call", "look")))
    added(items, CallDone("r", "b", "call_1", '{"where": "up"}'))
    added(items, OutputItemAdded("r", OutputItem("c", "function_call", "look")))
    added(items, CallDone("r", "c", "call_2", '{"whe'))
    assert [item.content for item in items] == [
        Words("assistant", "One two."),
        Call("call_1", {"where": "up"}),
        None,
    ]


@pytest.mark.parametrize("other", ["One.", None, Words("user", "Two."), Words("assistant", "One.")])
def test_words_are_only_what_they_are(other: object) -> None:
    """Nothing else is equal to them; what is equal is one in a set."""
    assert Words("user", "One.") != other
    assert len({Words("user", "One."), Words("user", " One. "), Call("1", {}), Call("1", {})}) == 2
