"""Whatever goes wrong with a Realtime session that hears and speaks is one of our errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract.speech_to_speech import replied, text_of
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import ConversationOptions, Message, Prompt
from antiphon_providers.openai_realtime import OpenAIRealtime, OpenAIRealtimeOptions
from fakes.openai_realtime import KEY, FakeOpenAIRealtime, Fault
from fakes.openai_realtime_response import Answer

HELLO = Prompt((Message(role="user", content="Hello?"),))


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAIRealtime]:
    """The vendor."""
    async with FakeOpenAIRealtime() as vendor:
        yield vendor


async def started(fake: FakeOpenAIRealtime, **options: Any) -> OpenAIRealtime:
    """A model at the fake, running."""
    given = {"api_key": KEY, "base_url": fake.url, **options}
    provider = OpenAIRealtime(OpenAIRealtimeOptions(**given))
    await provider.start()
    return provider


async def failure(provider: OpenAIRealtime) -> ProviderError:
    """What a conversation of one reply fails with."""
    with pytest.raises(ProviderError) as failed:
        async with provider.open(ConversationOptions()) as conversation:
            await replied(conversation, HELLO)
    return failed.value


def failed(code: str, message: str = "No.", kind: str = "server_error") -> Answer:
    """An answer that fails."""
    error = {"type": kind, "code": code, "message": message}
    return Answer("", status="failed", details={"type": "failed", "error": error})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failed("rate_limit_exceeded", kind="invalid_request_error"), Unavailable),
        (failed("server_error"), Unavailable),
        (failed("insufficient_quota", kind="insufficient_quota"), Refused),
        (Answer("", status="failed"), Unavailable),
        (Answer("", status="cancelled", details={"reason": "turn_detected"}), Unavailable),
        (Answer("Well,", status="incomplete", details={"reason": "content_filter"}), Refused),
        (Answer(""), Malformed),
        (Answer("", calls=[("look", "{half")]), Malformed),
        (Answer("", calls=[("look", "[]")]), Malformed),
        (Answer("", calls=[("", "{}")]), Malformed),
        (Answer("One two.", stalls_after=0), TooSlow),
        (Answer("One two.", stalls_after=1), TooSlow),
    ],
)
async def test_each_bad_answer_has_its_kind(
    fake: FakeOpenAIRealtime, answer: Answer, kind: type[ProviderError]
) -> None:
    """In the vendor's words where it has some; the conversation goes on."""
    provider = await started(fake, first_ms=1000, progress_ms=1000)
    fake.answers = [answer]
    async with provider.open(ConversationOptions()) as conversation:
        with pytest.raises(ProviderError) as raised:
            await replied(conversation, HELLO)
        assert type(raised.value) is kind
        assert raised.value.provider == "openai-realtime"
        assert text_of(await replied(conversation, HELLO)) == "Hello. How can I help you?"


def error(code: str | None, kind: str = "invalid_request_error", message: str = "No.") -> str:
    """An ``error`` event."""
    return json.dumps({"type": "error", "error": {"type": kind, "code": code, "message": message}})


CREATE = "response.create"
SOUND = "response.output_audio.delta"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429, headers={"Retry-After": "7"}), Unavailable),
        (Fault(status=500), Unavailable),
        (Fault(status=401), Refused),
        (Fault(hang=True), TooSlow),
        (Fault(mute=True), TooSlow),
        (Fault(deaf={CREATE}), TooSlow),
        (Fault(close={CREATE: (1011, "oops")}), Unavailable),
        (Fault(close={CREATE: (1000, "")}), Unavailable),
        (Fault(close={CREATE: (1006, "")}), Unavailable),
        (Fault(cut={SOUND: 3}), Unavailable),
        (Fault(after={CREATE: ["no JSON"]}), Malformed),
        (Fault(after={CREATE: ["[]"]}), Malformed),
        (Fault(after={CREATE: [b"sound"]}), Malformed),
        (Fault(after={CREATE: ['{"type": "response.created"}']}), Malformed),
        (Fault(after={CREATE: ['{"type": "' + "x" * 5_000_000 + '"}']}), Malformed),
        (Fault(after={CREATE: [error("session_expired")]}), Unavailable),
        (Fault(after={CREATE: [error(None, "server_error")]}), Unavailable),
        (Fault(after={CREATE: [error("insufficient_quota")]}), Refused),
        (Fault(instead={"session.created": [error("invalid_api_key")]}), Refused),
    ],
)
async def test_each_failure_has_its_kind(
    fake: FakeOpenAIRealtime, fault: Fault, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong with a session is one of our errors, from this provider."""
    provider = await started(fake, connect_ms=1000, begin_ms=1000, first_ms=1000)
    fake.fault = fault
    raised = await failure(provider)
    assert type(raised) is kind
    assert raised.provider == "openai-realtime"
    if fault.headers:
        assert raised.retry_after_s == 7
