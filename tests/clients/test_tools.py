"""Functions as tools: their schema, their arguments, what becomes of their failures."""

import asyncio
import logging
import threading
from typing import Annotated, Any, Literal

import msgspec
import pytest

from antiphon.errors import InvalidTool
from antiphon.tools import Outcome, Tool, ToolFailed, Tools
from antiphon_protocol.session_config import ResponseInstructions


class Guest(msgspec.Struct):
    """Who comes."""

    name: str
    age: int | None = None


def book(
    guests: list[Guest],
    room: Annotated[Literal["inside", "terrace"], "Where to sit."] = "inside",
    *,
    notes: Annotated[list[str], msgspec.Meta(max_length=2)] = [],  # noqa: B006
) -> dict[str, Any]:
    """Books a table.

    Ask for the names first.
    """
    return {"guests": [guest.name for guest in guests], "room": room, "notes": notes}


def test_a_signature_becomes_a_schema() -> None:
    """Names, types, defaults and descriptions; the top is a plain object, as servers require."""
    declared = Tool(book).declaration
    assert declared.name == "book"
    assert declared.description == "Books a table.\n\nAsk for the names first."
    schema = declared.parameters
    assert schema["type"] == "object"
    assert schema["required"] == ["guests"]
    assert schema["properties"]["room"] == {
        "description": "Where to sit.",
        "enum": ["inside", "terrace"],
        "default": "inside",
    }
    assert schema["properties"]["notes"]["default"] == []
    assert schema["properties"]["guests"]["items"] == {"$ref": "#/$defs/Guest"}
    assert set(schema["$defs"]) == {"Guest"}


def test_a_function_without_arguments_has_an_empty_schema() -> None:
    """It takes an object without properties."""
    assert Tool(lambda: "x", name="nothing").declaration.parameters == {
        "type": "object",
        "properties": {},
        "required": [],
    }


async def test_arguments_are_converted_to_the_hints() -> None:
    """Structs are built, text that is a number becomes one, defaults are filled in."""
    outcome = await Tool(book).call({"guests": [{"name": "Ada", "age": "36"}]})
    assert outcome == Outcome('{"guests":["Ada"],"room":"inside","notes":[]}')


async def test_a_mutable_default_is_not_shared_between_calls() -> None:
    """Each call has its own."""

    def collect(item: str, seen: list[str] = []) -> list[str]:  # noqa: B006
        """Collects."""
        seen.append(item)
        return seen

    tool = Tool(collect)
    assert (await tool.call({"item": "a"})).text == '["a"]'
    assert (await tool.call({"item": "b"})).text == '["b"]'


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "missing required field `guests`"),
        ({"guests": "Ada"}, "Expected `array`"),
        ({"guests": [], "room": "cellar"}, r"\$.room"),
        ({"guests": [], "notes": ["a", "b", "c"]}, "length <= 2"),
    ],
)
async def test_wrong_arguments_are_a_result_the_model_can_read(
    arguments: dict[str, Any], complaint: str
) -> None:
    """They never reach the function; the text names the field."""
    outcome = await Tool(book).call(arguments)
    assert outcome.is_error
    with pytest.raises(AssertionError, match=complaint):
        raise AssertionError(outcome.text)


async def test_a_tool_says_in_its_own_words_what_failed() -> None:
    """ToolFailed is passed on as it is."""

    async def fetch() -> str:
        """Fetches."""
        raise ToolFailed("The shop is closed; offer tomorrow.")

    assert await Tool(fetch).call({}) == Outcome("The shop is closed; offer tomorrow.", True)


async def test_any_other_exception_is_an_error_result_and_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The call goes on; the traceback is for the developer."""

    def fetch() -> str:
        """Fetches."""
        raise ZeroDivisionError("by zero")

    with caplog.at_level(logging.ERROR, "antiphon.tools"):
        outcome = await Tool(fetch).call({})
    assert outcome == Outcome("fetch failed: ZeroDivisionError: by zero", is_error=True)
    assert "Traceback" in caplog.text


async def test_a_result_that_is_not_json_is_an_error_result() -> None:
    """The function is told apart by name."""

    def fetch() -> object:
        """Fetches."""
        return object()

    outcome = await Tool(fetch).call({})
    assert outcome.is_error
    assert outcome.text.startswith("fetch failed: TypeError")


async def test_a_plain_function_runs_beside_the_loop() -> None:
    """One that blocks does not stop the sound: it waits here for the loop to go on."""
    went_on = threading.Event()

    def fetch() -> str:
        """Fetches."""
        return "yes" if went_on.wait(30) else "no"

    calling = asyncio.create_task(Tool(fetch).call({}))
    asyncio.get_running_loop().call_soon(went_on.set)
    assert (await calling).text == "yes"


def test_options_of_a_tool_are_declared() -> None:
    """A decorator with options passes them on; the function stays usable."""
    tools = Tools()
    guidance = ResponseInstructions(success="Be glad.")

    @tools(
        name="wait_for_it",
        timeout_seconds=5,
        execution_mode="hold",
        response_instructions=guidance,
    )
    def slow(number: int) -> int:
        """Waits."""
        return number

    (declared,) = tools.declarations()
    assert (declared.name, declared.timeout_seconds, declared.execution_mode) == (
        "wait_for_it",
        5,
        "hold",
    )
    assert declared.response_instructions == guidance
    assert slow(3) == 3
    assert tools.find("slow") is None
    assert tools.find("wait_for_it") is not None


def test_two_tools_of_one_name_are_refused() -> None:
    """The model could not tell them apart."""
    tools = Tools([book])
    assert len(tools) == 1
    with pytest.raises(InvalidTool, match="named book already"):
        tools(book)


def _unhinted(city):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return city


def _starred(*cities: str) -> str:
    return "".join(cities)


def _by_position(city: str, /) -> str:
    return city


def _unknown(city: "Nowhere") -> str:  # type: ignore[name-defined]  # noqa: F821
    return str(city)


def _undescribable(city: threading.Lock) -> str:
    return str(city)


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (_unhinted, "_unhinted needs a type hint for its argument 'city'"),
        (_starred, r"_starred takes \*cities: str"),
        (_by_position, "_by_position takes city: str"),
        (_unknown, "type hints of _unknown cannot be read"),
        (_undescribable, "_undescribable cannot be described"),
    ],
)
def test_a_function_that_cannot_be_described_is_refused(function: Any, complaint: str) -> None:
    """At decoration, in words that say what is missing."""
    with pytest.raises(InvalidTool, match=complaint):
        Tools([function])
