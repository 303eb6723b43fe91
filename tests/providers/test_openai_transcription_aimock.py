"""The transcription adapter against aimock, a server that nobody here wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aimock import KEY, aimock
from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import heard
from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import HearingOptions
from antiphon_providers.openai_transcription import OpenAITranscription, OpenAITranscriptionOptions

HELLO = "Hello! How can I help you today?"
SPEECH = human_speech.clip("best").pcm


def answer(response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What any speech is taken for: the server does not listen to it."""
    return {"match": {"endpoint": "transcription"}, "response": response, **more}


WORDS = {"transcription": {"text": HELLO}}


@asynccontextmanager
async def hearing(url: str, **options: Any) -> AsyncIterator[OpenAITranscription]:
    """A recogniser at the server, started."""
    given = {"base_url": f"{url}/v1", "api_key": KEY, **options}
    provider = OpenAITranscription(OpenAITranscriptionOptions(**given))
    try:
        await provider.start()
        yield provider
    finally:
        await provider.close()


async def test_words_come_for_what_was_said(tmp_path: Path) -> None:
    """Whole; and none for silence, which is not asked about."""
    async with aimock(tmp_path, answer(WORDS)) as url, hearing(url) as recogniser:
        [result] = await heard(recogniser, SPEECH)
        assert (result.text, result.flushed) == (HELLO, True)
        assert (await heard(recogniser, human_speech.silence(500)))[-1].text == ""


async def test_streamed_words_are_partials(tmp_path: Path) -> None:
    """Each with all that came before, and the last is the whole."""
    async with (
        aimock(tmp_path, answer(WORDS, chunkSize=12)) as url,
        hearing(url, stream=True) as recogniser,
    ):
        results = await heard(recogniser, SPEECH, HearingOptions())
    texts = [result.text for result in results]
    assert len(texts) > 2
    assert texts == sorted(texts, key=len)
    assert all(HELLO.startswith(text) for text in texts)
    assert (texts[-1], results[-1].flushed) == (HELLO, True)


async def test_a_wrong_key_is_refused_at_start(tmp_path: Path) -> None:
    """In the server's words."""
    async with aimock(tmp_path, answer(WORDS)) as url:
        with pytest.raises(Refused, match="Invalid API key") as refused:
            async with hearing(url, api_key="sk-wrong"):
                pass
    assert refused.value.status_code == 401


BUSY = {"message": "Rate limited", "type": "rate_limit_error"}
NOT_ASKED = {"match": {"endpoint": "speech"}, "response": WORDS}
FAILURES: list[tuple[dict[str, Any], type[ProviderError], int | None]] = [
    (answer({"error": BUSY, "status": 429}), Unavailable, 429),
    (answer(WORDS, chaos={"rateLimitRate": 1}), Unavailable, 429),
    (answer(WORDS, chaos={"dropRate": 1}), Unavailable, 500),
    (answer(WORDS, chaos={"malformedRate": 1}), Malformed, None),
    (answer(WORDS, chaos={"disconnectRate": 1}), Unavailable, None),
    (NOT_ASKED, Refused, 404),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("given", "kind", "status"), FAILURES)
async def test_each_failure_is_what_it_means(
    tmp_path: Path,
    given: dict[str, Any],
    kind: type[ProviderError],
    status: int | None,
    *,
    stream: bool,
) -> None:
    """Rate limit, its like by chance, crash, garbage, hang-up and a model that is not there."""
    async with aimock(tmp_path, given) as url, hearing(url, stream=stream) as recogniser:
        with pytest.raises(kind) as raised:
            await heard(recogniser, SPEECH)
    assert (raised.value.provider, raised.value.status_code) == ("openai", status)


async def test_a_transcript_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    """Its first words alone are not taken for the whole."""
    async with (
        aimock(tmp_path, answer(WORDS, chunkSize=5, truncateAfterChunks=2)) as url,
        hearing(url, stream=True) as recogniser,
    ):
        with pytest.raises(Unavailable):
            await heard(recogniser, SPEECH, HearingOptions())
