"""The fake Anthropic, proven with the vendor's own SDK."""

from __future__ import annotations

import anthropic
import pytest

from fakes.anthropic import KEY, FakeAnthropic, Fault, Use, event


def client(fake: FakeAnthropic, key: str = KEY) -> anthropic.AsyncAnthropic:
    """The SDK at the fake."""
    return anthropic.AsyncAnthropic(api_key=key, base_url=fake.url, max_retries=0)


async def final(sdk: anthropic.AsyncAnthropic) -> anthropic.types.Message:
    """The whole message of a streamed reply."""
    async with sdk.messages.stream(
        model="m", max_tokens=10, messages=[{"role": "user", "content": "hello"}]
    ) as stream:
        return await stream.get_final_message()


async def test_the_sdk_reads_words_tools_and_usage() -> None:
    """Its own assembly gives what the fake was told to say."""
    use = Use("toolu_1", "find", ('{"x"', ": 1}"))
    async with FakeAnthropic(uses=(use,)) as fake, client(fake) as sdk:
        message = await final(sdk)
    text, told = message.content
    assert text.type == "text"
    assert text.text == "Hello there."
    assert told.type == "tool_use"
    assert (told.id, told.name, told.input) == ("toolu_1", "find", {"x": 1})
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 7)
    assert message.usage.cache_read_input_tokens == 100


async def test_the_sdk_understands_the_refusals() -> None:
    """A wrong key, a wrong conversation, and an error within a stream are its own errors."""
    overloaded = event("error", error={"type": "overloaded_error", "message": "Overloaded"})
    async with FakeAnthropic() as fake:
        async with client(fake, "wrong") as sdk:
            with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
                await final(sdk)
        fake.faults = [Fault(status=529, body=b"{}"), Fault(events=(overloaded,))]
        async with client(fake) as sdk:
            with pytest.raises(anthropic.APIStatusError) as refused:
                await final(sdk)
            assert refused.value.status_code == 529
            with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
                await final(sdk)
            with pytest.raises(anthropic.BadRequestError):
                await sdk.messages.create(model="m", max_tokens=1, messages=[])
