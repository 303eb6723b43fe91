"""Python functions as tools of the model.

A function's signature is its schema: names, type hints and defaults become JSON Schema, the
docstring becomes the description, ``Annotated[str, "..."]`` describes one argument. What the
model sends is converted to those types before the function is called.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import (
    Annotated,
    Any,
    TypedDict,
    TypeVar,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import msgspec

from antiphon.errors import InvalidTool
from antiphon_protocol.session_config import (
    ExecutionMode,
    ResponseInstructions,
    ToolUpdate,
)

Function = TypeVar("Function", bound=Callable[..., Any])

_log = logging.getLogger("antiphon.tools")

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ToolFailed(Exception):
    """Raised by a tool to tell the model, in its own words, what went wrong."""


class Outcome(msgspec.Struct, frozen=True):
    """What a tool gave back: text for the model, and whether it is a failure."""

    text: str
    is_error: bool = False


class ToolOptions(TypedDict, total=False):
    """What the server is told about a tool besides its schema (protocol section 3.3)."""

    name: str
    """What the model calls it; by default the function's own name."""
    timeout_seconds: float
    """Seconds until an unanswered call counts as failed: 1 to 300, by default 120."""
    execution_mode: ExecutionMode
    """``hold`` keeps the conversation waiting for the result."""
    response_instructions: ResponseInstructions
    """Guidance for the spoken reply that follows."""


class Tool:
    """One function the model may call.

    Raises ``InvalidTool`` for a function whose arguments cannot be described.
    """

    def __init__(self, function: Callable[..., Any], **options: Unpack[ToolOptions]) -> None:
        self.function = function
        self.name = options.get("name", function.__name__)
        self.arguments = _arguments_of(function, self.name)
        self.declaration = ToolUpdate(
            name=self.name,
            type="function",
            description=inspect.getdoc(function) or "",
            parameters=_schema_of(self.arguments),
            timeout_seconds=options.get("timeout_seconds"),
            execution_mode=options.get("execution_mode"),
            response_instructions=options.get("response_instructions"),
        )

    async def call(self, arguments: dict[str, Any]) -> Outcome:
        """The function's result for these arguments; never raises but when cancelled.

        A plain function runs in a thread, so that one that blocks does not stop the sound.
        """
        try:
            given = msgspec.convert(arguments, self.arguments, strict=False)
        except msgspec.ValidationError as error:
            return Outcome(f"The arguments of {self.name} are wrong: {error}", is_error=True)
        named = {name: getattr(given, name) for name in self.arguments.__struct_fields__}
        try:
            return Outcome(_text_of(await self._run(named)))
        except ToolFailed as failure:
            return Outcome(str(failure), is_error=True)
        # What a stranger's function raises is not ours to list.
        except Exception as error:  # noqa: BLE001
            _log.exception("tool %s failed", self.name)
            return Outcome(f"{self.name} failed: {_described(error)}", is_error=True)

    async def _run(self, named: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**named)
        result = await asyncio.to_thread(self.function, **named)
        return await result if inspect.isawaitable(result) else result


class Tools:
    """A set of tools, filled by decoration and given to ``connect``::

    tools = antiphon.Tools()


    @tools
    async def weather(city: Annotated[str, "The city, in English."]) -> str:
        '''Today's weather in a city.'''
        return "sunny"
    """

    def __init__(self, functions: Iterable[Callable[..., Any]] = ()) -> None:
        self._by_name: dict[str, Tool] = {}
        for function in functions:
            self.add(function)

    @overload
    def __call__(self, function: Function, /) -> Function: ...

    @overload
    def __call__(
        self, function: None = None, /, **options: Unpack[ToolOptions]
    ) -> Callable[[Function], Function]: ...

    def __call__(
        self, function: Function | None = None, /, **options: Unpack[ToolOptions]
    ) -> Function | Callable[[Function], Function]:
        """Adds the decorated function, which stays an ordinary function."""
        if function is not None:
            self.add(function)
            return function

        def decorate(decorated: Function) -> Function:
            self.add(decorated, **options)
            return decorated

        return decorate

    def add(self, function: Callable[..., Any], **options: Unpack[ToolOptions]) -> Tool:
        """Adds a function. Raises ``InvalidTool``, also for a name that is taken."""
        tool = Tool(function, **options)
        if tool.name in self._by_name:
            raise InvalidTool(f"there is a tool named {tool.name} already")
        self._by_name[tool.name] = tool
        return tool

    def find(self, name: str) -> Tool | None:
        """The tool of that name, or None."""
        return self._by_name.get(name)

    def declarations(self) -> tuple[ToolUpdate, ...]:
        """What the server is told."""
        return tuple(tool.declaration for tool in self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def _arguments_of(function: Callable[..., Any], name: str) -> type[msgspec.Struct]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidTool(f"the type hints of {name} cannot be read: {error}") from error
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _NAMED:
            raise InvalidTool(f"{name} takes {parameter}, but a model names every argument")
        if parameter.name not in hints:
            raise InvalidTool(f"{name} needs a type hint for its argument '{parameter.name}'")
        hint = _described_hint(hints[parameter.name])
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, hint))
        else:
            fields.append((parameter.name, hint, _default(parameter.default)))
    return msgspec.defstruct(name, fields, kw_only=True)


def _default(value: Any) -> Any:
    """A default as msgspec takes it: a mutable one that is not empty becomes a factory."""
    if value and isinstance(value, (list, dict, set, bytearray)):
        return msgspec.field(default_factory=value.copy)
    return value


def _described_hint(hint: Any) -> Any:
    """The hint with a bare text in ``Annotated`` understood as the description."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *notes = get_args(hint)
    meant = [msgspec.Meta(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *meant)]


def _schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """An object schema; the server requires ``properties`` at the top, not a reference."""
    try:
        (reference,), components = msgspec.json.schema_components(
            [arguments], ref_template="#/$defs/{name}"
        )
    except TypeError as error:
        raise InvalidTool(f"{arguments.__name__} cannot be described: {error}") from error
    schema = dict(components.pop(reference["$ref"].rpartition("/")[2]))
    schema.pop("title", None)
    if components:
        schema["$defs"] = components
    return schema


def _text_of(result: Any) -> str:
    return result if isinstance(result, str) else msgspec.json.encode(result).decode()


def _described(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
