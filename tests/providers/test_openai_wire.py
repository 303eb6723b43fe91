"""What an OpenAI-compatible endpoint is asked, and what its errors mean."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse
from antiphon_providers.openai_wire import error_inside, error_of, error_told, messages_of, tools_of


def test_a_conversation_keeps_its_order_and_roles() -> None:
    """System, user, assistant, and instructions as a last system message."""
    prompt = Prompt(
        (
            Message(role="system", content="be kind"),
            Message(role="user", content="hi"),
            Message(role="assistant", content="hello"),
            Message(role="system", content="say goodbye"),
        )
    )
    assert messages_of(prompt) == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "system", "content": "say goodbye"},
    ]


def test_a_tool_call_and_its_result_find_each_other() -> None:
    """The call is the assistant's, its arguments are JSON text, its result names its id."""
    use = ToolUse("call_1", "weather", {"city": "Zürich"})
    call, result = messages_of(
        Prompt(
            (
                Message(role="assistant", tool_uses=(use,)),
                Message(role="tool", content="rain", call_id="call_1"),
            )
        )
    )
    assert call["content"] is None
    [made] = call["tool_calls"]
    assert (made["id"], made["type"], made["function"]["name"]) == ("call_1", "function", "weather")
    assert json.loads(made["function"]["arguments"]) == {"city": "Zürich"}
    assert result == {"role": "tool", "content": "rain", "tool_call_id": "call_1"}


def test_words_said_beside_a_tool_call_are_kept() -> None:
    """An assistant message may have both."""
    message = Message(role="assistant", content="one moment", tool_uses=(ToolUse("a", "b", {}),))
    assert messages_of(Prompt((message,)))[0]["content"] == "one moment"


def test_a_failed_tool_says_so() -> None:
    """OpenAI has no field for it, so the words have to tell."""
    message = Message(role="tool", content="no such city", call_id="a", is_error=True)
    assert messages_of(Prompt((message,)))[0]["content"] == "Error: no such city"


def test_a_tool_without_parameters_has_an_empty_object_schema() -> None:
    """Some servers refuse a schema that is not of an object."""
    assert tools_of(
        Prompt((), (ToolSpec("hang_up"), ToolSpec("find", "Finds.", {"type": "x"})))
    ) == [
        {
            "type": "function",
            "function": {"name": "hang_up", "parameters": {"type": "object", "properties": {}}},
        },
        {
            "type": "function",
            "function": {"name": "find", "description": "Finds.", "parameters": {"type": "x"}},
        },
    ]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422])
def test_a_request_that_will_never_be_served_is_refused(status: int) -> None:
    """These say that the request is wrong, not the moment."""
    error = error_of(status, b"")
    assert isinstance(error, Refused)
    assert error.status_code == status


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_server_that_cannot_serve_now_is_unavailable(status: int) -> None:
    """These say that the moment is wrong."""
    error = error_of(status, b"")
    assert isinstance(error, Unavailable)
    assert error.retryable


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no such model", "code": "model_not_found", "param": "model"}},
        {
            "object": "error",
            "message": "no such model",
            "code": "model_not_found",
            "param": "model",
        },
        {"error": {"message": "no such model", "type": "model_not_found", "param": "model"}},
    ],
)
def test_the_servers_words_code_and_parameter_are_kept(body: dict[str, Any]) -> None:
    """OpenAI's, vLLM's and the code-less form say the same."""
    error = error_of(404, json.dumps(body).encode())
    assert "no such model" in error.message
    assert (error.provider_code, error.provider_param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    "body", [b'{"error": "it broke"}', b'{"detail": "it broke"}', b'"it broke"', b"it broke\n"]
)
def test_an_error_in_any_other_form_keeps_its_words(body: bytes) -> None:
    """Ollama's, FastAPI's and plain text."""
    error = error_of(500, body)
    assert error.message.endswith("it broke")


def test_a_pages_worth_of_error_is_cut() -> None:
    """A proxy's error page does not fill the log."""
    assert len(error_of(502, b"<html>" * 10_000).message) < 600


def test_a_number_as_code_is_the_status_where_there_is_none() -> None:
    """In a stream, gateways say in ``code`` what the status would have been."""
    assert isinstance(error_told(None, {"code": 403, "message": "over budget"}), Refused)
    assert isinstance(error_told(None, {"code": 429, "message": "slow down"}), Unavailable)
    assert isinstance(error_told(None, {"code": True}), Unavailable)


@given(st.integers(400, 599), st.binary(max_size=200))
def test_any_bytes_make_an_error(status: int, body: bytes) -> None:
    """No body makes another failure of a failure."""
    assert isinstance(error_of(status, body), ProviderError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "code", "param", "type"]), inner)
    ),
    max_leaves=10,
)


@given(JSON)
def test_any_json_makes_an_error(said: Any) -> None:
    """Whatever shape the server's object has."""
    assert isinstance(error_told(None, said), ProviderError)


def test_an_error_under_a_good_status_is_found() -> None:
    """Some gateways answer 200 and mean a failure; other bodies hold none."""
    error = error_inside(b'{"error": {"message": "over budget", "code": 402}}')
    assert isinstance(error, Refused)
    assert [error_inside(body) for body in (b"{}", b"[]", b"nonsense", b'{"error": null}')] == [
        None
    ] * 4
