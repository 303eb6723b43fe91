"""The speech adapter against aimock, a server that nobody here wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pybase64
import pytest

from aimock import KEY, aimock
from antiphon_providers.contract.text_to_speech import pcm_of, spoken
from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.openai_speech import OpenAISpeech, OpenAISpeechOptions

GOOD_DAY = bytes(range(250)) * 96
HOW_ARE_YOU = bytes(range(250, 0, -1)) * 96


@asynccontextmanager
async def voice_at(url: str, **options: Any) -> AsyncIterator[OpenAISpeech]:
    """A voice at the server, started."""
    provider = OpenAISpeech(
        OpenAISpeechOptions(**{"base_url": f"{url}/v1", "api_key": KEY, **options})
    )
    try:
        await provider.start()
        yield provider
    finally:
        await provider.close()


def answer(words: str, response: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What becomes of a sentence with these words."""
    match = {"userMessage": words, "endpoint": "speech"}
    return {"match": match, "response": response, **more}


def sounding(words: str, sound: bytes, form: str = "pcm", **more: Any) -> dict[str, Any]:
    """It sounds like this."""
    return answer(words, {"audio": pybase64.b64encode(sound).decode(), "format": form}, **more)


async def test_sentences_sound_whole_and_in_order(tmp_path: Path) -> None:
    """Each is a request of its own, answered by its words."""
    async with (
        aimock(tmp_path, sounding("day", GOOD_DAY), sounding("you", HOW_ARE_YOU)) as url,
        voice_at(url) as voice,
    ):
        sounds = await spoken(voice, "anna", "Good day.", "How are you?")
    assert pcm_of(sounds) == GOOD_DAY + HOW_ARE_YOU
    assert [sound.sentence for sound in sounds if sound.ends] == [0, 1]


async def test_a_wrong_key_is_refused_at_start(tmp_path: Path) -> None:
    """In the server's words."""
    async with aimock(tmp_path, sounding("day", GOOD_DAY)) as url:
        with pytest.raises(Refused, match="Invalid API key") as refused:
            async with voice_at(url, api_key="sk-wrong"):
                pass
    assert refused.value.status_code == 401


BUSY = {"message": "Rate limited", "type": "rate_limit_error"}
FAILURES: list[tuple[dict[str, Any], type[ProviderError], int | None]] = [
    (answer("day", {"error": BUSY, "status": 429}), Unavailable, 429),
    (sounding("day", GOOD_DAY, chaos={"rateLimitRate": 1}), Unavailable, 429),
    (sounding("day", GOOD_DAY, chaos={"dropRate": 1}), Unavailable, 500),
    (sounding("day", GOOD_DAY, chaos={"malformedRate": 1}), Malformed, None),
    (sounding("day", GOOD_DAY, chaos={"disconnectRate": 1}), Unavailable, None),
    (sounding("day", b"RIFF" + GOOD_DAY, "wav"), Malformed, None),
    (sounding("nothing else", GOOD_DAY), Refused, 404),
]


@pytest.mark.parametrize(("given", "kind", "status"), FAILURES)
async def test_each_failure_is_what_it_means(
    tmp_path: Path, given: dict[str, Any], kind: type[ProviderError], status: int | None
) -> None:
    """Rate limit, its like by chance, crash, garbage, hang-up, a file and unknown words."""
    async with aimock(tmp_path, given) as url, voice_at(url) as voice:
        with pytest.raises(kind) as raised:
            await spoken(voice, "anna", "Good day.")
    assert (raised.value.provider, raised.value.status_code) == ("openai", status)
