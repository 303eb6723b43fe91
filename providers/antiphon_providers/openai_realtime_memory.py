"""What a Realtime conversation remembers, brought in line with what was really said.

The vendor keeps a list of items, in which speech stays speech. A prompt is compared with it by
content: what both have is kept as it is, what only the vendor has is deleted, what only the prompt
has is created as text. So an answer that was cut to what was heard is made anew, as exactly that:
truncating its audio would leave it to an estimate where it ends, and lose its words.

Source: OpenAI's guide "Realtime conversations" and its API reference, "Realtime",
``conversation.item.create`` (2026-11-22): items of assistants cannot be created as audio.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.openai_realtime_hearing import Segment
from antiphon_providers.openai_realtime_wire import (
    CallDone,
    CreateItem,
    DeleteItem,
    Event,
    OutputItemAdded,
    SpokenDelta,
    WrittenDelta,
)

_NO_PARAMETERS = {"type": "object", "properties": {}}
_PARTS = {"user": "input_text", "system": "input_text", "assistant": "output_text"}

_RECENT = 50
"""Items that may still be written, or say a user's message that has no answer yet."""

OURS = "memory"
"""How the ids of events begin by which a conversation is brought in line."""

Role = Literal["user", "system", "assistant"]


class Words:
    """Somebody said this. White space is no matter when it is compared, and is kept for what is
    made anew.
    """

    __match_args__ = ("role", "words", "text")

    def __init__(self, role: Role, text: str | tuple[str, ...]) -> None:
        self.role = role
        self.text = text if isinstance(text, str) else " ".join(text)
        self.words = tuple(self.text.split())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and (self.role, self.words) == (other.role, other.words)

    def __hash__(self) -> int:
        return hash((self.role, self.words))


class Call(Struct, frozen=True):
    """The model called a tool. Its name is no matter when it is compared: its id says it all."""

    call_id: str
    arguments: dict[str, Any]
    name: str = ""

    def __eq__(self, other: object) -> bool:
        mine = (self.call_id, self.arguments)
        return isinstance(other, Call) and mine == (other.call_id, other.arguments)

    def __hash__(self) -> int:
        return hash(self.call_id)


class Result(Struct, frozen=True):
    """What a tool answered."""

    call_id: str
    output: str


Content = Words | Call | Result


class Item(Struct):
    """An item that the vendor has. ``text`` grows while it is written."""

    id: str
    role: Role | None
    text: str = ""
    made: Content | None = None

    @property
    def content(self) -> Content | None:
        """What it says; None where that is not known."""
        return Words(self.role, self.text) if self.role else self.made


class HeardItem(Struct):
    """A segment of the user's speech, which says what its flush was answered with."""

    segment: Segment

    @property
    def id(self) -> str:
        """Its item's."""
        return self.segment.item_id or ""

    @property
    def content(self) -> Content | None:
        """None until its flush was answered."""
        told = self.segment.told
        return None if told is None else Words("user", told)


AnyItem = Item | HeardItem


class Change(Struct, frozen=True):
    """What makes the vendor's memory that of the prompt, and what it then is."""

    deletions: list[DeleteItem]
    creations: list[CreateItem]
    items: list[AnyItem]


def instructions_of(prompt: Prompt) -> str:
    """The system prompt: the message that the prompt begins with, where it is one."""
    first = prompt.messages[0] if prompt.messages else None
    return first.content if first is not None and first.role == "system" else ""


def tools_of(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """The prompt's tools in the vendor's form."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters or _NO_PARAMETERS,
        }
        for tool in tools
    ]


def contents_of(prompt: Prompt) -> list[Content]:
    """All that was said and done, in order, without the system prompt."""
    messages = prompt.messages[1 if instructions_of(prompt) else 0 :]
    return [content for message in messages for content in _contents(message)]


def added(items: list[AnyItem], event: Event) -> None:
    """An event of a response may make an item, or say more of one."""
    match event:
        case OutputItemAdded(_, new) if all(item.id != new.id for item in items):
            items.append(Item(new.id, "assistant" if new.type == "message" else None))
        case SpokenDelta() | WrittenDelta():
            for item in _named(items, event.item_id):
                item.text += event.delta
        case CallDone():
            for item in _named(items, event.item_id):
                item.made = _made(event)


def change(items: Sequence[AnyItem], wanted: Sequence[Content]) -> Change:
    """From the vendor's items to what is wanted."""
    aligned = list(_aligned(items, wanted))
    kept = {id(entry) for entry in aligned}
    after = [any(isinstance(e, AnyItem) for e in aligned[at + 1 :]) for at in range(len(aligned))]
    result: list[AnyItem] = []
    creations: list[CreateItem] = []
    for entry, is_followed in zip(aligned, after, strict=True):
        if isinstance(entry, AnyItem):
            result.append(entry)
            continue
        new = _item(entry)
        place: str | UnsetType = UNSET
        if is_followed:
            place = result[-1].id if result else "root"
        creations.append(CreateItem(_form(new.id, entry), _event_id(), place))
        result.append(new)
    deletions = [DeleteItem(item.id, _event_id()) for item in items if id(item) not in kept]
    return Change(deletions, creations, result)


def _named(items: Sequence[AnyItem], item_id: str) -> list[Item]:
    return [item for item in items[-_RECENT:] if isinstance(item, Item) and item.id == item_id]


def _made(call: CallDone) -> Call | None:
    """None for a call that was cut off: no prompt has it."""
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return Call(call.call_id, arguments)


def _contents(message: Message) -> Iterator[Content]:
    if message.role == "tool":
        output = f"Error: {message.content}" if message.is_error else message.content
        yield Result(message.call_id or "", output)
        return
    if message.content.strip():
        yield Words(message.role, message.content)
    for use in message.tool_uses:
        yield Call(use.call_id, use.arguments, use.name)


# --- alignment ---------------------------------------------------------------------------


def _aligned(items: Sequence[AnyItem], wanted: Sequence[Content]) -> list[AnyItem | Content]:
    """What is wanted, in order: the item that says it, or else what one has to say."""
    aligned: list[AnyItem | Content] = []
    known = _Known(items)
    at = 0
    for number, content in enumerate(wanted):
        if isinstance(content, Words) and content.role == "user":
            end = known.end(at, wanted[number + 1 :])
            entries, taken = _spoken(known.pairs[at:end], content.words)
            aligned += entries
            at += taken
            continue
        found = known.place(content, at)
        aligned.append(content if found is None else items[found])
        at = at if found is None else found + 1
    return aligned


class _Known:
    """The items with what they say, and where each content is: a long call has hundreds."""

    def __init__(self, items: Sequence[AnyItem]) -> None:
        self.pairs = [(item, item.content) for item in items]
        self._places: dict[Content | None, list[int]] = {}
        for place, (_, content) in enumerate(self.pairs):
            self._places.setdefault(content, []).append(place)

    def place(self, content: Content, at: int) -> int | None:
        """The first item that says it, not before ``at``."""
        places = self._places.get(content, [])
        return next(iter(places[bisect_left(places, at) :]), None)

    def end(self, at: int, later: Sequence[Content]) -> int:
        """Where the items of a user's message must end: before what others said next."""
        following = next((c for c in later if not isinstance(c, Words) or c.role != "user"), None)
        place = None if following is None else self.place(following, at)
        return at + _RECENT if place is None else place


def _spoken(
    pairs: Sequence[tuple[AnyItem, Content | None]], words: tuple[str, ...]
) -> tuple[list[AnyItem | Content], int]:
    """A user's message as the items that together say it, and how many items that takes.

    What no item says is left for new ones: what was typed between two utterances.
    """
    for is_gapless in (True, False):
        entries: list[AnyItem | Content] = []
        taken = said = 0
        for number, (item, content) in enumerate(pairs, 1):
            if not isinstance(content, Words) or content.role != "user" or not content.words:
                continue
            place = _place(words, content.words, said, is_gapless=is_gapless)
            if place is None:
                continue
            entries += [*_typed(words[said:place]), item]
            taken, said = number, place + len(content.words)
        if said == len(words):
            break
    return [*entries, *_typed(words[said:])], taken


def _place(
    words: tuple[str, ...], part: tuple[str, ...], at: int, *, is_gapless: bool
) -> int | None:
    """Where the part is among the words, not before ``at``."""
    last = at if is_gapless else len(words) - len(part)
    places = range(at, last + 1)
    return next((i for i in places if words[i : i + len(part)] == part), None)


def _typed(words: tuple[str, ...]) -> list[Content]:
    return [Words("user", words)] if words else []


# --- new items ---------------------------------------------------------------------------


def _item(content: Content) -> Item:
    new = f"item_{secrets.token_hex(12)}"
    if isinstance(content, Words):
        return Item(new, content.role, content.text)
    return Item(new, None, made=content)


def _form(item_id: str, content: Content) -> dict[str, Any]:
    """An item as the vendor takes it."""
    match content:
        case Call(call_id, arguments, name):
            told = msgspec.json.encode(arguments).decode()
            fields = {"call_id": call_id, "name": name, "arguments": told}
            return {"id": item_id, "type": "function_call", **fields}
        case Result(call_id, output):
            fields = {"call_id": call_id, "output": output}
            return {"id": item_id, "type": "function_call_output", **fields}
        case Words(role, _, text):
            part = {"type": _PARTS[role], "text": text}
            return {"id": item_id, "type": "message", "role": role, "content": [part]}


def _event_id() -> str:
    return f"{OURS}_{secrets.token_hex(8)}"
