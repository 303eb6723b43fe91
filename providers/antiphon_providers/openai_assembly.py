"""One reply of an OpenAI-compatible endpoint, put together from its stream.

Source: the OpenAI API reference, "The chat completion chunk object". Where compatible servers
differ from it in ways that do no harm (tool calls without ``id`` or ``index``, arguments as an
object, text in parts, both names of the token counts, chunks without ``choices``), they are
understood.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from msgspec import Struct, field

from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import Said, Spent, ToolUse, Used
from antiphon_providers.openai_wire import error_told

DONE = "[DONE]"
"""The data of a stream's last event."""


class _Function(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolDelta(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(Struct):
    type: str = "text"
    text: str | None = None


class _Delta(Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[_ToolDelta] | None = None

    def text(self) -> str:
        """What is to be said; a refusal in the model's own words is said too."""
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content if part.type == "text")
        return self.content or self.refusal or ""


class _Choice(Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    cached_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None

    def spent(self) -> Spent:
        """The counts under either of their names."""
        details = self.prompt_tokens_details or self.input_tokens_details or _Details()
        return Spent(
            self.prompt_tokens or self.input_tokens or 0,
            self.completion_tokens or self.output_tokens or 0,
            details.cached_tokens or 0,
        )


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class _PartialUse(Struct):
    """A tool call that is still being written."""

    call_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    whole: dict[str, Any] | None = None


_Place = tuple[int, int | None]
"""Where a stream says that a tool call belongs: number of the choice, and of the call in it."""


class Assembly:
    """One reply, put together from the data of its stream's events.

    ``steps`` counts what brought the reply forward: text, a piece of a tool call, its end. A
    model's reasoning is not said and is no step.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.done = False
        self._finish: str | None = None
        self._usage: _Usage | None = None
        self._uses: list[_PartialUse] = []
        self._places: dict[_Place, _PartialUse] = {}
        self._spoke = False

    def take(self, data: str) -> list[Said]:
        """The text that an event adds.

        Raises ``Malformed`` for what is no chunk, and what an error object in it tells.
        """
        if data.strip() == DONE:
            self.done = True
            return []
        try:
            chunk = msgspec.json.decode(data.encode(), type=_Chunk)
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            raise Malformed(f"the stream has something that is no chunk: {wrong}") from wrong
        if chunk.error is not None:
            raise error_told(None, chunk.error)
        self._usage = chunk.usage or self._usage
        return [said for choice in chunk.choices or () if (said := self._choice(choice))]

    def finish(self) -> list[Used | Spent]:
        """The reply's tool calls and cost; called when the stream has ended.

        Raises ``Unavailable`` if it ended too early, ``Refused`` if a content filter ended it,
        ``Malformed`` for a tool call that is none and for a reply with nothing in it.
        """
        if self._finish == "content_filter":
            raise Refused("a content filter stopped the reply", provider_code=self._finish)
        if self._finish == "error":
            raise Unavailable("the language model broke off its reply", provider_code="error")
        if self._finish is None and not self.done:
            raise Unavailable("the stream ended before the reply did")
        taken: set[str] = set()
        pieces: list[Used | Spent] = [Used(self._whole(use, taken)) for use in self._uses]
        if not self._spoke and not pieces:
            raise Malformed(
                "the reply is empty: neither words nor a tool call", provider_code=self._finish
            )
        if self._usage is not None:
            pieces.append(self._usage.spent())
        return pieces

    def _choice(self, choice: _Choice) -> Said | None:
        delta = choice.delta or _Delta()
        for tool in delta.tool_calls or ():
            self._extend(choice.index, tool)
            self.steps += 1
        if choice.finish_reason:
            self._finish = choice.finish_reason
            self.steps += 1
        text = delta.text()
        if not text:
            return None
        self.steps += 1
        self._spoke = self._spoke or not text.isspace()
        return Said(text)

    def _extend(self, choice: int, delta: _ToolDelta) -> None:
        function = delta.function or _Function()
        use = self._use((choice, delta.index), delta.id or "", function.name or "")
        use.call_id = use.call_id or delta.id or ""
        use.name = use.name or function.name or ""
        if isinstance(function.arguments, dict):
            use.whole = function.arguments
        elif function.arguments:
            use.arguments.append(function.arguments)

    def _use(self, place: _Place, call_id: str, name: str) -> _PartialUse:
        """The tool call that a piece belongs to.

        Some servers number all calls 0, others none: there, a name with another id (or, with
        no number, any name) begins a new call. Some repeat the name in each piece, some give
        each piece a new id; so neither alone tells.
        """
        use = self._places.get(place)
        begins = use is None or bool(
            name and use.name and (call_id != use.call_id if call_id else place[1] is None)
        )
        if use is None or begins:
            use = self._places[place] = _PartialUse()
            self._uses.append(use)
        return use

    def _whole(self, use: _PartialUse, taken: set[str]) -> ToolUse:
        if not use.name:
            raise Malformed("a tool call has no name")
        # The answer to the call must find it: an id is made up where it is missing or not unique.
        if not use.call_id or use.call_id in taken:
            use.call_id = f"call_{secrets.token_hex(12)}"
        taken.add(use.call_id)
        return ToolUse(use.call_id, use.name, self._arguments(use))

    def _arguments(self, use: _PartialUse) -> dict[str, Any]:
        if use.whole is not None:
            return use.whole
        text = "".join(use.arguments).strip()
        try:
            arguments = msgspec.json.decode(text or "{}", type=dict[str, Any] | None)
        except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
            cut = (
                " (cut off by the token limit)" if self._finish in {"length", "max_tokens"} else ""
            )
            raise Malformed(
                f"the arguments for tool '{use.name}' are no JSON object{cut}: {wrong}",
                provider_code=self._finish,
            ) from wrong
        return arguments or {}
