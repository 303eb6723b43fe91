"""How chunks become a reply, in the shapes that real servers give them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Said, Spent, ToolUse, Used
from antiphon_providers.openai_assembly import DONE, Assembly


def chunk(finish: str | None = None, **delta: Any) -> str:
    """A chunk with one choice."""
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def call(name: str | None = None, arguments: Any = None, **place: Any) -> str:
    """A chunk with a piece of a tool call."""
    return chunk(tool_calls=[{**place, "function": {"name": name, "arguments": arguments}}])


def assemble(*chunks: str) -> list[Said | Used | Spent]:
    """The whole reply of these chunks."""
    assembly = Assembly()
    said = [piece for data in chunks for piece in assembly.take(data)]
    return [*said, *assembly.finish()]


def uses(*chunks: str) -> list[ToolUse]:
    """The tool calls of these chunks, after which the reply stops."""
    pieces = assemble(*chunks, chunk("tool_calls"), DONE)
    return [piece.use for piece in pieces if isinstance(piece, Used)]


def test_text_comes_as_it_is_written() -> None:
    """Each chunk's text at once, white space and all; an empty one adds nothing."""
    assert assemble(
        chunk(role="assistant", content=""),
        chunk(content="Hel"),
        chunk(content="lo "),
        chunk("stop"),
    ) == [Said("Hel"), Said("lo ")]


def test_reasoning_is_neither_said_nor_a_step() -> None:
    """What a model thinks is not for the caller, and does not end the wait for words."""
    assembly = Assembly()
    for field in ("reasoning_content", "reasoning", "thinking"):
        assert assembly.take(chunk(**{field: "hmm"})) == []
    assert assembly.steps == 0


def test_a_refusal_in_the_models_words_is_said() -> None:
    """The caller hears that the model will not, instead of nothing."""
    assert assemble(chunk(refusal="I cannot."), chunk("stop")) == [Said("I cannot.")]


def test_text_in_parts_is_said_without_its_thoughts() -> None:
    """Some servers send lists of parts; those of another type are not text."""
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "yes"}]
    assert assemble(chunk(content=parts), chunk("stop")) == [Said("yes")]


def test_the_last_usage_is_what_was_spent() -> None:
    """Usage may be on every chunk, growing, or in a last one without choices; it comes last."""
    first = json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}})
    last = json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    assert assemble(first, chunk(content="a"), chunk("stop"), last, DONE) == [
        Said("a"),
        Spent(9, 4),
    ]


def test_usage_under_its_other_names_is_understood() -> None:
    """Gateways call the counts input and output tokens."""
    usage = json.dumps({"usage": {"input_tokens": 3, "output_tokens": 2}})
    assert assemble(chunk("stop", content="a"), usage)[-1] == Spent(3, 2)


def test_arguments_are_put_together_from_fragments() -> None:
    """Cut anywhere, even within a string."""
    assert uses(
        call("book", "", index=0, id="call_1"),
        call(None, '{"na', index=0),
        call(None, 'me": "Ann"}', index=0),
    ) == [ToolUse("call_1", "book", {"name": "Ann"})]


def test_parallel_calls_are_told_apart_by_their_index() -> None:
    """Fragments of two calls may alternate."""
    assert uses(
        call("a", '{"x"', index=0, id="1"),
        call("b", '{"y"', index=1, id="2"),
        call(None, ": 1}", index=0),
        call(None, ": 2}", index=1),
    ) == [ToolUse("1", "a", {"x": 1}), ToolUse("2", "b", {"y": 2})]


def test_calls_all_numbered_zero_are_told_apart_by_name_and_id() -> None:
    """Some servers send whole calls, each with index 0."""
    assert uses(call("a", "{}", index=0, id="1"), call("b", "{}", index=0, id="2")) == [
        ToolUse("1", "a", {}),
        ToolUse("2", "b", {}),
    ]


def test_calls_without_index_are_told_apart_by_name() -> None:
    """Some servers send neither index nor id; fragments belong to the last call."""
    first, second = uses(call("a", "{"), call(None, "}"), call("a", '{"x": 1}'))
    assert (first.name, first.arguments) == ("a", {})
    assert (second.name, second.arguments) == ("a", {"x": 1})


def test_a_name_or_id_repeated_in_each_fragment_begins_no_new_call() -> None:
    """Servers that repeat the name, and those that give each fragment another id."""
    assert uses(call("a", "{", index=0, id="1"), call("a", "}", index=0, id="1")) == [
        ToolUse("1", "a", {})
    ]
    assert uses(call("a", "{", index=0, id="1"), call(None, "}", index=0, id="other")) == [
        ToolUse("1", "a", {})
    ]


def test_missing_and_repeated_ids_are_made_up() -> None:
    """Each call has an id of its own, so that its result can find it."""
    made = uses(
        call("a", "{}", index=0),
        call("b", "{}", index=1, id=""),
        call("c", "{}", index=2, id="same"),
        call("d", "{}", index=3, id="same"),
    )
    assert [use.name for use in made] == ["a", "b", "c", "d"]
    assert len({use.call_id for use in made}) == 4
    assert all(use.call_id for use in made)


@pytest.mark.parametrize("arguments", ["", " ", "{}", "null", None, {}])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    """However the server says that there are none."""
    assert uses(call("a", arguments, index=0, id="1")) == [ToolUse("1", "a", {})]


def test_arguments_may_come_as_an_object() -> None:
    """Some servers forget to make them text."""
    assert uses(call("a", {"x": [1]}, index=0, id="1")) == [ToolUse("1", "a", {"x": [1]})]


@pytest.mark.parametrize("arguments", ['{"x": ', "[]", "7", '"{}"', "{'x': 1}", "[" * 5000])
def test_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    """Nothing is repaired: a guess would be acted on."""
    with pytest.raises(Malformed, match="tool 'a'"):
        uses(call("a", arguments, index=0, id="1"))


def test_a_call_without_a_name_is_malformed() -> None:
    """There is nothing it could be sent to."""
    with pytest.raises(Malformed, match="no name"):
        uses(call(None, "{}", index=0, id="1"))


def test_calls_and_text_in_different_choices_are_one_reply() -> None:
    """Some gateways split a reply into two choices."""
    data = {
        "choices": [
            {"index": 0, "delta": {"content": "One moment."}, "finish_reason": "end_turn"},
            {"index": 1, "delta": {"tool_calls": [{"function": {"name": "a"}}]}},
        ]
    }
    said, used = assemble(json.dumps(data))
    assert said == Said("One moment.")
    assert isinstance(used, Used)


def test_a_filtered_reply_is_refused() -> None:
    """What the filter stopped is not passed off as an answer."""
    with pytest.raises(Refused) as refused:
        assemble(chunk(content="Well"), chunk("content_filter"), DONE)
    assert refused.value.provider_code == "content_filter"


def test_a_reply_cut_by_the_token_limit_stands() -> None:
    """Its words have been said already."""
    assert assemble(chunk(content="Well"), chunk("length"), DONE) == [Said("Well")]


@pytest.mark.parametrize("end", [("stop",), ("length",), ()])
def test_an_empty_reply_is_malformed(end: tuple[str, ...]) -> None:
    """No words and no tool call is no answer, whatever it was that ended it."""
    with pytest.raises(Malformed, match="empty"):
        assemble(chunk(content=" \n"), *[chunk(reason) for reason in end], DONE)


def test_a_stream_that_ends_without_an_end_is_unavailable() -> None:
    """Neither finish reason nor [DONE]: the server broke off."""
    with pytest.raises(Unavailable, match="ended before"):
        assemble(chunk(content="Hel"))


def test_a_reply_ends_with_a_finish_reason_or_with_done() -> None:
    """Servers that forget one of the two are understood."""
    assert assemble(chunk(content="a"), chunk("stop")) == [Said("a")]
    assert assemble(chunk(content="a"), f" {DONE} ") == [Said("a")]


def test_an_error_finish_is_unavailable() -> None:
    """Gateways end so when the model behind them failed."""
    with pytest.raises(Unavailable, match="broke off"):
        assemble(chunk(content="a"), chunk("error"))


def test_an_error_object_in_the_stream_is_raised() -> None:
    """With its code, by what it means."""
    with pytest.raises(Unavailable, match="overloaded") as raised:
        assemble(json.dumps({"error": {"message": "overloaded", "code": "server_busy"}}))
    assert raised.value.provider_code == "server_busy"


@pytest.mark.parametrize(
    "data",
    ["", "nonsense", "{", "[]", "7", '{"choices": 1}', '{"choices": [{"delta": "x"}]}', "[" * 9999],
)
def test_what_is_no_chunk_is_malformed(data: str) -> None:
    """Wrong JSON, another shape, and JSON too deep."""
    with pytest.raises(Malformed):
        assemble(data)


def test_a_chunk_with_nothing_in_it_is_passed_over() -> None:
    """Nulls and missing fields are common at the ends of streams."""
    nothing = '{"choices": [{"delta": null, "finish_reason": null}], "usage": null}'
    assert assemble("{}", '{"choices": null}', nothing, chunk("stop", content="a")) == [Said("a")]


def test_each_step_forward_is_counted() -> None:
    """Text, pieces of calls and the end; not chunks that bring nothing."""
    assembly = Assembly()
    seen = []
    for data in (chunk(content="a"), "{}", call("t", "{", index=0), chunk("stop"), DONE):
        assembly.take(data)
        seen.append(assembly.steps)
    assert seen == [1, 1, 2, 3, 3]


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_gives_a_reply_or_a_provider_error(events: list[str]) -> None:
    """Nothing that a server can say raises anything else."""
    try:
        assert assemble(*events)
    except ProviderError:
        return


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}},
        {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 8}},
    ],
)
def test_tokens_from_the_cache_are_told(usage: dict[str, object]) -> None:
    """Under either of their names."""
    reply = Assembly()
    choices = [{"delta": {"content": "Hello."}, "finish_reason": "stop"}]
    reply.take(json.dumps({"choices": choices, "usage": usage}))
    assert reply.finish() == [Spent(9, 3, 8)]
