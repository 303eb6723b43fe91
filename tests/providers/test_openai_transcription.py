"""Transcription by an OpenAI-compatible endpoint, against a fake proven by the vendor's SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, heard
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import HearingOptions
from antiphon_providers.openai_transcription import OpenAITranscription, OpenAITranscriptionOptions
from fakes.openai_transcription import transcriber
from openai_peer import KEY, event, responding, streaming
from raw_http import Answer, Exchange, RawServer

SPEECH = human_speech.clip("best").pcm


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    """The endpoint."""
    async with transcriber() as endpoint:
        yield endpoint


def hearing(server: RawServer, **options: Any) -> OpenAITranscription:
    """A recogniser there."""
    settings = {"api_key": KEY, "base_url": f"{server.url}/v1", **options}
    return OpenAITranscription(OpenAITranscriptionOptions(**settings))


class TestContract(SpeechToTextContract):
    """It keeps to what every recogniser must."""

    @pytest.fixture(autouse=True)
    def _endpoint(self, server: RawServer) -> None:
        self.server = server

    def make(self) -> OpenAITranscription:
        """A recogniser at the fake."""
        return hearing(self.server)


async def test_streamed_words_are_partials(server: RawServer) -> None:
    """And the upload has the file, the language and the hints."""
    provider = hearing(server, stream=True, language="de")
    await provider.start()
    results = await heard(provider, SPEECH, HearingOptions(keyterms=("Antiphon",)))
    await provider.close()
    assert [result.text for result in results] == ["Hello", "Hello there.", "Hello there."]
    assert SPEECH in server.requests[-1].body
    assert b'name="language"\r\n\r\nde\r\n' in server.requests[-1].body
    assert b'name="prompt"\r\n\r\nAntiphon\r\n' in server.requests[-1].body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (responding(401, b'{"error": {"message": "no"}}'), Refused),
        (responding(429, b"{}", "retry-after: 7"), Unavailable),
        (responding(500, b"<html>"), Unavailable),
        (responding(200, b"nonsense"), Malformed),
        (responding(200, b'{"text": 7}'), Malformed),
        (responding(200, b"[" * 100_000), Malformed),
        (streaming(event({"type": "transcript.text.delta", "delta": "x"})), Unavailable),
        (streaming(event(b"[]")), Malformed),
        (Exchange.until_left, TooSlow),
    ],
)
async def test_each_failure_has_its_kind(
    server: RawServer, answer: Answer, kind: type[ProviderError]
) -> None:
    """Whatever goes wrong is one of our errors, from this provider."""
    provider = hearing(server, first_ms=500)
    await provider.start()
    server.answer = answer
    with pytest.raises(ProviderError) as failed:
        await heard(provider, SPEECH)
    await provider.close()
    assert type(failed.value) is kind
    assert failed.value.provider == "openai"


async def test_a_wrong_key_is_found_at_the_start(server: RawServer) -> None:
    """In the vendor's words, and options do not show it."""
    provider = hearing(server, api_key="another-key")
    assert "another-key" not in f"{provider.options!r} {provider.options.__rich_repr__()}"
    with pytest.raises(Refused, match="Incorrect API key"):
        await provider.start()
    await provider.close()
