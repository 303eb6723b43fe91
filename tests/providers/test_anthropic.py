"""The Anthropic adapter, against a fake that the vendor's SDK has proven."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from antiphon_providers.anthropic import BASE_URL, Anthropic, AnthropicOptions
from antiphon_providers.contract.language_model import HELLO, LanguageModelContract, replied
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import (
    Message,
    Piece,
    Prompt,
    Said,
    Spent,
    ToolSpec,
    ToolUse,
    Used,
)
from fakes.anthropic import KEY, FakeAnthropic, Fault, Use, ended, event, started, words

TOOLS = (ToolSpec("find", "Finds."), ToolSpec("book", "Books.", {"type": "object"}))


@pytest.fixture
async def fake() -> AsyncIterator[FakeAnthropic]:
    """The vendor."""
    async with FakeAnthropic() as vendor:
        yield vendor


def anthropic(fake: FakeAnthropic, **options: Any) -> Anthropic:
    """A model at the fake."""
    settings = {"model": "m", "base_url": fake.url, "api_key": KEY, **options}
    return Anthropic(AnthropicOptions(**settings))


async def reply(fake: FakeAnthropic, prompt: Prompt = HELLO, **options: Any) -> list[Piece]:
    """One reply of a model that is started for it."""
    model = anthropic(fake, **options)
    try:
        await model.start()
        return await replied(model, prompt)
    finally:
        await model.close()


class TestContract(LanguageModelContract):
    """It keeps to what every language model must."""

    @pytest.fixture(autouse=True)
    def _vendor(self, fake: FakeAnthropic) -> None:
        self.fake = fake

    def make(self) -> Anthropic:
        """A model at the fake."""
        return anthropic(self.fake)


async def test_words_stream_and_the_cost_comes_last(fake: FakeAnthropic) -> None:
    """The prompt's tokens are those read, those cached now and those from the cache."""
    assert await reply(fake) == [Said("Hel"), Said("lo "), Said("there."), Spent(115, 7, 100)]


async def test_parallel_tools_are_assembled(fake: FakeAnthropic) -> None:
    """Their arguments come in pieces; none is an empty object."""
    fake.uses = (Use("toolu_1", "find", ('{"x', '": [1', "]}")), Use("toolu_2", "book", ("",)))
    uses = [piece.use for piece in await reply(fake) if isinstance(piece, Used)]
    assert uses == [ToolUse("toolu_1", "find", {"x": [1]}), ToolUse("toolu_2", "book", {})]


async def test_what_a_call_repeats_is_cached_unless_told_not_to(fake: FakeAnthropic) -> None:
    """The system prompt and the last tool end what the vendor keeps."""
    await reply(fake, Prompt(HELLO.messages, TOOLS), temperature=0.5, extra_body='{"top_k": 3}')
    asked = fake.requests[-1]
    assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == (KEY, "2023-06-01")
    body = asked.json
    assert (body["model"], body["max_tokens"], body["stream"]) == ("m", 1024, True)
    assert (body["temperature"], body["top_k"]) == (0.5, 3)
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert [tool.get("cache_control") for tool in body["tools"]] == [None, {"type": "ephemeral"}]
    await reply(fake, Prompt(HELLO.messages, TOOLS), cache=False)
    assert b"cache_control" not in fake.requests[-1].body


async def test_the_vendor_takes_any_conversation(fake: FakeAnthropic) -> None:
    """One that begins with a greeting, has two calls at once, and ends with the assistant."""
    uses = (ToolUse("call.1", "find", {}), ToolUse("call.2", "book", {"x": 1}))
    messages = (
        Message(role="assistant", content="Hello!"),
        Message(role="user", content="Book it."),
        Message(role="assistant", content="One moment.", tool_uses=uses),
        Message(role="user", content="And quickly."),
        Message(role="tool", content="done", call_id="call.2"),
        Message(role="assistant", content="  "),
        Message(role="assistant", content="Done."),
    )
    assert await reply(fake, Prompt(messages))


async def test_a_bearer_token_can_take_the_keys_place(fake: FakeAnthropic) -> None:
    """For gateways that read no other header, and as the vendor's SDK does."""
    await reply(fake, bearer=True)
    assert fake.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in fake.requests[-1].headers


async def test_a_wrong_key_is_found_at_the_start(fake: FakeAnthropic) -> None:
    """In the vendor's words, and without the key."""
    with pytest.raises(Refused, match="invalid x-api-key") as refused:
        await reply(fake, api_key="another-key")
    error = refused.value
    assert (error.status_code, error.provider_code) == (401, "authentication_error")
    assert error.provider == "anthropic"


_DEEP = b"data: " + b"[" * 100_000 + b"\n\n"
_OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
_INVALID = event("error", error={"type": "invalid_request_error", "message": "no"})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers=("retry-after: 7",)), Unavailable),
        (Fault(status=529, body=b'{"error": {"type": "overloaded_error"}}'), Unavailable),
        (Fault(status=500, body=b"<html>"), Unavailable),
        (Fault(status=413), Refused),
        (Fault(status=200, body=b"{}", headers=("content-type: application/json",)), Malformed),
        (Fault(hang=True), TooSlow),
        (Fault(events=(started(),), breaks=True), Unavailable),
        (Fault(events=(started(), words(0, "Hel"))), Unavailable),
        (Fault(events=(started(), _OVERLOADED)), Unavailable),
        (Fault(events=(started(), words(0, "Hel"), _INVALID)), Refused),
        (Fault(events=(started(), words(0, "No."), ended("refusal"))), Refused),
        (Fault(events=(started(), ended("end_turn"))), Malformed),
        (Fault(events=(b"data: nonsense\n\n",)), Malformed),
        (Fault(events=(b"data: []\n\n",)), Malformed),
        (Fault(events=(b'data: {"type": 7}\n\n',)), Malformed),
        (Fault(events=(b"data: \xff\n\n",)), Malformed),
        (Fault(events=(_DEEP,)), Malformed),
        (Fault(events=(b"data: " + b"x" * 2_000_000,)), Malformed),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeAnthropic, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong with a reply is one of our errors; the next one is whole."""
    fake.faults = [fault]
    model = anthropic(fake, first_ms=500)
    await model.start()
    with pytest.raises(ProviderError) as failed:
        await replied(model, HELLO)
    assert type(failed.value) is kind
    assert failed.value.retry_after_s == (7 if fault.status == 429 else None)
    assert await replied(model, HELLO)
    await model.close()


async def test_leaving_a_reply_closes_its_connection(fake: FakeAnthropic) -> None:
    """Which is what stops the vendor's work."""
    fake.faults = [Fault(hang=True)]
    model = anthropic(fake)
    await model.start()
    asking = asyncio.create_task(replied(model, HELLO))
    await fake.hanging.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    await fake.left.wait()
    await model.close()


def test_options_show_no_key_and_take_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's key is for the vendor's own address."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-outside")
    assert BASE_URL == "https://api.anthropic.com"
    options = AnthropicOptions(model="m", api_key="a-secret")
    assert "a-secret" not in f"{options!r} {options.__rich_repr__()}"
    given: list[dict[str, Any]] = [
        {"api_key": "two\nlines"},
        {"base_url": "ftp://x"},
        {"extra_body": "["},
    ]
    for wrong in given:
        with pytest.raises(ValueError, match=r"api_key|base_url|JSON"):
            AnthropicOptions(model="m", **wrong)
