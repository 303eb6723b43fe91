"""What the caller is asking a tool for, replayed from the conversation.

A request is opened by an utterance that means a tool, filled by the answers that follow, and
ends when it is called, dropped or left for another one. ``standing`` runs through the turns from
the start, so the same history always leads to the same place, whatever process reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from antiphon_providers.interfaces import Message, ToolSpec
from antiphon_providers.local.dialogue.choosing import Catalogue, Meant, phrase
from antiphon_providers.local.dialogue.conversation import Conversation
from antiphon_providers.local.dialogue.fields import Field, form_of, kind_of, question
from antiphon_providers.local.dialogue.finding import Values, found
from antiphon_providers.local.dialogue.knowledge import coverage
from antiphon_providers.local.dialogue.memory import memory_of
from antiphon_providers.local.dialogue.values import read_answer, yes_or_no
from antiphon_providers.local.dialogue.words import alike, clean, core, humanised, plain, words

_NEEDED = "it to go on, or say never mind"
MOST_REPLAYED = 60
"""Turns that are replayed; a request older than that is forgotten."""

_DROP = re.compile(
    r"(?:no |oh |actually |sorry |please )*(?:never ?mind|forget (?:it|that|about it)"
    r"|cancel(?: that| it)?"
    r"|stop(?: it| that)?|leave it|drop it|do not bother|skip it|i (?:have )?changed my mind"
    r"|not anymore|quit|abort)(?: please| thanks)?"
)
_CORRECTION = re.compile(
    r"^(?:(?:no|nope|sorry|wait|actually|oh|hang on)\b[ ,.]*)+(?:i (?:said|meant|mean)\b"
    r"|make (?:it|that)\b|it's\b|change (?:it|that) to\b)?"
    r"|^(?:i (?:said|meant|mean)|make (?:it|that)|change (?:it|that) to)\b",
    re.IGNORECASE,
)
_FOLLOWING = re.compile(r"^(?:and |or )?(?:what about|how about|and)\b", re.IGNORECASE)
_ASIDE = re.compile(
    r"(?:what|when|where|who|why|how|which|can you|could you|do you|are you|is there|will you"
    r"|tell me"
    r"|does|did)\b.*|(?:hello|hi|hey|thanks|thank you|sorry|pardon|repeat|say (?:that|it) again"
    r"|hold on|wait|one moment|just a moment|help)\b.{0,30}"
)
_IGNORANCE = re.compile(r"(?:i (?:do not|cannot) (?:know|remember|have)|no idea|not sure)\b.*")

Move = Literal["aside", "ask", "call", "drop", "offer", "obstacle"]


class Request(Struct, frozen=True):
    """A tool and the values it has so far."""

    tool: ToolSpec
    values: Values

    @property
    def missing(self) -> Field | None:
        """The next field to ask for."""
        needed = (field for field in form_of(self.tool).fields if field.required)
        return next((field for field in needed if field.path not in self.values), None)

    @property
    def arguments(self) -> dict[str, Any]:
        """The values as the tool's arguments."""
        whole: dict[str, Any] = {}
        for path in form_of(self.tool).objects:
            _place(whole, path, {})
        for path, value in self.values.items():
            _place(whole, path, value)
        return whole


def _place(whole: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        whole = whole.setdefault(part, {})
    whole.setdefault(path[-1], value)


class Standing(Struct, frozen=True):
    """Where the conversation stands with its tools after a turn.

    ``move`` is what the last utterance came to, ``complaint`` what its answer should have been,
    ``fresh`` whether it opened the request; ``offered`` were asked about because of ``wording``.
    """

    move: Move = "aside"
    request: Request | None = None
    complaint: str | None = None
    fresh: bool = False
    offered: tuple[ToolSpec, ...] = ()
    clear: bool = True
    wording: str = ""
    called: Request | None = None


def standing(conversation: Conversation) -> Standing:
    """Where the conversation stands now."""
    replay = Replay(conversation)
    state = Standing()
    turns = conversation.turns[-MOST_REPLAYED:]
    skipped = sum(turn.role == "user" for turn in conversation.turns[:-MOST_REPLAYED])
    for turn in turns if conversation.tools else ():
        if turn.role == "user":
            skipped += 1
            state = replay.heard(state, clean(turn.content), skipped)
        elif turn.role == "assistant":
            state = replay.answered(state, turn)
    return state


def offer(tools: tuple[ToolSpec, ...], clear: bool) -> str:
    """The question whether the tools are meant."""
    if len(tools) > 1:
        return f"Do you want me to {phrase(tools[0])}, or to {phrase(tools[1])}?"
    return f"{'Shall I' if clear else 'Would you like me to'} {phrase(tools[0])}?"


class Replay:
    """The rules by which turns move a request, for one conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._today = conversation.now.date()
        self._heard = conversation.heard
        self._told: Callable[[str], float] = coverage(conversation)
        self._catalogue = Catalogue(conversation.tools)

    def meant(self, text: str) -> Meant:
        """The tools a text asks for, whatever the system prompt says about it."""
        return self._catalogue.meant(text, lambda _: 0.0)

    def answered(self, state: Standing, turn: Message) -> Standing:
        """The agent spoke or called: what it called is done, what it did not offer is not open."""
        if turn.tool_uses:
            return Standing(called=state.called)
        said = plain(turn.content)
        if (
            state.offered
            and not state.clear
            and not said.startswith(plain(offer(state.offered, False))[:24])
        ):
            return Standing(called=state.called)
        if state.request or state.offered or not said.endswith(tuple("abcdefghijklmnopqrstuvwxyz")):
            return state
        return self._asked(state, said)

    def _asked(self, state: Standing, said: str) -> Standing:
        """A question for a field that no utterance led to: an instruction asked it."""
        for tool in self._conversation.tools:
            first = Request(tool, {}).missing
            if first and said.endswith(plain(question(first))) and not form_of(tool).obstacle:
                return msgspec.structs.replace(state, request=Request(tool, {}), move="ask")
        return state

    def heard(self, state: Standing, text: str, count: int) -> Standing:
        """The caller said something: ``count`` utterances in all, this one included."""
        if state.request and (moved := self._answer(state, state.request, text)):
            return moved
        if state.offered and (moved := self._decide(state, text, count)):
            return moved
        if state.called and (moved := self._amend(state.called, text)):
            return moved
        wanted = self._catalogue.meant(text, self._told)
        open_already = state.request and (
            not wanted.clear or wanted.tools[0].name == state.request.tool.name
        )
        if not wanted.tools or open_already:
            return Standing(request=state.request, called=state.called)
        if wanted.clear and len(wanted.tools) == 1:
            return self.open(wanted.tools[0], text, count)
        return Standing(
            "offer", offered=wanted.tools, clear=wanted.clear, wording=text, called=state.called
        )

    def open(self, tool: ToolSpec, text: str, count: int) -> Standing:
        """A new request, with what the utterance and earlier ones give for it."""
        form = form_of(tool)
        if form.obstacle:
            return Standing("obstacle", offered=(tool,), complaint=form.obstacle)
        memory = memory_of(self._heard[:count])
        values = found(form.fields, text, self._today, memory)
        return _settled(Request(tool, values), fresh=True)

    def _decide(self, state: Standing, text: str, count: int) -> Standing | None:
        """The answer to an offer; None where it is something else."""
        told = core(text)
        place = re.search(r"\b(first|second|former|latter)\b", told)
        if len(state.offered) > 1:
            chosen = max(state.offered, key=lambda t: alike(told, humanised(t.name)))
            if place:
                chosen = state.offered[place[1] in {"second", "latter"}]
            elif alike(told, humanised(chosen.name)) < 0.3:  # noqa: PLR2004
                return (
                    None
                    if yes_or_no(text) is not False
                    else Standing("drop", offered=state.offered)
                )
            return self.open(chosen, f"{state.wording}. {text}", count)
        agreed = yes_or_no(text) if len(words(text)) <= 6 else None  # noqa: PLR2004
        if agreed:
            return self.open(state.offered[0], state.wording, count)
        return Standing("drop", offered=state.offered) if agreed is False else None

    def _answer(self, state: Standing, request: Request, text: str) -> Standing | None:
        """The answer to a request's question; None where it is about something else."""
        told, field = core(text), request.missing
        if _DROP.fullmatch(told):
            return Standing("drop", offered=(request.tool,), called=state.called)
        if field is None:
            return None
        kind = kind_of(field)
        loose = kind in {"text", "name", "place", "code"}
        if loose and (_ASIDE.fullmatch(told) or self._elsewhere(request.tool, text)):
            return None
        if _IGNORANCE.fullmatch(told) and kind != "yes_no":
            return Standing("ask", request, complaint=_NEEDED)
        if amended := self._corrected(request, field, text):
            return _settled(amended)
        return self._read(request, field, text)

    def _read(self, request: Request, field: Field, text: str) -> Standing | None:
        """The field's value, or what the answer should have been."""
        reading = read_answer(field, text, self._today) if words(text) else None
        if reading is None or reading.complaint is not None:
            return self._unread(request, field, text, reading.complaint if reading else None)
        more = self._others(request, field, text)
        return _settled(
            Request(request.tool, {**more, **request.values, field.path: reading.value})
        )

    def _unread(
        self, request: Request, field: Field, text: str, complaint: str | None
    ) -> Standing | None:
        if more := self._others(request, field, text):
            return _settled(Request(request.tool, {**more, **request.values}))
        told = core(text)
        if self._elsewhere(request.tool, text) or _ASIDE.fullmatch(told):
            return None
        return Standing("ask", request, complaint=complaint or "an answer")

    def _elsewhere(self, tool: ToolSpec, text: str) -> bool:
        """Whether the utterance clearly means another tool."""
        return len(words(text)) > 1 and self._catalogue.meant(text, self._told, tool.name).clear

    def _others(self, request: Request, field: Field, text: str) -> Values:
        """Values for other fields that the same answer gives."""
        rest = [one for one in form_of(request.tool).fields
                if one.path != field.path and one.path not in request.values
                and kind_of(one) in _STRICT]  # fmt: skip
        if len(words(text)) <= 2:  # noqa: PLR2004
            return {}
        return found(rest, text, self._today, memory_of(()))

    def _corrected(self, request: Request, asked: Field, text: str) -> Request | None:
        """The request with a value taken back: ``no, make it five people``."""
        start = _CORRECTION.match(text)
        if not start or not request.values:
            return None
        known = [one for one in form_of(request.tool).fields
                 if one.path in request.values and kind_of(one) in _STRICT]  # fmt: skip
        new = found(known, text[start.end() :], self._today, memory_of(()))
        same_kind = any(kind_of(one) == kind_of(asked) for one in known if one.path in new)
        changed = {path: value for path, value in new.items() if request.values[path] != value}
        if not changed or same_kind:
            return None
        return Request(request.tool, {**request.values, **changed})

    def _amend(self, called: Request, text: str) -> Standing | None:
        """A call that is to be made again because a value was wrong."""
        start, more = _CORRECTION.match(text), _FOLLOWING.match(text)
        after = start or more
        if not after:
            return None
        known = [
            one
            for one in form_of(called.tool).fields
            if kind_of(one) in _STRICT | {"name", "place"}
        ]
        rest = re.sub(r"^(?:in|for|at|to) ", "", text[after.end() :].strip(" ,"))
        new = found(known, f"for {rest}", self._today, memory_of(()))
        changed = {
            path: value for path, value in new.items()
            if called.values.get(path) != value and (start or str(value) != str(value).lower()
                                                     or not isinstance(value, str))
        }  # fmt: skip
        return _settled(Request(called.tool, {**called.values, **changed})) if changed else None


_STRICT = frozenset(
    {"integer", "number", "date", "time", "moment", "email", "phone", "choice", "list", "yes_no"}
)


def _settled(request: Request, fresh: bool = False) -> Standing:
    """The request asks for its next field, or is called."""
    if request.missing:
        return Standing("ask", request, fresh=fresh)
    return Standing("call", called=request, fresh=fresh)
